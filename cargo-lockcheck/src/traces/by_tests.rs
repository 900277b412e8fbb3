//! Orders that only the spawns and joins of a test kept apart.
//!
//! A test may take two orders in threads of which one ends before the other begins. What it calls is there to
//! be called by others, who need not do so; in one thread the same calls would be told of. What the program
//! itself spawns and joins keeps its threads apart wherever it is called, and so is no such order.

use lockdep::finding::{Rule, Tier};

use super::trace::Found;
use crate::report::naming::Syntax;

/// Makes those of `findings` potential.
pub(super) fn judge(findings: &mut [Found], syntax: &Syntax<'_>) {
    for found in findings {
        let is_by_tests = found.rule == Rule::LockOrder
            && found.tier == Tier::Ordered
            && !found.apart.is_empty()
            && found.apart.iter().all(|site| syntax.is_in_test(site));
        if is_by_tests {
            found.tier = Tier::Potential;
            found.reason = None;
            found.notes.push(
                "only what the test itself spawns and joins kept these threads apart: others may \
                 call the same functions at the same time"
                    .to_owned(),
            );
        }
    }
}
