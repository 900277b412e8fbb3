//! id: order-one-task
//! expect: lock-order needs-thread
//! note: one task alone shows both orders

use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let task = tokio::spawn(async {
        let a = Mutex::new(1);
        let b = Mutex::new(2);
        {
            let a = a.lock().await;
            *b.lock().await += *a;
        }
        let b = b.lock().await;
        *a.lock().await += *b;
    });
    task.await.unwrap();
}
