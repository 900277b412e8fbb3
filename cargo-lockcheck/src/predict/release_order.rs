//! The order that locks make of what other order there is: where a hold has begun before a step within
//! another hold of the same lock, it has also ended before that step (Sulzmann and others' PWR).

use super::clocks::{Clocks, NoOrder};
use super::history::History;
use super::incoming::{Before, Incoming};

/// Rounds after which what is found is good enough: what is missing orders less.
const ROUNDS: usize = 32;

/// The order of `before` with what the locks add to it.
pub(super) fn release_order(history: &History<'_>, before: &[Before]) -> Result<Clocks, NoOrder> {
    let mut edges = before.to_vec();
    let mut clocks = Clocks::of(history, &Incoming::of(history, &edges))?;
    for _ in 0..ROUNDS {
        let known = edges.len();
        for holds in history.holds.iter().filter(|holds| holds.len() > 1) {
            for own in holds {
                let mut seen = None;
                for section in &own.sections {
                    let thread = history.steps[own.thread.index()].len() as u32;
                    let begins = history.position(section.acquired);
                    let ends = section.released.map_or(thread - 1, |end| history.position(end));
                    let Some(last) = clocks.mark_at(own.thread, ends) else { continue };
                    if seen == Some(last) {
                        continue;
                    }
                    let marks = clocks.marks(own.thread);
                    let first = clocks.mark_at(own.thread, begins);
                    let inside = first.map_or(0, |mark| mark + 1)..=last;
                    let at = first.filter(|mark| seen != Some(*mark)).map(|_| begins);
                    for step in at.into_iter().chain(marks[inside].iter().copied()) {
                        let then = history.steps[own.thread.index()][step as usize];
                        for other in holds.iter().filter(|other| other.thread != own.thread) {
                            let bound = clocks.count(history, then, other.thread);
                            let earlier = other.last_against(history, section.mode, bound);
                            if let Some(first) = earlier.and_then(|earlier| earlier.released)
                                && !clocks.before(history, first, then)
                            {
                                edges.push(Before { first, then });
                            }
                        }
                    }
                    seen = Some(last);
                }
            }
        }
        if edges.len() == known {
            break;
        }
        clocks = Clocks::of(history, &Incoming::of(history, &edges))?;
    }
    Ok(clocks)
}
