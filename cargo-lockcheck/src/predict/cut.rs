//! Steps of several threads that can all be next at once, by an order: found in one walk instead of
//! trying all combinations.

use super::clocks::Clocks;
use super::history::History;
use super::recording::EventId;

/// The earliest choice of one step of each list, none of which comes before another, as indices of the
/// lists; nothing where there is none. Any other such choice takes no earlier step of any list. The steps
/// of each list are of one thread and in its order.
///
/// A step that comes before the current one of another list comes before all later ones of that list, so
/// it can be passed over for good (Garg and Waldecker's weak conjunctive predicates).
pub(super) fn earliest(
    history: &History<'_>,
    clocks: &Clocks,
    lists: &[&[EventId]],
) -> Option<Vec<usize>> {
    let mut at = vec![0; lists.len()];
    loop {
        let mut moved = false;
        for one in 0..lists.len() {
            for other in 0..lists.len() {
                let step = *lists[one].get(at[one])?;
                let beside = *lists[other].get(at[other])?;
                if one != other && clocks.before(history, step, beside) {
                    at[one] += 1;
                    moved = true;
                }
            }
        }
        if !moved {
            return Some(at);
        }
    }
}

/// Whether none of `steps` comes before another.
pub(super) fn are_concurrent(history: &History<'_>, clocks: &Clocks, steps: &[EventId]) -> bool {
    steps
        .iter()
        .all(|one| steps.iter().all(|other| one == other || !clocks.before(history, *one, *other)))
}
