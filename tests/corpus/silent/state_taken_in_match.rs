//! The cured form of `loud/state_taken_in_match.rs`: a guard in the scrutinee of a `match`
//! lives on in its arms.
use std::mem;
use std::sync::Mutex;

enum State {
    Idle,
    Running(Vec<u8>),
    Done,
}

pub struct Machine {
    state: Mutex<State>,
}

impl Machine {
    pub fn step(&self) {
        let state = mem::replace(&mut *self.state.lock().unwrap(), State::Done);
        match state {
            State::Running(data) if data.is_empty() => self.reset(),
            State::Running(data) => println!("{}", data.len()),
            State::Idle | State::Done => {}
        }
    }

    fn reset(&self) {
        *self.state.lock().unwrap() = State::Idle;
    }
}

fn main() {
    let machine = Machine { state: Mutex::new(State::Running(vec![])) };
    machine.step();
}
