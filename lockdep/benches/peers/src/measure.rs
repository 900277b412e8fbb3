//! Measuring side by side: the contenders take turns in short batches, so that whatever else the
//! machine does befalls all of them.

use std::time::{Duration, Instant};

/// Runs an operation that many times and returns how long that took.
pub type Batch = Box<dyn FnMut(u32) -> Duration>;

/// What one contender showed.
#[derive(Clone, Copy)]
pub struct Figure {
    /// Nanoseconds for one operation: of all turns the one that only a quarter beat.
    pub ns: f64,
    /// The ratio to the first contender.
    pub ratio: f64,
}

const TURNS: usize = 41;
/// Long enough for a batch to warm up the caches that the one before has cooled.
const BATCH: Duration = Duration::from_millis(2);

/// A batch that calls `operation`.
pub fn repeat(mut operation: impl FnMut() + 'static) -> Batch {
    Box::new(move |times| {
        let start = Instant::now();
        for _ in 0..times {
            operation();
        }
        start.elapsed()
    })
}

/// Measures the contenders, of which the first is the reference.
pub fn compare(mut batches: Vec<Batch>) -> Vec<Figure> {
    let times: Vec<u32> = batches.iter_mut().map(calibrate).collect();
    let mut turns = vec![Vec::with_capacity(TURNS); batches.len()];
    for _ in 0..TURNS {
        for ((batch, &times), turns) in batches.iter_mut().zip(&times).zip(&mut turns) {
            turns.push(batch(times).as_nanos() as f64 / f64::from(times));
        }
    }
    let ns: Vec<f64> = turns.into_iter().map(quartile).collect();
    ns.iter().map(|&one| Figure { ns: one, ratio: one / ns[0] }).collect()
}

/// How many operations fill a batch; calling it is the warm-up too.
fn calibrate(batch: &mut Batch) -> u32 {
    let mut times = 8;
    while batch(times) < BATCH / 2 && times < 1 << 24 {
        times *= 2;
    }
    times
}

/// The lower one: other work on the machine makes turns longer, and nothing makes them shorter.
fn quartile(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 4]
}
