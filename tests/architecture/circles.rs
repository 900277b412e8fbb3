//! Whether the files of a room use each other in small circles only.

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::layers::Place;
use super::module_tree::ModuleTree;
use super::references::Reference;

/// Most files that may use each other in a circle.
const MOST: usize = 2;

/// The circles within rooms of a folder that are too long.
pub(crate) fn check(tree: &ModuleTree, folder: &str, references: &[Reference]) -> Vec<String> {
    let path = |file: usize| tree.files[file].path.as_str();
    let mut graph: DiGraphMap<usize, ()> = DiGraphMap::new();
    for reference in references.iter().filter(|reference| !reference.is_passed_on) {
        let (from, to) = (reference.from, reference.to);
        if let (Place::Room(room), Place::Room(other)) =
            (Place::of(path(from), folder), Place::of(path(to), folder))
            && room == other
        {
            graph.add_edge(from, to, ());
        }
    }
    let mut wrong: Vec<String> = tarjan_scc(&graph)
        .into_iter()
        .filter(|circle| circle.len() > MOST)
        .map(|circle| {
            let mut files: Vec<String> =
                circle.into_iter().map(|file| format!("{}/{}", tree.shown, path(file))).collect();
            files.sort();
            let last = files.pop().unwrap_or_default();
            format!(
                "{} and {last} use each other in a circle: at most two files may",
                files.join(", ")
            )
        })
        .collect();
    wrong.sort();
    wrong
}
