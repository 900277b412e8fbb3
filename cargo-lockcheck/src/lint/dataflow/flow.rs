//! The control flow of a body: successors without unwinding, suspensions tied to their resumption.

use std::collections::{HashMap, HashSet};

use super::folded::fold;
use super::view::BodyView;
use crate::lint::graphs::components;
use crate::lint::mir::model::{Body, Operand, Place, Rvalue, StatementKind, Step, Terminator};

/// The control flow of a body.
#[derive(Debug)]
pub(crate) struct Flow {
    /// The successors of each block.
    pub(crate) next: Vec<Vec<u32>>,
    /// The blocks that suspend a coroutine.
    pub(crate) suspensions: HashSet<u32>,
    /// The number of the loop that a block is in; blocks of one cycle share it.
    pub(crate) cycle: Vec<Option<u32>>,
    /// The blocks that are never come to, because a condition is constant.
    pub(crate) dead: HashSet<u32>,
}

impl Flow {
    pub(crate) fn new(view: &BodyView<'_, '_>) -> Flow {
        let body = &view.function.body;
        let mut next: Vec<Vec<u32>> = body
            .blocks
            .iter()
            .map(|block| match block.cleanup {
                true => Vec::new(),
                false => block.terminator.targets().collect(),
            })
            .collect();
        let mut suspensions = HashSet::new();
        if let Some(state) = view.coroutine() {
            let mut resumes = HashMap::new();
            if let Terminator::Switch(Operand::Move(_) | Operand::Copy(_), cases, _) =
                &body.blocks[0].terminator
            {
                resumes.extend(cases.iter().filter(|case| case.0 >= 3).copied());
                next[0] = cases.iter().filter(|case| case.0 == 0).map(|case| case.1).collect();
            }
            for (at, block) in body.blocks.iter().enumerate() {
                let suspends =
                    block.statements.iter().find_map(|statement| match &statement.kind {
                        StatementKind::SetDiscriminant(place, number)
                            if place.local == state && place.steps == [Step::Deref] =>
                        {
                            Some(*number)
                        }
                        _ => None,
                    });
                if !block.cleanup
                    && matches!(block.terminator, Terminator::Return)
                    && let Some(target) = suspends.and_then(|number| resumes.get(&number))
                {
                    next[at] = vec![*target];
                    suspensions.insert(at as u32);
                }
            }
        }
        let dead = fold(view, &mut next);
        let cycle = cycles(&next);
        Flow { next, suspensions, cycle, dead }
    }

    /// The blocks of this number's loop, or outside of all, that lead out of it, other than where the program ends.
    pub(crate) fn ways_out<'s>(
        &'s self,
        body: &'s Body<'_>,
        cycle: Option<u32>,
    ) -> impl Iterator<Item = u32> + 's {
        let leads_on = |at: u32| !matches!(body.blocks[at as usize].terminator, Terminator::Stop);
        let leads_out = move |to: &u32| self.cycle[*to as usize] != cycle && leads_on(*to);
        (0..body.blocks.len() as u32)
            .filter(move |at| self.cycle[*at as usize] == cycle)
            .filter(move |at| self.next[*at as usize].iter().any(leads_out))
    }

    /// Whether one block leads to another, or is it, by a way around some.
    pub(crate) fn leads(&self, from: u32, to: u32, around: &[u32]) -> bool {
        let mut seen = HashSet::new();
        let mut work = vec![from];
        while let Some(at) = work.pop() {
            if around.contains(&at) || !seen.insert(at) {
                continue;
            }
            if at == to {
                return true;
            }
            work.extend(&self.next[at as usize]);
        }
        false
    }
}

/// The strongly connected components of more than one block, or of a block that follows itself.
fn cycles(next: &[Vec<u32>]) -> Vec<Option<u32>> {
    let mut result = vec![None; next.len()];
    for (number, component) in components(next).into_iter().enumerate() {
        let is_cycle =
            component.len() > 1 || component.iter().any(|at| next[*at].contains(&(*at as u32)));
        for at in component {
            result[at] = is_cycle.then_some(number as u32);
        }
    }
    result
}

/// The value that a switch looks at: the variant of a place, or whether a local is true.
pub(crate) enum Condition<'b, 'a> {
    /// The variant of a place.
    Variant(&'b Place<'a>),
    /// A boolean or number.
    Value,
}

/// What the switch at the end of a block looks at.
pub(crate) fn condition<'b, 'a>(
    view: &'b BodyView<'_, 'a>,
    block: u32,
) -> Option<Condition<'b, 'a>> {
    let block = &view.function.body.blocks[block as usize];
    let Terminator::Switch(value, ..) = &block.terminator else { return None };
    let place = value.place()?;
    let variant = block.statements.iter().rev().find_map(|statement| match &statement.kind {
        StatementKind::Assign(dest, Rvalue::Discriminant(of)) if dest == place => Some(of),
        _ => None,
    });
    Some(variant.map_or(Condition::Value, Condition::Variant))
}
