//! Two ledgers settled by scoped threads through one generic helper.
use std::ops::{AddAssign, SubAssign};
use std::sync::Mutex;

fn settle<N: Copy + AddAssign + SubAssign>(from: &Mutex<N>, to: &Mutex<N>, amount: N) {
    let mut source = from.lock().unwrap();
    let mut target = to.lock().unwrap();
    *source -= amount;
    *target += amount;
}

fn main() {
    let cash = Mutex::new(100i64);
    let credit = Mutex::new(0i64);
    std::thread::scope(|scope| {
        scope.spawn(|| settle(&cash, &credit, 5));
        scope.spawn(|| settle(&cash, &credit, -3));
    });
    println!("{:?} {:?}", cash, credit);
}
