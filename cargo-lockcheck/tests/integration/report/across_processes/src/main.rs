use lockdep::sync::RwLock;
use lockdep::thread;

static CONFIG: RwLock<u32> = RwLock::new(0);
static CLIENTS: RwLock<u32> = RwLock::new(0);

fn reload() {
    let _config = CONFIG.write().unwrap();
    let _clients = CLIENTS.read().unwrap();
}

fn connect() {
    let _clients = CLIENTS.write().unwrap();
    let _config = CONFIG.read().unwrap();
}

fn main() {
    let (name, test): (&str, fn()) = match std::env::args().nth(1).as_deref() {
        Some("reload") => ("tests::reload_works", reload),
        _ => ("tests::clients_can_connect", connect),
    };
    thread::Builder::new().name(name.into()).spawn(test).unwrap().join().unwrap();
}
