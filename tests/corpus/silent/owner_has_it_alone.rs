//! The cured form of `loud/owner_has_it_alone.rs`: one side has the owner of the locks for itself.
use std::sync::Mutex;

#[derive(Default)]
pub struct Graph {
    nodes: Mutex<Vec<u32>>,
    edges: Mutex<Vec<(u32, u32)>>,
}

impl Graph {
    pub fn connect(&self, a: u32, b: u32) {
        let nodes = self.nodes.lock().unwrap();
        if nodes.contains(&a) && nodes.contains(&b) {
            self.edges.lock().unwrap().push((a, b));
        }
    }

    pub fn prune(&mut self) {
        let edges = self.edges.lock().unwrap();
        let mut nodes = self.nodes.lock().unwrap();
        nodes.retain(|n| edges.iter().any(|(a, b)| a == n || b == n));
    }
}

fn main() {
    let mut graph = Graph::default();
    graph.connect(1, 2);
    graph.prune();
}
