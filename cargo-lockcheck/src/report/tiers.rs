//! What each tier says of a finding, for whoever reads one for the first time.

use lockdep::finding::Tier;

/// How sure a finding of this tier is, in one sentence.
pub const fn meaning(tier: Tier) -> &'static str {
    match tier {
        Tier::Happened => "It did happen.",
        Tier::Confirmed => "A run under control has come to it.",
        Tier::Predicted => "A schedule of what a run has recorded leads to it, and was checked.",
        Tier::Reachable => {
            "Distinct threads, no common lock, and neither spawn, join nor an event of this run keeps \
             them apart."
        }
        Tier::Potential => {
            "Only different processes or locks together show it, or a message, a notification, a \
             barrier or the test itself kept the threads apart in this run; or it was read in the source."
        }
        Tier::NeedsThread => "One thread did all of it; it hangs when two do it at once.",
        Tier::NeedsWriter => "All of them only read; it hangs when a writer queues.",
        Tier::Guarded => "It cannot happen: a common lock keeps the threads apart.",
        Tier::Ordered => "It cannot happen: spawn and join keep the threads apart.",
        Tier::Refuted => "It cannot happen: no schedule of what was recorded leads to it.",
        _ => "How sure it is, is not known to this version.",
    }
}
