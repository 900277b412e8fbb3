//! The order graph of the locks, for programs that draw graphs (`dot`) or read them (GraphML).

use std::borrow::Cow;
use std::io::{self, Write};

use petgraph::dot::{Config, Dot};
use petgraph::graph::{EdgeReference, NodeIndex};
use petgraph_graphml::GraphMl;

use crate::report::graph::{MarkedLock, MarkedOrder};
use crate::report::model::Report;

/// For Graphviz: locks of a cycle, and its links, in red.
pub(super) fn dot(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let graph = report.order_graph.marked();
    let red = |is_in_cycle: bool| if is_in_cycle { ", color=\"#c0392b\", penwidth=2" } else { "" };
    let order = |_, edge: EdgeReference<'_, MarkedOrder<'_>>| {
        let MarkedOrder { order, is_in_cycle } = edge.weight();
        let tip = format!("{} then {}", order.from_site, order.to_site);
        let ways = if order.ways > 1 { format!(", label={}", order.ways) } else { String::new() };
        format!("tooltip={}{ways}{}", quoted(&tip), red(*is_in_cycle))
    };
    let lock = |_, (_, MarkedLock { lock, cycle }): (NodeIndex, &MarkedLock<'_>)| {
        let label = match &lock.kind {
            Some(kind) => format!("{}\n{kind}", lock.name),
            None => lock.name.clone(),
        };
        let tip = lock.created.as_ref().map_or(String::new(), ToString::to_string);
        format!("label={}, tooltip={}{}", quoted(&label), quoted(&tip), red(cycle.is_some()))
    };
    let config = [Config::NodeNoLabel, Config::EdgeNoLabel, Config::GraphContentOnly];
    let graph = graph.map(|_, lock| *lock, |_, order| *order);
    let content = Dot::with_attr_getters(&graph, &config, &order, &lock);
    writeln!(
        out,
        "digraph \"lock order\" {{\n    node [shape=box, style=rounded, fontname=\"sans-serif\"]\n    \
         edge [fontname=\"sans-serif\"]\n{content:?}}}"
    )
}

/// A string of the language of Graphviz.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A value of GraphML by its key.
type Datum<'a> = (Cow<'static, str>, Cow<'a, str>);

/// In GraphML, with all that is known of locks and orders as data.
pub(super) fn graphml(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let graph = report.order_graph.marked().map_owned(
        |_, MarkedLock { lock, cycle }| {
            let data = [
                ("name", Some(lock.name.clone())),
                ("kind", lock.kind.clone()),
                ("created", lock.created.as_ref().map(ToString::to_string)),
                ("cycle", cycle.map(|cycle| cycle.to_string())),
            ];
            data.into_iter().filter_map(|(key, value)| Some((key, value?))).collect::<Vec<_>>()
        },
        |_, MarkedOrder { order, .. }| {
            let ways = order.ways.to_string();
            [
                ("held_at", order.from_site.to_string()),
                ("asked_at", order.to_site.to_string()),
                ("ways", ways),
            ]
        },
    );
    let written = GraphMl::new(&graph)
        .pretty_print(true)
        .export_node_weights(Box::new(|data| data.iter().map(datum).collect()))
        .export_edge_weights(Box::new(|data| data.iter().map(datum).collect()));
    written.to_writer(&mut *out)?;
    writeln!(out)
}

fn datum<'a>((key, value): &'a (&'static str, String)) -> Datum<'a> {
    ((*key).into(), value.as_str().into())
}
