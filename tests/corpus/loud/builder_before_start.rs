//! A node is set up before its thread is started, or after.
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

struct Node {
    peers: Mutex<Vec<u32>>,
    log: Mutex<Vec<String>>,
}

impl Node {
    fn connect(&self, peer: u32) {
        let mut log = self.log.lock().unwrap();
        log.push(format!("connect {peer}"));
        self.peers.lock().unwrap().push(peer); // found: lock-order
    }
    fn gossip(&self) {
        let peers = self.peers.lock().unwrap();
        for peer in peers.iter() {
            self.log.lock().unwrap().push(format!("to {peer}")); // found: lock-order
        }
    }
}

fn start(node: &Arc<Node>) -> JoinHandle<()> {
    let node = Arc::clone(node);
    thread::spawn(move || node.gossip())
}

fn main() {
    let node = Arc::new(Node { peers: Mutex::default(), log: Mutex::default() });
    let gossip = start(&node);
    node.connect(1);
    gossip.join().unwrap();
}
