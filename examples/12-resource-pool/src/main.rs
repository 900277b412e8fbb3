//! Jobs that need database connections and scratch memory, take them step by step, and must not
//! wait for each other for ever.
//!
//! Run it with `by-hand` to see the jobs stop where two counting semaphores would leave them; the
//! banker there only detects, so that the program ends. With `semaphores` nothing stops, today.

use std::sync::Barrier;
use std::thread;

use lockdep::banker::{Banker, BankerError, Resource};
use lockdep::sync::{PermitClaim, Semaphore};

/// What a job comes to need, at most.
struct Job {
    name: &'static str,
    connections: u64,
    memory: u64,
}

const JOBS: [Job; 3] = [
    Job { name: "import", connections: 3, memory: 60 },
    Job { name: "export", connections: 2, memory: 80 },
    Job { name: "report", connections: 2, memory: 40 },
];
const CONNECTIONS: (&str, u64) = ("connections", 4);
const MEMORY: (&str, u64) = ("memory [MiB]", 100);

fn main() {
    match std::env::args().nth(1).as_deref() {
        None => with_the_banker(),
        Some("by-hand") => by_hand(),
        Some("semaphores") => with_semaphores(),
        Some(other) => {
            eprintln!("no such way: `{other}`; give `by-hand`, `semaphores`, or nothing");
        }
    }
}

/// Each job says what it may come to need, and takes it in two steps.
fn with_the_banker() {
    let (banker, [connections, memory]) = Banker::new([CONNECTIONS, MEMORY]);
    thread::scope(|scope| {
        for job in &JOBS {
            let banker = &banker;
            scope.spawn(move || {
                for _ in 0..100 {
                    run(banker, job, connections, memory).expect("the claim is kept to");
                }
            });
        }
    });
    println!("300 jobs done; all is back:\n{}", banker.state());
}

fn run(
    banker: &Banker,
    job: &Job,
    connections: Resource,
    memory: Resource,
) -> Result<(), BankerError> {
    let most = [(connections, job.connections), (memory, job.memory)];
    let claim = banker.claim_named(job.name, &most)?;
    let _reading = claim.acquire(&[(connections, 1), (memory, job.memory / 2)])?;
    // Only now is it known how much there is to do.
    let rest = [(connections, job.connections - 1), (memory, job.memory - job.memory / 2)];
    let _writing = claim.acquire(&rest)?;
    Ok(())
}

/// Whatever is free is given: here, as much memory as two jobs need for their first step, so that
/// neither has enough for its second.
fn by_hand() {
    let (banker, [_, memory]) = Banker::detecting([CONNECTIONS, MEMORY]);
    let both_have_begun = Barrier::new(2);
    thread::scope(|scope| {
        for job in &JOBS[..2] {
            let (banker, both_have_begun) = (&banker, &both_have_begun);
            scope.spawn(move || {
                let task = banker.join(job.name);
                let _first = task.acquire(&[(memory, 50)]).expect("half of the memory is free");
                both_have_begun.wait();
                match task.acquire(&[(memory, job.memory - 50)]) {
                    Ok(_rest) => println!("{}: done", job.name),
                    Err(refused) => println!("{}: {refused}", job.name),
                }
            });
        }
    });
}

/// The memory as a semaphore, and what the jobs may come to need told to it. Both jobs are done after
/// their first step, today.
fn with_semaphores() {
    static BLOCKS: Semaphore = Semaphore::new(10);
    let both_have_begun = &Barrier::new(2);
    let job = move |most| {
        let _claim = PermitClaim::observe(&[(&BLOCKS, most)]).expect("there are ten");
        let _first = BLOCKS.acquire_many(5).expect("half of the blocks are free");
        both_have_begun.wait();
    };
    thread::scope(|scope| {
        let start = |name: &str| thread::Builder::new().name(name.to_owned());
        start("import").spawn_scoped(scope, move || job(6)).expect("a thread");
        while BLOCKS.available() == 10 {
            thread::yield_now();
        }
        start("export").spawn_scoped(scope, move || job(8)).expect("a thread");
    });
}
