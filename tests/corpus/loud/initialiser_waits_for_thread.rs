// The threads that an initialiser waits for are part of it.
use std::sync::LazyLock;
use std::thread;

static JOINED: LazyLock<u32> = LazyLock::new(|| {
    let worker = thread::spawn(|| *JOINED + 1); // found: init-cycle
    worker.join().unwrap()
});

static SCOPED: LazyLock<u32> = LazyLock::new(|| {
    thread::scope(|scope| {
        scope.spawn(|| println!("{}", *SCOPED)); // found: init-cycle
    });
    1
});

fn main() {
    println!("{} {}", *JOINED, *SCOPED);
}
