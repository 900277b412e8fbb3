//! What threads are to meet at: read from the file that `cargo lockcheck confirm` writes.
//!
//! A line is a key and its values, with tabs between them; a place is `file:line:column`:
//!
//! | key | values | meaning |
//! |---|---|---|
//! | `lockdep-plan` | `1` | the first line: the version |
//! | `patience` | milliseconds | how long a thread waits for the others, the first time at a position |
//! | `threads` | a number | so many threads make a circle over all positions, maybe several at one |
//! | `position` | two places | the thread holds a lock since the first, and asks for another at the second |
//! | `way` | a place | the thread asks there for a lock that somebody holds who waits for an event |
//! | `last` | a number, from zero | threads come to this position once all others are taken |

use std::time::Duration;

use crate::model::held::HeldLock;
use crate::model::lock::Site;

/// The first line of a plan.
const VERSION: (&str, &str) = ("lockdep-plan", "1");

/// See the module.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) positions: Vec<Position>,
    /// The position that is taken after all others.
    pub(super) last: Option<usize>,
    pub(super) patience: Duration,
    /// How many threads make a circle over all positions.
    pub(super) threads: usize,
}

/// Where a thread is to wait for others.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// It holds a lock since one place, and asks for another one.
    Nested { since: Place, asks: Place },
    /// It asks for a lock on its way to an event.
    OnTheWay { asks: Place },
}

/// Where a thread is, in the words of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// At the position with this number.
    At(usize),
    /// About to acquire the first lock of the position that is to be taken last.
    Before(usize),
}

/// A place in the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    file: String,
    line: u32,
    column: u32,
}

impl Place {
    fn parse(text: &str) -> Option<Place> {
        let mut parts = text.rsplitn(3, ':');
        let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        let place = Place {
            file: file.replace('\\', "/").trim_start_matches("../").to_owned(),
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        };
        Some(place).filter(|place| !place.file.is_empty())
    }

    /// Whether it is this site, whose file may have more directories before it.
    fn is(&self, site: Site) -> bool {
        if (self.line, self.column) != (site.line(), site.column()) {
            return false;
        }
        let file = site.file().replace('\\', "/");
        let before = file.strip_suffix(self.file.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }
}

impl Plan {
    /// Reads a plan; `None` where the text is none.
    pub(super) fn parse(text: &str) -> Option<Plan> {
        let mut lines = text.lines().map(|line| line.split('\t'));
        let mut first = lines.next()?;
        if (first.next()?, first.next()?) != VERSION {
            return None;
        }
        let (patience, threads) = (Duration::ZERO, 0);
        let mut plan = Plan { positions: Vec::new(), last: None, patience, threads };
        for mut words in lines {
            let key = words.next()?;
            let value = words.next()?;
            match key {
                "patience" => plan.patience = Duration::from_millis(value.parse().ok()?),
                "threads" => plan.threads = value.parse().ok()?,
                "last" => plan.last = Some(value.parse().ok()?),
                "way" => plan.positions.push(Position::OnTheWay { asks: Place::parse(value)? }),
                "position" => plan.positions.push(Position::Nested {
                    since: Place::parse(value)?,
                    asks: Place::parse(words.next()?)?,
                }),
                _ => return None,
            }
        }
        let names_one = plan.last.is_none_or(|last| last < plan.positions.len());
        (names_one && !plan.positions.is_empty()).then_some(plan)
    }

    /// Where a thread is that asks for a lock at this site and holds these.
    pub(super) fn spot(&self, held: &[HeldLock], site: Site) -> Option<Spot> {
        let at = |position: &Position| match position {
            Position::Nested { since, asks } => {
                asks.is(site) && held.iter().any(|held| since.is(held.site))
            }
            Position::OnTheWay { asks } => asks.is(site),
        };
        let before = || {
            let last = self.last?;
            match &self.positions[last] {
                Position::Nested { since, .. } if since.is(site) => Some(Spot::Before(last)),
                _ => None,
            }
        };
        self.positions.iter().position(at).map(Spot::At).or_else(before)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::{Place, Plan, Position, Spot};
    use crate::model::held::HeldLock;
    use crate::model::lock::{Mode, Site};
    use crate::model::word::LockWord;

    #[track_caller]
    fn here() -> Site {
        Location::caller()
    }

    #[test]
    fn a_plan_is_read() {
        let text = "lockdep-plan\t1\npatience\t20\nthreads\t2\nposition\tsrc/a b.rs:1:2\tsrc/b.rs:3:4\n\
                    way\tsrc/c.rs:5:6\nlast\t0\n";
        let plan = Plan::parse(text).expect("it is one");
        let place = |file: &str, line, column| Place { file: file.to_owned(), line, column };
        let positions = [
            Position::Nested { since: place("src/a b.rs", 1, 2), asks: place("src/b.rs", 3, 4) },
            Position::OnTheWay { asks: place("src/c.rs", 5, 6) },
        ];
        assert_eq!(plan.positions, positions);
        assert_eq!((plan.last, plan.patience.as_millis(), plan.threads), (Some(0), 20, 2));
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for text in [
            "",
            "lockdep-plan\t2\nway\ta.rs:1:1",
            "lockdep-plan\t1",
            "lockdep-plan\t1\nway\ta.rs:1",
            "lockdep-plan\t1\nway\ta.rs:1:1\nlast\t1",
            "lockdep-plan\t1\nposition\ta.rs:1:1",
            "lockdep-plan\t1\nfoo\ta.rs:1:1",
            "lockdep-plan\t1\nway\t:1:1",
        ] {
            assert!(Plan::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_place_is_a_site_whatever_the_directories_before_it() {
        let site = here();
        let place = |file: &str| Place::parse(&format!("{file}:{}:{}", site.line(), site.column()));
        let is = |file: &str| place(file).expect("a place").is(site);
        assert!(is(site.file()) && is("plan.rs") && is("../../rendezvous/plan.rs"));
        assert!(!is("an.rs") && !is("other.rs"));
    }

    #[test]
    fn a_spot_is_told_by_what_is_held_since_where() {
        let (first, second) = (here(), here());
        let plan = format!(
            "lockdep-plan\t1\nposition\t{first}\t{second}\nway\t{}\nlast\t0\n",
            "somewhere.rs:1:1"
        );
        let plan = Plan::parse(&plan).expect("it is one");
        let word = LockWord::new(1, 1).held(Mode::Write, false);
        let held = [HeldLock { word, site: first, address: 0, level: 0 }];
        assert_eq!(plan.spot(&held, second), Some(Spot::At(0)));
        assert_eq!(plan.spot(&[], second), None);
        assert_eq!(plan.spot(&[], first), Some(Spot::Before(0)));
    }
}
