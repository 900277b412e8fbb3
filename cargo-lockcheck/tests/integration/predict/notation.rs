//! Runs in short: `M fork(T0); T0 acq(A) rel(A); M join(T0)`.
//!
//! `racq`, `rrel` read; `try` is an acquisition that did not wait; `cvwait(c)` and `cvwait(c:x)`, with the
//! predicate `x`, wait for `notify(c)` and `notifyAll(c)`; `r`, `w` are of variables, and `spin(x)` reads one
//! before it is written; `send(c)`, `send(c,room)`, `recv(c)` are of channels and `bar(b,parties)` of barriers.
//! `P(s)` and `V(s)` are of a semaphore with one permit, which is a lock.

use cargo_lockcheck::predict::recording::{
    Action, Event, Lock, LockId, Manner, Mode, Recording, Signal, SignalId, SignalKind, SiteId,
    ThreadId, VariableId,
};
use cargo_lockcheck::predict::{Awaited, Circle};

/// The run that `text` tells. Locks whose names begin with a small `p` let readers in first.
pub(super) fn recording(text: &str) -> Recording {
    let mut recording = Recording::default();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (thread, steps) = part.split_once(' ').expect("a thread does something");
        let thread = self::thread(&mut recording, thread);
        for step in steps.split(") ").map(|step| step.trim().trim_end_matches(')')) {
            let (verb, of) = step.split_once('(').expect("a step is of something");
            let (of, number) = match of.split_once(',') {
                Some((of, number)) => (of, number.parse().ok()),
                None => (of, None),
            };
            for action in actions(&mut recording, verb, of, number) {
                let site = SiteId(recording.sites.len() as u32);
                recording.sites.push(format!("{}", recording.sites.len()));
                recording.events.push(Event { thread, action, site });
            }
        }
    }
    recording
}

fn actions(recording: &mut Recording, verb: &str, of: &str, number: Option<u32>) -> Vec<Action> {
    let condvar = SignalKind::Condvar;
    let name = of.split(':').next().expect("there is one");
    match verb {
        "acq" | "P" => {
            let lock = lock(recording, of);
            vec![
                Action::Request(lock, Mode::Write),
                Action::Acquire(lock, Mode::Write, Manner::Blocking),
            ]
        }
        "racq" => {
            let lock = lock(recording, of);
            vec![
                Action::Request(lock, Mode::Read),
                Action::Acquire(lock, Mode::Read, Manner::Blocking),
            ]
        }
        "try" => vec![Action::Acquire(lock(recording, of), Mode::Write, Manner::Try)],
        "rel" | "rrel" | "V" => vec![Action::Release(lock(recording, of))],
        "fork" => vec![Action::Fork(thread(recording, of))],
        "join" => vec![Action::Join(thread(recording, of))],
        "r" | "spin" => vec![Action::Read(variable(recording, of))],
        "w" => vec![Action::Write(variable(recording, of))],
        "cvwait" => vec![Action::Wait(signal(recording, name, condvar))],
        "notify" => vec![Action::Notify(signal(recording, name, condvar))],
        "notifyAll" => vec![Action::NotifyAll(signal(recording, name, condvar))],
        "send" => vec![Action::Send(signal(recording, of, SignalKind::Channel(number)))],
        "recv" => vec![Action::Receive(signal(recording, of, SignalKind::Channel(number)))],
        "bar" => {
            let parties = SignalKind::Barrier(number.expect("so many"));
            vec![Action::Arrive(signal(recording, of, parties))]
        }
        _ => panic!("`{verb}` is no step"),
    }
}

fn at(names: &mut Vec<String>, name: &str) -> u32 {
    let known = names.iter().position(|known| known == name);
    known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    }) as u32
}

fn thread(recording: &mut Recording, name: &str) -> ThreadId {
    ThreadId(at(&mut recording.threads, name))
}

fn variable(recording: &mut Recording, name: &str) -> VariableId {
    VariableId(at(&mut recording.variables, name))
}

fn lock(recording: &mut Recording, name: &str) -> LockId {
    let known = recording.locks.iter().position(|lock| lock.name == name);
    LockId(known.unwrap_or_else(|| {
        let prefers_readers = name.starts_with('p');
        recording.locks.push(Lock { name: name.to_owned(), prefers_readers });
        recording.locks.len() - 1
    }) as u32)
}

fn signal(recording: &mut Recording, name: &str, kind: SignalKind) -> SignalId {
    let known = recording.signals.iter().position(|signal| signal.name == name);
    let at = known.unwrap_or_else(|| {
        recording.signals.push(Signal { name: name.to_owned(), kind });
        recording.signals.len() - 1
    });
    if kind != SignalKind::Channel(None) {
        recording.signals[at].kind = kind;
    }
    SignalId(at as u32)
}

/// A circle in short, beginning with its least link: `T0:A->B T1:B->A`. A signal is `E:x`, a thread's end
/// `J:T`, room in a channel `R:c`.
pub(super) fn shown(recording: &Recording, circle: &Circle) -> String {
    let what = |what: Awaited| match what {
        Awaited::Lock(lock) => recording.locks[lock.0 as usize].name.clone(),
        Awaited::End(thread) => format!("J:{}", recording.threads[thread.0 as usize]),
        Awaited::Signal(signal) => format!("E:{}", recording.signals[signal.0 as usize].name),
        Awaited::Room(signal) => format!("R:{}", recording.signals[signal.0 as usize].name),
    };
    let links = circle.links.iter().map(|link| {
        let thread = &recording.threads[link.thread.0 as usize];
        format!("{thread}:{}->{}", what(link.held), what(link.asked))
    });
    let mut links: Vec<String> = links.collect();
    let least = (0..links.len()).min_by_key(|at| links[*at].clone()).unwrap_or_default();
    links.rotate_left(least);
    links.join(" ")
}
