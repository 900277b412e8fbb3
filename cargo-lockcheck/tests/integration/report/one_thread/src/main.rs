use lockdep::sync::{Condvar, Mutex, OnceLock};

static A: Mutex<u32> = Mutex::new(0);
static B: OnceLock<Mutex<u32>> = OnceLock::new();

fn b() -> &'static Mutex<u32> {
    B.get_or_init(|| Mutex::new(0))
}

fn main() {
    let (a, second) = (A.lock().unwrap(), b().lock().unwrap());
    drop((a, second));
    let second = b().lock().unwrap();
    let a = A.lock().unwrap();
    drop((a, second));
    std::mem::forget(A.lock().unwrap());
    let _ = Condvar::new();
}
