//! A blob service over a trait object; the index is shared by the service and its backend.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

type Index = Arc<Mutex<HashMap<String, usize>>>;

trait Backend: Send + Sync {
    fn put(&self, key: &str, data: &[u8]);
}

struct Disk {
    index: Index,
    bytes: Mutex<Vec<u8>>,
}

impl Backend for Disk {
    fn put(&self, key: &str, data: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap();
        self.index.lock().unwrap().insert(key.into(), bytes.len());
        bytes.extend_from_slice(data);
    }
}

struct Service {
    index: Index,
    backend: Box<dyn Backend>,
}

impl Service {
    fn new() -> Self {
        let index = Index::default();
        let backend = Box::new(Disk { index: index.clone(), bytes: Mutex::default() });
        Service { index, backend }
    }
    fn upload(&self, key: &str, data: &[u8]) {
        let known = self.index.lock().unwrap().contains_key(key);
        if !known {
            self.backend.put(key, data);
        }
    }
}

fn main() {
    Service::new().upload("a", b"abc");
}
