//! Why a circle is as sure as it is, in words, and what was not looked at.

use super::subjects::Subjects;
use crate::predict::recording::{Action, EventId, LockId};
use crate::predict::{Apart, Circle, Contradiction, Limits, Prediction};
use crate::report::model::can_happen;

/// Why `circle` cannot happen, for a tier that says so.
pub(super) fn reason(subjects: &Subjects<'_>, circle: &Circle) -> Option<String> {
    let apart = circle.sureness.apart.as_ref()?;
    (!can_happen(circle.sureness.tier)).then(|| said(subjects, apart))
}

/// What else is to be said of `circle`, with which `others` are told.
pub(super) fn notes(subjects: &Subjects<'_>, circle: &Circle, others: u64) -> Vec<String> {
    let mut notes = Vec::new();
    let sureness = &circle.sureness;
    if can_happen(sureness.tier) {
        notes.extend(sureness.apart.as_ref().map(|apart| {
            match apart {
                Apart::Data => {
                    "in this run one of them had read what the other has written, and no \
                            schedule in which it reads the same leads here: it happens where other \
                            values lead the same way"
                        .to_owned()
                }
                Apart::Signals { other: true } => {
                    "in this run a notification, a message or a barrier came between them; another \
                 thread can give it as well"
                        .to_owned()
                }
                apart => format!(
                    "none of the ways that were tried leads here: {}",
                    said(subjects, apart)
                ),
            }
        }));
        if sureness.apart.is_none()
            && sureness.schedule.is_some()
            && sureness.tier != lockdep::finding::Tier::Predicted
        {
            notes.push(
                "this schedule keeps to all locks, spawns and joins, and not to what was read from \
                 variables or who was woken"
                    .to_owned(),
            );
        }
        if sureness.is_cut {
            notes.push("there are more ways for it to come about than were tried".to_owned());
        }
    }
    match others {
        0 => {}
        1 => {
            notes.push("one more circle shares a place with this one, and is cured with it".into())
        }
        _ => notes.push(format!(
            "{others} more circles share a place with this one, and are cured with it"
        )),
    }
    notes
}

fn said(subjects: &Subjects<'_>, apart: &Apart) -> String {
    let lock = |id: LockId| format!("`{}`", subjects.recording.locks[id.0 as usize].name);
    match apart {
        Apart::Gate(gate) => format!("gate lock {} is held on both sides", lock(*gate)),
        Apart::GateOf(gate, owner) => format!(
            "gate lock {} is held on one side, and by `{}` around all that the other does",
            lock(*gate),
            subjects.thread(*owner),
        ),
        Apart::SpawnAndJoin => "spawn and join order keeps the threads apart".to_owned(),
        Apart::Releases => {
            "locks that both take keep the threads apart: one of them comes here only \
                            after the other has given them back"
                .to_owned()
        }
        Apart::Signals { .. } => {
            "a notification, a message or a barrier, which no other thread can \
                                  give, keeps the threads apart"
                .to_owned()
        }
        Apart::Data => "what one thread has read from another keeps them apart".to_owned(),
        Apart::NoWriter => {
            "all of these only read, and no writer can wait for the lock meanwhile".to_owned()
        }
        Apart::Contradiction(contradiction) => contradicts(subjects, contradiction, &lock),
    }
}

fn contradicts(
    subjects: &Subjects<'_>,
    contradiction: &Contradiction,
    lock: &dyn Fn(LockId) -> String,
) -> String {
    let thread =
        |event: EventId| format!("`{}`", subjects.thread(subjects.recording.event(event).thread));
    let at = |event: EventId| subjects.place(event).to_string();
    match contradiction {
        Contradiction::Passed { request, needed, given_back } => {
            let who = thread(*needed);
            let what = match subjects.recording.event(*needed).action {
                Action::Release(id) => format!("give back {} ({})", lock(id), at(*needed)),
                _ => format!("go on to {}", at(*needed)),
            };
            let why = match given_back {
                Some((_, acquired)) => {
                    format!(
                        "{} can only come here after that ({})",
                        thread(*acquired),
                        at(*acquired)
                    )
                }
                None => "the others can only come here after that".to_owned(),
            };
            format!(
                "{who} would have to {what} before it waits at {}, and does so only later: {why}",
                at(*request)
            )
        }
        Contradiction::HeldTwice { lock: id, one, other } => format!(
            "{} and {} would have to hold {} at once, from {} and {} on",
            thread(*one),
            thread(*other),
            lock(*id),
            at(*one),
            at(*other),
        ),
        Contradiction::Circle(steps) => {
            let before = |[first, then]: &[EventId; 2]| {
                let (one, other) =
                    (subjects.recording.event(*first), subjects.recording.event(*then));
                match (one.action, other.action) {
                    (Action::Release(id), Action::Acquire(..)) => format!(
                        "{} would have to give back {} ({}) before {} takes it ({})",
                        thread(*first),
                        lock(id),
                        at(*first),
                        thread(*then),
                        at(*then),
                    ),
                    _ => format!(
                        "{} would have to be at {} before {} is at {}",
                        thread(*first),
                        at(*first),
                        thread(*then),
                        at(*then),
                    ),
                }
            };
            let steps: Vec<String> = steps.iter().map(before).collect();
            format!("{}, which is not possible at once", steps.join(", and "))
        }
    }
}

/// Sentences on what was not looked at in the trace of this name.
pub(super) fn limits(name: &str, prediction: &Prediction, limits: Limits) -> Vec<String> {
    let mut notes = Vec::new();
    if prediction.complete_to < limits.length {
        notes.push(format!(
            "{name}: the search for circles stopped at its bound; all of up to {} threads were \
             looked at, and there may be longer ones",
            prediction.complete_to
        ));
    }
    if prediction.undecided > 0 {
        notes.push(format!(
            "{name}: the search for schedules stopped at its bound; nothing more is known of {} \
             circles",
            prediction.undecided
        ));
    }
    if prediction.given_by_others > 0 {
        notes.push(format!(
            "{name}: {} circles through a notification or message are left out, as another thread \
             gives it too and needs none of these locks for it",
            prediction.given_by_others
        ));
    }
    if prediction.is_cut {
        notes.push(format!(
            "{name}: a thread asked for so many locks before a notification or message that only \
             the first of them are taken to be needed for it"
        ));
    }
    notes
}
