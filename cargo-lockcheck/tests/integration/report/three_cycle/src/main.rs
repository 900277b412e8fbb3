use lockdep::sync::Mutex;
use lockdep::thread;

static ORDERS: Mutex<u32> = Mutex::new(0);
static STOCK: Mutex<u32> = Mutex::new(0);
static PRICES: Mutex<u32> = Mutex::new(0);

fn ship() {
    let _orders = ORDERS.lock().unwrap();
    let _stock = STOCK.lock().unwrap();
}

fn refill() {
    let _stock = STOCK.lock().unwrap();
    let _prices = PRICES.lock().unwrap();
}

fn reprice() {
    let _prices = PRICES.lock().unwrap();
    let _orders = ORDERS.lock().unwrap();
}

fn main() {
    let jobs: [(&str, fn()); 3] = [("shipping", ship), ("refill", refill), ("pricing", reprice)];
    for (name, job) in jobs {
        let thread = thread::Builder::new().name(name.into()).spawn(job).unwrap();
        while !thread.is_finished() {
            thread::yield_now();
        }
    }
}
