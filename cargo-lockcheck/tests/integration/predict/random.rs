//! Random runs of random programs, made of a list of choices, so that a smaller list makes a smaller run.

use std::collections::BTreeMap;

use cargo_lockcheck::predict::recording::{
    Action, Event, Lock, LockId, Manner, Mode, Recording, SiteId, ThreadId, VariableId,
};

/// What programs are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) threads: u32,
    pub(super) locks: u32,
    pub(super) variables: u32,
    /// Whether locks are read as well.
    pub(super) reads: bool,
    /// Most steps of a thread, without those that give back what it has.
    pub(super) steps: usize,
}

/// Choices, one after the other; nought when there are no more.
struct Choices<'a>(std::slice::Iter<'a, u16>);

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % bound.max(1)
    }
}

/// A run to the end of a random program; nothing where the choices lead into a deadlock.
pub(super) fn run(choices: &[u16], shape: Shape) -> Option<Recording> {
    let mut choices = Choices(choices.iter());
    let mut programs: Vec<Vec<Action>> =
        (0..shape.threads).map(|_| program(&mut choices, shape)).collect();
    // Thread 0 spawns the others, or one that it has spawned does; most are waited for.
    for child in 1..shape.threads {
        let parent = choices.below(child as usize);
        let at = choices.below(programs[parent].len().min(3) + 1);
        let at = insert(&mut programs[parent], at, Action::Fork(ThreadId(child)));
        if choices.below(3) > 0 {
            let left = programs[parent].len() - at;
            let behind = at + 1 + choices.below(left);
            insert(&mut programs[parent], behind, Action::Join(ThreadId(child)));
        }
    }
    schedule(&mut choices, &programs, shape)
}

/// Puts a step in, and not between a request and its acquisition; says where.
fn insert(steps: &mut Vec<Action>, at: usize, step: Action) -> usize {
    let is_split = at > 0 && matches!(steps[at - 1], Action::Request(..));
    let at = at + usize::from(is_split);
    steps.insert(at, step);
    at
}

fn program(choices: &mut Choices<'_>, shape: Shape) -> Vec<Action> {
    let mut steps = Vec::new();
    let mut held: Vec<(LockId, Mode)> = Vec::new();
    let count = choices.below(shape.steps) + 1;
    for _ in 0..count {
        let verbs = if shape.variables > 0 { 6 } else { 4 };
        match choices.below(verbs) {
            0..=2 => {
                let lock = LockId(choices.below(shape.locks as usize) as u32);
                let reads = shape.reads && choices.below(2) == 0;
                let mode = if reads { Mode::Read } else { Mode::Write };
                let own = held.iter().filter(|(held, _)| *held == lock);
                let again = own.clone().all(|(_, held)| (*held, mode) == (Mode::Read, Mode::Read));
                if own.clone().count() > 1 || !again {
                    continue;
                }
                if own.count() == 0 && choices.below(8) == 0 {
                    steps.push(Action::Acquire(lock, mode, Manner::Try));
                } else {
                    steps.push(Action::Request(lock, mode));
                    steps.push(Action::Acquire(lock, mode, Manner::Blocking));
                }
                held.push((lock, mode));
            }
            3 if !held.is_empty() => {
                let (lock, _) = held.remove(choices.below(held.len()));
                steps.push(Action::Release(lock));
            }
            4 => {
                let variable = choices.below(shape.variables as usize) as u32;
                steps.push(Action::Read(VariableId(variable)));
            }
            5 => {
                let variable = choices.below(shape.variables as usize) as u32;
                steps.push(Action::Write(VariableId(variable)));
            }
            _ => {}
        }
    }
    while let Some((lock, _)) = held.pop() {
        steps.push(Action::Release(lock));
    }
    steps
}

/// One run of the programs.
fn schedule(
    choices: &mut Choices<'_>,
    programs: &[Vec<Action>],
    shape: Shape,
) -> Option<Recording> {
    let mut recording = Recording {
        threads: (0..shape.threads).map(|thread| format!("T{thread}")).collect(),
        locks: (0..shape.locks)
            .map(|lock| Lock { name: format!("L{lock}"), prefers_readers: false })
            .collect(),
        variables: (0..shape.variables).map(|variable| format!("V{variable}")).collect(),
        sites: vec!["1".to_owned()],
        ..Recording::default()
    };
    let mut at = vec![0_usize; programs.len()];
    let mut spawned = vec![false; programs.len()];
    spawned[0] = true;
    let mut held: BTreeMap<LockId, Vec<(usize, Mode)>> = BTreeMap::new();
    let ends = |at: &[usize], thread: usize| at[thread] == programs[thread].len();
    while (0..programs.len()).any(|thread| !ends(&at, thread)) {
        let can_go = |thread: &usize| {
            let asked = programs[*thread].get(at[*thread]);
            // A request goes with its acquisition: no writer waits while a reader gets in.
            let asked = match asked {
                Some(Action::Request(..)) => programs[*thread].get(at[*thread] + 1),
                other => other,
            };
            let previous = at[*thread].checked_sub(1).map(|at| programs[*thread][at]);
            let joined = |child: ThreadId| spawned[child.0 as usize] && ends(&at, child.0 as usize);
            spawned[*thread]
                && !matches!(previous, Some(Action::Join(child)) if !joined(child))
                && match asked {
                    Some(Action::Acquire(lock, mode, _)) => {
                        let holders = held.get(lock).into_iter().flatten();
                        holders
                            .filter(|(holder, _)| holder != thread)
                            .all(|(_, with)| !with.excludes(*mode))
                    }
                    Some(Action::Join(child)) => joined(*child),
                    Some(_) => true,
                    None => false,
                }
        };
        let able: Vec<usize> = (0..programs.len()).filter(can_go).collect();
        if able.is_empty() {
            return None;
        }
        let thread = able[choices.below(able.len())];
        loop {
            let action = programs[thread][at[thread]];
            at[thread] += 1;
            let event = Event { thread: ThreadId(thread as u32), action, site: SiteId(0) };
            recording.events.push(event);
            match action {
                Action::Request(..) => continue,
                Action::Acquire(lock, mode, _) => {
                    held.entry(lock).or_default().push((thread, mode));
                }
                Action::Release(lock) => {
                    let holders = held.entry(lock).or_default();
                    let own = holders.iter().rposition(|(holder, _)| *holder == thread)?;
                    holders.remove(own);
                }
                Action::Fork(child) => spawned[child.0 as usize] = true,
                _ => {}
            }
            break;
        }
    }
    Some(recording)
}
