//! id: guard-mapped
//! expect: none
//! note: mapped and downgraded guards end their holds

use tokio::sync::{Mutex, MutexGuard, RwLock, RwLockWriteGuard};

#[tokio::main]
async fn main() {
    let m = Mutex::new((1, 2));
    for _ in 0..2 {
        let mut one = MutexGuard::map(m.lock().await, |pair| &mut pair.0);
        *one += 1;
    }
    let r = RwLock::new((1, 2));
    {
        let write = r.write().await;
        let read = RwLockWriteGuard::downgrade(write);
        assert_eq!(*read, (1, 2));
    }
    let one = RwLockWriteGuard::map(r.write().await, |pair| &mut pair.0);
    assert_eq!(*one, 1);
    drop(one);
    assert_eq!((*m.lock().await, r.read().await.0), ((3, 2), 1));
}
