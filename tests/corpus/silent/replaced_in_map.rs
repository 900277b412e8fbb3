//! The cured form of `loud/replaced_in_map.rs`: what a map held before is dropped under the
//! lock that its `Drop` takes.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Hub {
    peers: Mutex<HashMap<String, Peer>>,
    gone: Mutex<Vec<String>>,
}

struct Peer {
    name: String,
    hub: Arc<Hub>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let known = self.hub.peers.lock().unwrap().len();
        self.hub.gone.lock().unwrap().push(format!("{} of {known}", self.name));
    }
}

fn join(hub: &Arc<Hub>, name: &str) {
    let peer = Peer { name: name.to_owned(), hub: hub.clone() };
    let old = {
        let mut peers = hub.peers.lock().unwrap();
        peers.insert(name.to_owned(), peer)
    };
    drop(old);
}

fn main() {
    let hub = Arc::new(Hub::default());
    join(&hub, "ann");
    join(&hub, "ann");
}
