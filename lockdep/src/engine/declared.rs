//! The order in which a program says that it takes its locks, and what follows from that.
//!
//! A *place* is what a declaration names: a field of a struct, or a static. Places have orders between
//! them, each declared at some site, and ranks: a place comes before all places of a greater rank. Both
//! together are one partial order. What that leaves open is allowed, and a declaration that contradicts an
//! earlier one is refused.

use std::collections::{HashMap, VecDeque};

use crate::model::ids::PlaceId;

/// Why one place comes directly before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<S> {
    /// It is declared here.
    Order(S),
    /// Its rank is less.
    Ranks {
        /// The ranks of both.
        ranks: [i64; 2],
        /// Where they are declared.
        sites: [S; 2],
    },
}

/// One place directly before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<S> {
    /// What comes first.
    pub first: PlaceId,
    /// What comes after it.
    pub then: PlaceId,
    /// Why.
    pub reason: Reason<S>,
}

#[derive(Debug)]
struct Place<S> {
    rank: Option<(i64, S)>,
    then: Vec<(PlaceId, S)>,
}

/// Everything that has been declared, at sites of type `S`.
#[derive(Debug)]
pub struct DeclaredOrder<S> {
    places: Vec<Place<S>>,
    /// Pairs that were asked about, and whether the first comes before the second.
    known: HashMap<(PlaceId, PlaceId), bool>,
}

impl<S> Default for DeclaredOrder<S> {
    fn default() -> DeclaredOrder<S> {
        DeclaredOrder { places: Vec::new(), known: HashMap::new() }
    }
}

impl<S: Copy> DeclaredOrder<S> {
    /// A new place, with no order to others.
    pub fn place(&mut self) -> PlaceId {
        self.places.push(Place { rank: None, then: Vec::new() });
        (self.places.len() - 1) as PlaceId
    }

    /// Declares, at `site`, that `first` is taken before `then`.
    ///
    /// # Errors
    /// The opposite follows from what was declared before, by these steps; nothing changes.
    pub fn declare(&mut self, first: PlaceId, then: PlaceId, site: S) -> Result<(), Vec<Step<S>>> {
        if let Some(steps) = self.steps(then, first) {
            return Err(steps);
        }
        self.known.clear();
        let after = &mut self.places[first as usize].then;
        if !after.iter().any(|(known, _)| *known == then) {
            after.push((then, site));
        }
        Ok(())
    }

    /// Declares the rank of a place at `site`; the first rank of a place counts.
    ///
    /// # Errors
    /// With this rank the place comes before itself, by these steps; nothing changes.
    pub fn rank(&mut self, place: PlaceId, rank: i64, site: S) -> Result<(), Vec<Step<S>>> {
        if self.places[place as usize].rank.is_some() {
            return Ok(());
        }
        self.known.clear();
        self.places[place as usize].rank = Some((rank, site));
        match self.steps(place, place) {
            Some(steps) => {
                self.places[place as usize].rank = None;
                Err(steps)
            }
            None => Ok(()),
        }
    }

    /// Whether `first` comes before `then`.
    pub fn is_before(&mut self, first: PlaceId, then: PlaceId) -> bool {
        if let Some(&known) = self.known.get(&(first, then)) {
            return known;
        }
        let before = self.steps(first, then).is_some();
        self.known.insert((first, then), before);
        before
    }

    /// The fewest steps by which `first` comes before `then`, if it does.
    pub fn steps(&self, first: PlaceId, then: PlaceId) -> Option<Vec<Step<S>>> {
        let mut came_by: HashMap<PlaceId, Step<S>> = HashMap::new();
        let mut open = VecDeque::from([first]);
        while let Some(at) = open.pop_front() {
            for step in self.next(at) {
                if came_by.contains_key(&step.then) {
                    continue;
                }
                came_by.insert(step.then, step);
                if step.then == then {
                    return Some(way(&came_by, first, then));
                }
                open.push_back(step.then);
            }
        }
        None
    }

    /// All places, each after those that come before it; of the others, the older first.
    pub fn sorted(&self) -> Vec<PlaceId> {
        let count = self.places.len() as PlaceId;
        let mut before = vec![0u32; self.places.len()];
        for at in 0..count {
            self.next(at).for_each(|step| before[step.then as usize] += 1);
        }
        let mut sorted = Vec::with_capacity(self.places.len());
        let mut left: Vec<PlaceId> = (0..count).collect();
        while let Some(at) = left.iter().position(|&place| before[place as usize] == 0) {
            let place = left.remove(at);
            self.next(place).for_each(|step| before[step.then as usize] -= 1);
            sorted.push(place);
        }
        sorted
    }

    fn next(&self, first: PlaceId) -> impl Iterator<Item = Step<S>> + '_ {
        let place = &self.places[first as usize];
        let declared = place.then.iter().map(move |&(then, site)| Step {
            first,
            then,
            reason: Reason::Order(site),
        });
        let ranked = place.rank.into_iter().flat_map(move |(rank, site)| {
            self.places.iter().zip(0..).filter_map(move |(other, then)| {
                let (greater, other_site) = other.rank.filter(|(other, _)| *other > rank)?;
                let reason = Reason::Ranks { ranks: [rank, greater], sites: [site, other_site] };
                Some(Step { first, then, reason })
            })
        });
        declared.chain(ranked)
    }
}

/// The steps from `first` to `then`, found backwards.
fn way<S: Copy>(
    came_by: &HashMap<PlaceId, Step<S>>,
    first: PlaceId,
    then: PlaceId,
) -> Vec<Step<S>> {
    let mut steps = vec![came_by[&then]];
    while steps[steps.len() - 1].first != first {
        steps.push(came_by[&steps[steps.len() - 1].first]);
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places<const N: usize>(order: &mut DeclaredOrder<u64>) -> [PlaceId; N] {
        std::array::from_fn(|_| order.place())
    }

    #[test]
    fn an_order_is_transitive_and_leaves_the_rest_open() {
        let mut order = DeclaredOrder::<u64>::default();
        let [a, b, c, d] = places(&mut order);
        // A diamond.
        for (first, then, site) in [(a, b, 1), (a, c, 2), (b, d, 3), (c, d, 4)] {
            order.declare(first, then, site).expect("there is no cycle");
        }
        assert!(order.is_before(a, d) && !order.is_before(d, a));
        assert!(!order.is_before(b, c) && !order.is_before(c, b) && !order.is_before(a, a));
        let steps = order.steps(a, d).expect("it is declared");
        assert_eq!(
            steps.iter().map(|step| (step.first, step.then)).collect::<Vec<_>>(),
            [(a, b), (b, d)]
        );
        assert_eq!(steps[0].reason, Reason::Order(1));
        assert_eq!(order.sorted(), [a, b, c, d]);
    }

    #[test]
    fn a_contradiction_is_refused_with_what_it_contradicts() {
        let mut order = DeclaredOrder::<u64>::default();
        let [a, b, c] = places(&mut order);
        order.declare(a, b, 1).expect("it is the first");
        order.declare(b, c, 2).expect("there is no cycle");
        assert!(!order.is_before(c, a));
        let steps = order.declare(c, a, 3).expect_err("it closes a cycle");
        assert_eq!(steps.len(), 2);
        assert!(!order.is_before(c, a), "nothing has changed");
        order.rank(c, 1, 4).expect("it is the first");
        assert!(order.rank(b, 2, 5).is_err(), "c comes before b by rank, after it by order");
        assert_eq!(order.sorted(), [a, b, c]);
    }

    #[test]
    fn ranks_order_all_that_have_one_but_equals() {
        let mut order = DeclaredOrder::<u64>::default();
        let [a, b, c, d, free] = places(&mut order);
        for (place, rank) in [(a, 30), (b, 10), (c, 10), (d, -1)] {
            order.rank(place, rank, 0).expect("ranks alone have no cycle");
        }
        assert!(order.is_before(b, a) && order.is_before(d, a) && order.is_before(d, c));
        assert!(!order.is_before(b, c) && !order.is_before(c, b));
        assert!(!order.is_before(free, a) && !order.is_before(a, free));
        // An order leads into the ranks.
        order.declare(a, free, 7).expect("there is no cycle");
        assert!(order.is_before(d, free));
        assert_eq!(order.sorted(), [d, b, c, a, free]);
    }
}
