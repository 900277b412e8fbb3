//! One side has the owner of the locks for itself.
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
            self.edges.lock().unwrap().push((a, b)); // found: lock-order
        }
    }

    pub fn prune(&self) {
        let edges = self.edges.lock().unwrap();
        let mut nodes = self.nodes.lock().unwrap(); // found: lock-order
        nodes.retain(|n| edges.iter().any(|(a, b)| a == n || b == n));
    }
}

fn main() {
    let graph = Graph::default();
    graph.connect(1, 2);
    graph.prune();
}
