//! A thread waits for a message while it has the only sender.
//!
//! expect: stuck-wait happened

use tokio::sync::mpsc;

fn main() {
    let (sender, mut receiver) = mpsc::channel::<u32>(1);
    let received = receiver.blocking_recv();
    drop((sender, received));
}
