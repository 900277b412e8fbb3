//! How what a witness shows comes about, seen from the bodies that make its locks: by which calls and
//! threads a body is come to that is given them.
//!
//! Nothing is known of a body that others may call than those that are seen: another crate, a trait
//! object, whoever is handed it as a value. Nor is anything known of locks behind handles, or that a
//! body did not make itself.

use super::edges::Witness;
use super::exclusion::{Exclusion, argument};
use super::meeting::{Meeting, makers, meet};
use crate::lint::apis::closures;
use crate::lint::apis::threads::{is_scope, is_spawn};
use crate::lint::dataflow::ownership::{has_no_handle, is_made};
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::{Rvalue, StatementKind};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::LockUse;
use crate::lint::summary::path::{Path, Root};
use crate::lint::summary::trail::{Step, Trail, thread};

/// How many calls are gone back.
const DEPTH: usize = 6;

/// How many ways to a witness are looked at.
const WAYS: usize = 32;

/// One way in which a witness comes about.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The lock that is held, and the one that is asked for.
    locks: [LockUse; 2],
    /// The steps from the body that has made them.
    trail: Trail,
}

impl Exclusion<'_, '_, '_> {
    /// How two witnesses can meet, as far as all ways are known in which they come about; nothing
    /// where that is not known of one of them.
    pub(crate) fn meeting_of_callers(&self, a: &Witness, b: &Witness) -> Option<Meeting> {
        let (first, second) = (self.runs(a)?, self.runs(b)?);
        let pairs = first.iter().flat_map(|a| second.iter().map(move |b| (a, b)));
        let meetings = pairs.map(|(a, b)| self.meeting_of_runs(a, b));
        Some(meetings.max().unwrap_or(Meeting::Never))
    }

    fn meeting_of_runs(&self, a: &Run, b: &Run) -> Meeting {
        let root = |run: &Run| run.locks[0].path.root.clone();
        let body = |run: &Run| run.trail.first().map(|step| step.body);
        if body(a) != body(b) || root(a) != root(b) {
            // They are of different objects.
            return Meeting::Never;
        }
        let Some(body) = body(a) else { return Meeting::Free };
        let made = makers(&self.analyzed().view(body), &a.locks[0].path);
        let meeting = meet(self.analyzed(), &a.trail, &b.trail, &made);
        if meeting != Meeting::Never {
            return meeting;
        }
        // Where a program has threads, and code of its own, it was told apart what runs on which.
        let is_for_others = |run: &Run| run.trail.last().is_some_and(|s| self.is_public(s.body));
        let is_demonstration = !self.starting().contains(&body)
            || thread(&a.trail) == thread(&b.trail) && (is_for_others(a) || is_for_others(b));
        if is_demonstration { Meeting::Alone } else { Meeting::Never }
    }

    /// All ways in which a witness comes about.
    fn runs(&self, witness: &Witness) -> Option<Vec<Run>> {
        let locks = [witness.held.0.clone(), witness.asked.0.clone()];
        let mut work = vec![Run { locks, trail: witness.trail.clone() }];
        let mut found = Vec::new();
        while let Some(run) = work.pop() {
            let body = run.trail.first()?.body;
            if run.trail.len() > DEPTH || work.len() + found.len() > WAYS {
                return None;
            }
            let [held, asked] = &run.locks;
            let is_given = |lock: &LockUse| matches!(lock.path.root, Root::Param(_));
            if is_given(held) && is_given(asked) {
                work.extend(self.earlier(body, &run)?);
            } else if self.has_made_both(body, &run) {
                found.push(run);
            } else {
                return None;
            }
        }
        Some(found)
    }

    /// Whether both locks of a run are of one value that its first body makes.
    fn has_made_both(&self, body: BodyId, run: &Run) -> bool {
        let view = self.analyzed().view(body);
        let [held, asked] = &run.locks;
        !view.function.is_coroutine()
            && held.path.root == asked.path.root
            && run.locks.iter().all(|lock| is_made(&view, &lock.path) && has_no_handle(&view, lock))
    }

    /// What leads to the first body of a run, in its callers' words.
    fn earlier(&self, body: BodyId, run: &Run) -> Option<Vec<Run>> {
        let function = &self.analyzed().program.functions[body];
        let longer = |step: Step, view: &BodyView<'_, '_>, param: &dyn Fn(u32) -> Path| Run {
            locks: run
                .locks
                .clone()
                .map(|lock| LockUse { path: view.substitute_with(&lock.path, param), ..lock }),
            trail: std::iter::once(step).chain(run.trail.iter().copied()).collect(),
        };
        if function.is_closure() {
            return self
                .starts_of(body)?
                .into_iter()
                .map(|(step, captures)| {
                    let view = self.analyzed().view(step.body);
                    Some(longer(step, &view, &|number| match number {
                        1 => captures.clone(),
                        _ => Path::new(Root::Unknown),
                    }))
                })
                .collect();
        }
        let calls = self.calls_in_program(body).filter(|calls| !calls.is_empty())?;
        let earlier = calls.into_iter().map(|(caller, block)| {
            let view = self.analyzed().view(caller);
            let step = Step { body: caller, block, starts: false };
            longer(step, &view, &|number| {
                argument(&view, block, number).unwrap_or(Path::new(Root::Unknown))
            })
        });
        Some(earlier.collect())
    }

    /// Where a closure is run, or a thread started that runs it, with what it has captured. Nothing
    /// where it may be kept.
    fn starts_of(&self, closure: BodyId) -> Option<Vec<(Step, Path)>> {
        let program = self.analyzed().program;
        let ty = types::peel(program.functions[closure].body.locals[1].ty);
        let mut found = Vec::new();
        for &caller in &self.analyzed().callers[closure] {
            let caller = caller as usize;
            let view = self.analyzed().view(caller);
            let body = &view.function.body;
            let mut is_used = false;
            for (at, call) in body.calls() {
                let mut given = call.args.iter().filter(|arg| view.operand_type(arg) == Some(ty));
                let given = given.next();
                let is_run = call.callee().is_some_and(|c| closures::run(c).contains(&ty));
                let captures = match given {
                    Some(given) => view.operand(given),
                    // By an iterator that has the closure.
                    None if is_run => view.closure_site(ty)?,
                    None => continue,
                };
                let callee = call.callee()?;
                let starts = is_spawn(callee);
                if !starts && !is_scope(callee) && !is_run {
                    // Wrapped into an iterator it is not yet run.
                    if closures::wraps(callee) {
                        continue;
                    }
                    return None;
                }
                is_used = true;
                let step = Step { body: caller, block: at, starts };
                found.push((step, captures));
            }
            let is_moved_on =
                body.blocks.iter().flat_map(|block| &block.statements).any(|statement| {
                    matches!(&statement.kind, StatementKind::Assign(dest, value)
                    if value.operands().any(|operand| view.operand_type(operand) == Some(ty))
                        && !matches!(value, Rvalue::Use(_) if dest.steps.is_empty()))
                });
            if !is_used || is_moved_on {
                return None;
            }
        }
        (!found.is_empty()).then_some(found)
    }
}
