//! A double-buffered frame: simulation writes, the renderer reads.
use std::sync::{Arc, RwLock};
use std::thread;

struct Frame {
    tick: u64,
    sprites: Vec<(i32, i32)>,
}

fn main() {
    let frames: Arc<[RwLock<Frame>; 2]> = Arc::new([
        RwLock::new(Frame { tick: 0, sprites: Vec::new() }),
        RwLock::new(Frame { tick: 0, sprites: Vec::new() }),
    ]);
    let for_sim = Arc::clone(&frames);
    let simulation = thread::spawn(move || {
        for tick in 0..60 {
            let mut front = for_sim[0].write().unwrap();
            let mut back = for_sim[1].write().unwrap();
            back.tick = tick;
            back.sprites.push((tick as i32, 0));
            front.tick = back.tick;
            front.sprites.clone_from(&back.sprites);
        }
    });
    loop {
        let front = frames[0].read().unwrap();
        if front.tick >= 59 {
            break;
        }
        let back = frames[1].read().unwrap();
        println!("{} of {}", front.sprites.len(), back.sprites.len());
    }
    simulation.join().unwrap();
}
