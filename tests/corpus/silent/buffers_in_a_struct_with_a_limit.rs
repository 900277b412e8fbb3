//! Two buffers that a capture loop and a flusher exchange.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

mod frame {
    #[derive(Debug, Clone)]
    pub struct Frame {
        pub number: u64,
        pub payload: Vec<u8>,
    }
    impl Frame {
        pub fn new(number: u64) -> Self {
            Frame { number, payload: vec![0; 16] }
        }
    }
    #[derive(Default, Debug)]
    pub struct Stats {
        pub moved: usize,
    }
}
use frame::{Frame, Stats};

/// Moves everything from one buffer to the end of the other.
fn drain_into(from: &Mutex<VecDeque<Frame>>, to: &Mutex<VecDeque<Frame>>) -> usize {
    let mut source = from.lock().unwrap();
    let mut target = to.lock().unwrap();
    let n = source.len();
    target.extend(source.drain(..));
    n
}

struct Flusher {
    pending: Arc<Mutex<VecDeque<Frame>>>,
    spare: Arc<Mutex<VecDeque<Frame>>>,
    rounds: usize,
}

impl Flusher {
    fn run(self) -> Stats {
        let mut stats = Stats::default();
        for _ in 0..self.rounds {
            stats.moved += drain_into(&self.pending, &self.spare);
            thread::sleep(Duration::from_millis(1));
        }
        stats
    }
}

fn main() {
    let pending = Arc::new(Mutex::new(VecDeque::new()));
    let spare = Arc::new(Mutex::new(VecDeque::with_capacity(64)));
    let flusher = Flusher { pending: pending.clone(), spare: Arc::clone(&spare), rounds: 10 };
    let handle =
        thread::Builder::new().name("flusher".into()).spawn(move || flusher.run()).expect("spawn");
    for n in 0..100u64 {
        pending.lock().unwrap().push_back(Frame::new(n));
        if n % 10 == 0 {
            // The flusher fell behind: take back what it has.
            let back: Vec<Frame> = spare.lock().unwrap().drain(..).collect();
            pending.lock().unwrap().extend(back);
        }
    }
    let stats = handle.join().unwrap();
    println!("{} moved", stats.moved);
}
