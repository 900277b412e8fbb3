//! Which link of a cycle is the one to change.
//!
//! That is one that goes against a declared order, else the one that the fewest places take, else the one
//! that leads to the lock whose name comes first. It depends on the locks and on where they are taken
//! alone: neither on which thread came first nor on whether a run or the source has shown it.

use std::collections::BTreeSet;

use super::model::Place;

/// A link of a cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The names of the lock that is held and the one that is asked for.
    pub names: [String; 2],
    /// Where both are taken, each way to do so.
    pub places: BTreeSet<[Place; 2]>,
    /// A declared order speaks against it.
    pub is_against: bool,
}

impl Link {
    /// How many places take it. The columns of a run and of the source are not the same.
    fn count(&self) -> usize {
        let line = |place: &Place| (place.file.clone(), place.line);
        let lines = self.places.iter().map(|[held, asked]| (line(held), line(asked)));
        lines.collect::<BTreeSet<_>>().len()
    }

    /// Where else than at `known` the second lock is asked for under the first.
    pub fn elsewhere(&self, known: &Place) -> BTreeSet<(String, u32)> {
        let asked = self.places.iter().map(|[_, asked]| (asked.file.clone(), asked.line));
        asked.filter(|(file, line)| (file, *line) != (&known.file, known.line)).collect()
    }
}

/// The number of the link to change.
pub fn link_to_change(links: &[Link]) -> usize {
    let key = |at: &usize| {
        let link = &links[*at];
        let [from, to] = &link.names;
        (!link.is_against, link.count(), to, from, &link.places)
    };
    (0..links.len()).min_by(|a, b| key(a).cmp(&key(b))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Link, link_to_change};
    use crate::report::model::Place;

    fn link(names: [&str; 2], lines: &[u32], is_against: bool) -> Link {
        let place = |line| Place { file: "src/lib.rs".to_owned(), line, column: line % 7 };
        let places = lines.iter().map(|&line| [place(line), place(line + 1)]).collect();
        Link { names: names.map(str::to_owned), places, is_against }
    }

    #[test]
    fn what_is_declared_decides_then_what_most_places_do_then_the_name() {
        for (forth, back, changed) in [
            (link(["A", "B"], &[1], true), link(["B", "A"], &[5], false), "A"),
            (link(["A", "B"], &[1, 3], true), link(["B", "A"], &[5], false), "A"),
            (link(["A", "B"], &[1], false), link(["B", "A"], &[5, 7], false), "A"),
            (link(["A", "B"], &[1, 3], false), link(["B", "A"], &[5], false), "B"),
            (link(["A", "B"], &[1], false), link(["B", "A"], &[5], false), "B"),
        ] {
            for links in [[forth.clone(), back.clone()], [back, forth]] {
                assert_eq!(links[link_to_change(&links)].names[0], changed, "{links:?}");
            }
        }
    }
}
