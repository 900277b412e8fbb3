// A closure that a guard is moved into lets go of the lock before it takes it again.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

struct Context {
    id: u32,
}

impl Context {
    fn with<F, R>(f: F) -> R
    where
        F: FnOnce(&Context) -> R,
    {
        let mut f = Some(f);
        let mut once = |context: &Context| (f.take().unwrap())(context);
        once(&Context { id: 1 })
    }
}

fn twice<R>(mut f: impl FnMut(u32) -> R) -> R {
    f(1);
    f(2)
}

struct Channel {
    waiting: Mutex<Vec<u32>>,
    sent: Mutex<u32>,
}

impl Channel {
    fn send(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        Context::with(|context| {
            waiting.push(context.id);
            drop(waiting);
            self.waiting.lock().unwrap().retain(|id| *id != context.id);
        });
    }
    fn send_here(&self) {
        let waiting = self.waiting.lock().unwrap();
        let finish = || {
            drop(waiting);
            self.waiting.lock().unwrap().clear();
        };
        finish();
    }
    fn send_if_any(&self, id: Option<u32>) {
        let waiting = self.waiting.lock().unwrap();
        id.map(|id| {
            drop(waiting);
            self.waiting.lock().unwrap().push(id);
        });
    }
    fn send_with_two(&self) {
        let sent = self.sent.lock().unwrap();
        let waiting = self.waiting.lock().unwrap();
        Context::with(move |context| {
            drop(waiting);
            self.waiting.lock().unwrap().push(context.id + *sent);
            drop(sent);
        });
    }
    fn send_twice(&self) {
        let mut slot = Some(self.waiting.lock().unwrap());
        twice(move |id| {
            drop(slot.take());
            self.waiting.lock().unwrap().push(id);
        });
    }
    fn send_nested(&self) {
        let waiting = self.waiting.lock().unwrap();
        Context::with(|outer| {
            Context::with(|inner| {
                drop(waiting);
                self.waiting.lock().unwrap().push(outer.id + inner.id);
            })
        });
    }
    fn send_and_catch(&self) {
        let waiting = self.waiting.lock().unwrap();
        let send = AssertUnwindSafe(|| {
            drop(waiting);
            self.waiting.lock().unwrap().clear();
        });
        catch_unwind(send).unwrap();
    }
    fn hand_over(&self) {
        let waiting = Some(self.waiting.lock().unwrap());
        waiting.map(|waiting| {
            drop(waiting);
            self.waiting.lock().unwrap().clear();
        });
    }
}

fn main() {
    let channel = Channel { waiting: Mutex::default(), sent: Mutex::default() };
    channel.send();
    channel.send_here();
    channel.send_if_any(Some(1));
    channel.send_with_two();
    channel.send_twice();
    channel.send_nested();
    channel.send_and_catch();
    channel.hand_over();
}
