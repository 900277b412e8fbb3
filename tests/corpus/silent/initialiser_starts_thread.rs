// An initialiser that only starts a thread, or only keeps a closure, which uses the value later: the
// thread waits for the value, and nothing waits for the thread.
use std::sync::{LazyLock, Mutex, OnceLock};
use std::thread;

static SEEN: LazyLock<Mutex<Vec<u32>>> = LazyLock::new(|| {
    thread::spawn(|| SEEN.lock().unwrap().clear());
    Mutex::new(Vec::new())
});

type Step = Box<dyn Fn() -> usize + Send + Sync>;

static STEPS: LazyLock<Vec<Step>> = LazyLock::new(|| vec![Box::new(|| STEPS.len())]);

static CLOCK: OnceLock<u32> = OnceLock::new();

fn clock() -> u32 {
    *CLOCK.get_or_init(|| {
        thread::spawn(|| println!("{}", clock()));
        1
    })
}

struct Pair {
    first: OnceLock<u32>,
    second: OnceLock<u32>,
}

static PAIR: Pair = Pair { first: OnceLock::new(), second: OnceLock::new() };

fn second() -> u32 {
    *PAIR.second.get_or_init(|| 2)
}

fn first() -> u32 {
    *PAIR.first.get_or_init(|| second() + 1)
}

fn main() {
    SEEN.lock().unwrap().push(first() + clock());
    println!("{}", STEPS[0]());
}
