//! A guard in the scrutinee of a `match` lives on in its arms.
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
        match mem::replace(&mut *self.state.lock().unwrap(), State::Done) { // found: double-lock
            State::Running(data) if data.is_empty() => self.reset(), // found: double-lock
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
