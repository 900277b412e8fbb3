//! All bodies with what is held where, callees before callers.
//!
//! Bodies that call each other in a circle are analysed until what they tell each other no longer
//! changes, for a few rounds; what a longer round would add is not seen.

use std::collections::HashSet;

use rayon::prelude::*;

use super::analyze::analyze;
use super::events::Analysis;
use crate::lint::dataflow::view::BodyView;
use crate::lint::program::call_graph::{callees, levels};
use crate::lint::program::{BodyId, Program};
use crate::lint::summary::{Summaries, Summary};

/// The program with its bodies' summaries and analyses.
pub(crate) struct Analyzed<'p, 'a> {
    pub(crate) program: &'p Program<'a>,
    pub(crate) summaries: Vec<Option<Summary>>,
    pub(crate) analyses: Vec<Analysis>,
    callees: Vec<Vec<u32>>,
    /// The bodies that may run each body.
    pub(crate) callers: Vec<Vec<u32>>,
}

impl<'p, 'a> Analyzed<'p, 'a> {
    /// Analyses all bodies.
    pub(crate) fn new(program: &'p Program<'a>) -> Analyzed<'p, 'a> {
        let count = program.functions.len();
        let mut summaries: Vec<Option<Summary>> = vec![None; count];
        let mut analyses: Vec<Analysis> = Vec::new();
        analyses.resize_with(count, Analysis::default);
        let callees: Vec<Vec<u32>> =
            (0..count).into_par_iter().map(|id| callees(program, id)).collect();
        for level in levels(&callees) {
            let known = Summaries { callees: &callees, known: &summaries };
            let done: Vec<_> =
                level.single.par_iter().map(|&id| (id, analyze(program, id, known))).collect();
            for (id, (analysis, summary)) in done {
                analyses[id] = analysis;
                summaries[id] = Some(summary);
            }
            for component in level.circles {
                for _ in 0..ROUNDS {
                    let mut changed = false;
                    for &id in &component {
                        let (analysis, summary) = analyze(
                            program,
                            id,
                            Summaries { callees: &callees, known: &summaries },
                        );
                        analyses[id] = analysis;
                        if summaries[id].as_ref() != Some(&summary) {
                            summaries[id] = Some(summary);
                            changed = true;
                        }
                    }
                    if !changed {
                        break;
                    }
                }
            }
        }
        let mut callers = vec![Vec::new(); count];
        for (id, callees) in callees.iter().enumerate() {
            callees.iter().for_each(|callee| callers[*callee as usize].push(id as u32));
        }
        Analyzed { program, summaries, analyses, callees, callers }
    }

    /// A body and all that it leads to by calls, drops and constants.
    pub(crate) fn reached_from(&self, id: BodyId) -> HashSet<BodyId> {
        let mut seen = HashSet::new();
        let mut work = vec![id];
        while let Some(at) = work.pop() {
            if seen.insert(at) {
                work.extend(self.callees[at].iter().map(|callee| *callee as usize));
            }
        }
        seen
    }

    /// A view to look at a body with.
    pub(crate) fn view(&self, id: BodyId) -> BodyView<'_, 'a> {
        let summaries = Summaries { callees: &self.callees, known: &self.summaries };
        BodyView::new(self.program, id, summaries)
    }
}

/// How often bodies that call each other in a circle are analysed.
const ROUNDS: usize = 4;
