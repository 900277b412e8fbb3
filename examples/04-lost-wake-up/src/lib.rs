//! A gate that can be waited for too late.

use std::sync::{Condvar, Mutex};

/// Opens once.
#[derive(Default)]
pub struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// Opens the gate and wakes who waits for it.
    pub fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    /// Waits for the gate to be opened, without a look at whether it is open already.
    pub fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait(open).unwrap());
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::Gate;

    #[test]
    fn the_gate_can_be_passed() {
        let gate = Gate::default();
        thread::scope(|scope| {
            let porter = thread::Builder::new().name("porter".to_owned());
            let opening = porter.spawn_scoped(scope, || gate.open()).unwrap();
            // A quick porter, made certain.
            opening.join().unwrap();
            gate.pass();
        });
    }
}
