//! Whether the steps can be of one run: nobody gets what another holds, gives back what he has not got,
//! begins before he is spawned or goes on after his end.
//!
//! What follows from steps that cannot be is worth nothing, so it is said.

use std::collections::{HashMap, HashSet};

use crate::predict::recording::{Action, Event, LockId, Mode, Recording, ThreadId};

/// The steps so far, and the first of them that cannot be.
#[derive(Debug, Default)]
pub(super) struct Consistency {
    held: HashMap<LockId, Vec<(ThreadId, Mode, u32)>>,
    begun: HashSet<ThreadId>,
    joined: HashSet<ThreadId>,
    wrong: u64,
    first: Option<String>,
}

impl Consistency {
    pub(super) fn add(&mut self, event: &Event, line: u32, recording: &Recording) {
        let thread = |id: ThreadId| recording.threads[id.0 as usize].as_str();
        let lock = |id: LockId| recording.locks[id.0 as usize].name.as_str();
        let own = event.thread;
        let mut wrong = None;
        if self.joined.contains(&own) {
            wrong = Some(format!("`{}` goes on though it has been joined", thread(own)));
        }
        self.begun.insert(own);
        match event.action {
            Action::Acquire(id, mode, _) => {
                let holders = self.held.entry(id).or_default();
                let other =
                    holders.iter().find(|(who, with, _)| *who != own && with.excludes(mode));
                if let Some((who, ..)) = other {
                    let (name, holder) = (lock(id), thread(*who));
                    wrong =
                        Some(format!("`{}` gets `{name}` while `{holder}` has it", thread(own)));
                }
                match holders.iter_mut().find(|(who, ..)| *who == own) {
                    Some((_, with, times)) => (*with, *times) = ((*with).min(mode), *times + 1),
                    None => holders.push((own, mode, 1)),
                }
            }
            Action::Release(id) => {
                let holders = self.held.entry(id).or_default();
                match holders.iter().position(|(who, ..)| *who == own) {
                    Some(at) if holders[at].2 > 1 => holders[at].2 -= 1,
                    Some(at) => _ = holders.swap_remove(at),
                    None => {
                        let name = lock(id);
                        wrong = Some(format!(
                            "`{}` gives back `{name}` without having it",
                            thread(own)
                        ));
                    }
                }
            }
            Action::Fork(child) if self.begun.contains(&child) => {
                wrong = Some(format!("`{}` is spawned after it has begun", thread(child)));
            }
            Action::Join(child) => _ = self.joined.insert(child),
            _ => {}
        }
        if let Some(wrong) = wrong {
            self.wrong += 1;
            self.first.get_or_insert_with(|| format!("in line {line} {wrong}"));
        }
    }

    /// What is wrong with the trace, in a sentence.
    pub(super) fn warning(self, name: &str) -> Option<String> {
        let first = self.first?;
        let more = match self.wrong - 1 {
            0 => String::new(),
            1 => ", and another step cannot be either".to_owned(),
            more => format!(", and {more} more steps cannot be either"),
        };
        Some(format!(
            "{name} is not the record of one run, and what is reported of it may be wrong: {first}{more}"
        ))
    }
}
