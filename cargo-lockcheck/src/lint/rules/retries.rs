//! `spin-no-progress`: a loop that asks the same question of the same values until it likes the answer.
//!
//! Only questions whose answer depends on nothing else are looked at, and only loops that a failure never
//! leads out of.

use lockdep::finding::Rule;

use super::report::{finding, site};
use crate::lint::dataflow::attempts::is_made_until_it_succeeds;
use crate::lint::dataflow::fixed::is_asked_the_same;
use crate::lint::dataflow::flow::Flow;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::location_of;
use crate::lint::mir::types;
use crate::report::model::Finding;

pub(super) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        if !analysis.cycle.iter().any(Option::is_some) {
            continue;
        }
        let view = analyzed.view(id);
        let graph = Flow::new(&view);
        for (at, call) in view.function.body.calls() {
            let can_fail = matches!(types::short(view.type_of(&call.dest)), "Result" | "Option");
            if graph.cycle[at as usize].is_none()
                || !can_fail
                || !is_made_until_it_succeeds(&view, &graph, at)
                || !is_asked_the_same(&view, &graph, at)
            {
                continue;
            }
            let name = call.callee().map_or("", |callee| types::last(&callee.path));
            let message = format!(
                "`{}` calls `{name}` until it succeeds, with nothing changed in between: once it has failed, \
                 it fails for ever",
                view.function.display
            );
            let sites = vec![site(&location_of(&view, at), "each round asks the same here")];
            let mut found = finding(Rule::SpinNoProgress, message, Vec::new(), sites);
            found.help.push(
                "return the error, or change what is asked before it is asked again".to_owned(),
            );
            findings.push(found);
        }
    }
}
