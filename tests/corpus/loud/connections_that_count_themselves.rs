//! Connections that are dropped under the lock of the gauge which counts them.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
struct Gauge {
    open: Mutex<i64>,
}
struct Conn {
    gauge: Arc<Gauge>,
}
impl Conn {
    fn new(gauge: &Arc<Gauge>) -> Conn {
        *gauge.open.lock().unwrap() += 1;
        Conn { gauge: gauge.clone() }
    }
}
impl Drop for Conn {
    fn drop(&mut self) {
        *self.gauge.open.lock().unwrap() -= 1;
    }
}
struct Server {
    conns: RwLock<HashMap<u32, Conn>>,
    gauge: Arc<Gauge>,
}
impl Server {
    fn accept(&self, id: u32) {
        let conn = Conn::new(&self.gauge);
        let old = self.conns.write().unwrap().insert(id, conn);
        drop(old);
    }
    fn report(&self) -> i64 {
        let open = self.gauge.open.lock().unwrap();
        if *open > 100 {
            self.conns.write().unwrap().clear(); // found: drop-under-lock
        }
        *open
    }
}
fn main() {
    let server =
        Server { conns: RwLock::default(), gauge: Arc::new(Gauge { open: Mutex::new(0) }) };
    server.accept(1);
    println!("{}", server.report());
}
