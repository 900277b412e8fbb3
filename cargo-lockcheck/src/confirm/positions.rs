//! Where the threads of a finding are to meet, as the runtime reads it (`rendezvous/plan.rs` of the runtime).

use std::fmt::Write;
use std::time::Duration;

use lockdep::finding::{Rule, Tier};

use crate::report::model::{Edge, Finding, Place, can_happen};
use crate::report::wording::is_event;

/// A thread waits for so long, where no other comes but one still may.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where one thread waits for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Position {
    /// It holds a lock since one place and asks for another.
    Nested { since: Place, asks: Place },
    /// It asks for a lock on its way to an event.
    OnTheWay { asks: Place },
}

/// All positions of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positions {
    /// Each once.
    all: Vec<Position>,
    /// So many threads come to them, maybe several to one.
    threads: usize,
}

impl Positions {
    /// Those of this finding.
    ///
    /// # Errors
    /// With the reason, where no run of its tests can come to it.
    pub fn of(finding: &Finding) -> Result<Positions, &'static str> {
        if !matches!(finding.rule, Rule::LockOrder | Rule::WaitWhileHolding) {
            return Err("only orders of locks and waits under a lock are confirmed");
        }
        match finding.tier {
            Tier::Happened => return Err("it has happened"),
            Tier::NeedsThread => {
                return Err(
                    "one thread did all of it: a test in which two threads do so is needed first",
                );
            }
            Tier::NeedsWriter => {
                return Err("all of it reads: a test with a thread that writes is needed first");
            }
            _ => {}
        }
        if finding.edges.iter().any(|edge| edge.process.is_some()) {
            return Err("different processes did it: a test that does all of it is needed first");
        }
        if finding.edges.is_empty() {
            return Err("only the source shows it, and no run has");
        }
        let position = |edge: &Edge| {
            let is_event = |lock: usize| finding.locks.get(lock).is_some_and(is_event);
            let (since, asks) = (edge.from_site.clone(), edge.to_site.clone());
            match (is_event(edge.from), is_event(edge.to)) {
                (_, true) => None,
                (true, false) => Some(Position::OnTheWay { asks }),
                (false, false) => Some(Position::Nested { since, asks }),
            }
        };
        let (mut all, mut threads): (Vec<Position>, usize) = (Vec::new(), 0);
        for position in finding.edges.iter().filter_map(position) {
            threads += 1;
            if !all.contains(&position) {
                all.push(position);
            }
        }
        match threads {
            0 => Err("none of its threads asks for a lock"),
            _ => Ok(Positions { all, threads }),
        }
    }

    /// Whether runs are to come to it unasked.
    pub fn are_worth_it(finding: &Finding) -> bool {
        can_happen(finding.tier) && finding.tier < Tier::Confirmed && Positions::of(finding).is_ok()
    }

    /// The plan for the run with this number, from one. At first threads wait as they come; then, in turn, one
    /// position is taken only once all others are, as its lock may be needed on the way to those.
    pub fn plan(&self, run: u32) -> String {
        let place = |place: &Place| format!("{}:{}:{}", place.file, place.line, place.column);
        let mut plan = format!(
            "lockdep-plan\t1\npatience\t{}\nthreads\t{}\n",
            PATIENCE.as_millis(),
            self.threads
        );
        for position in &self.all {
            _ = match position {
                Position::Nested { since, asks } => {
                    writeln!(plan, "position\t{}\t{}", place(since), place(asks))
                }
                Position::OnTheWay { asks } => writeln!(plan, "way\t{}", place(asks)),
            };
        }
        let turn = (run as usize).saturating_sub(1) % (self.all.len() + 1);
        if let Some(last) = turn.checked_sub(1).filter(|_| self.all.len() > 1) {
            _ = writeln!(plan, "last\t{last}");
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::Positions;
    use crate::report::model::{Edge, Finding, Lock, Mode, Place};

    fn place(line: u32) -> Place {
        Place { file: "src/lib.rs".to_owned(), line, column: 5 }
    }

    fn edge((from, to): (usize, usize), lines: (u32, u32)) -> Edge {
        Edge {
            from,
            to,
            thread: "a".to_owned(),
            process: None,
            function: None,
            from_mode: Mode::Write,
            to_mode: Mode::Write,
            from_site: place(lines.0),
            to_site: place(lines.1),
            stack: Vec::new(),
            from_stack: Vec::new(),
        }
    }

    fn finding(rule: Rule, kinds: [&str; 2], edges: Vec<Edge>) -> Finding {
        let lock = |kind: &str| Lock {
            name: "a".to_owned(),
            kind: kind.to_owned(),
            ty: String::new(),
            created: place(1),
            unwatched: false,
        };
        let locks = kinds.map(lock).to_vec();
        Finding { locks, edges, ..Finding::new(rule, Tier::Reachable, "") }
    }

    #[test]
    fn each_run_has_another_position_come_last() {
        let edges = vec![edge((0, 1), (2, 3)), edge((1, 0), (4, 5))];
        let finding = finding(Rule::LockOrder, ["Mutex"; 2], edges);
        let positions = Positions::of(&finding).expect("it has some");
        let first = "lockdep-plan\t1\npatience\t2000\nthreads\t2\n\
                     position\tsrc/lib.rs:2:5\tsrc/lib.rs:3:5\n\
                     position\tsrc/lib.rs:4:5\tsrc/lib.rs:5:5\n";
        assert_eq!(positions.plan(1), first);
        let last = |run| positions.plan(run).strip_prefix(first).map(str::to_owned);
        let lasts = [1, 2, 3, 4].map(|run| last(run).expect("the rest is the same"));
        assert_eq!(lasts, ["", "last\t0\n", "last\t1\n", ""]);
    }

    #[test]
    fn equal_positions_are_one() {
        let edges = vec![edge((0, 1), (2, 3)), edge((1, 0), (2, 3))];
        let finding = finding(Rule::LockOrder, ["Mutex"; 2], edges);
        let plan = Positions::of(&finding).expect("it has one").plan(2);
        assert_eq!(plan.matches("position").count(), 1);
        assert!(plan.contains("threads\t2\n"), "{plan}");
        assert!(!plan.contains("last"), "{plan}");
    }

    #[test]
    fn who_waits_for_an_event_just_waits() {
        let edges = vec![edge((0, 1), (2, 3)), edge((1, 0), (4, 5))];
        let finding = finding(Rule::WaitWhileHolding, ["Mutex", "thread"], edges);
        let plan = Positions::of(&finding).expect("it has one").plan(1);
        assert!(plan.ends_with("\nway\tsrc/lib.rs:5:5\n"), "{plan}");
    }

    #[test]
    fn what_no_run_can_come_to_is_told() {
        let edges = vec![edge((0, 1), (2, 3)), edge((1, 0), (4, 5))];
        let mut found = finding(Rule::LockOrder, ["Mutex"; 2], edges);
        assert!(Positions::are_worth_it(&found));
        found.tier = Tier::NeedsThread;
        assert!(Positions::of(&found).expect_err("not so").contains("two threads"));
        found.tier = Tier::Confirmed;
        assert!(Positions::of(&found).is_ok() && !Positions::are_worth_it(&found));
        found.edges[0].process = Some("b".to_owned());
        assert!(Positions::of(&found).expect_err("not so").contains("different processes"));
    }
}
