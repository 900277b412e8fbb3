//! The future that initialises a cell needs its value.
//!
//! expect: init-cycle happened

use tokio::sync::OnceCell;

static NAMES: OnceCell<usize> = OnceCell::const_new();

async fn names() -> usize {
    *NAMES.get_or_init(|| async { Box::pin(names()).await + 1 }).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", names().await);
}
