//! A stage that waits for a reply under the state which the other stage takes before it replies.
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Default)]
struct State {
    sent: u32,
    acknowledged: u32,
}

struct Client {
    state: Arc<Mutex<State>>,
    requests: Sender<u32>,
    replies: Receiver<u32>,
}

impl Client {
    fn call(&self, n: u32) -> u32 {
        let mut state = self.state.lock().unwrap();
        state.sent += 1;
        self.requests.send(n).unwrap();
        self.replies.recv().unwrap() // found: guard-across-blocking
    }
}

fn serve(state: Arc<Mutex<State>>, requests: Receiver<u32>, replies: Sender<u32>) {
    for n in requests {
        state.lock().unwrap().acknowledged += 1;
        replies.send(n * 2).unwrap();
    }
}

fn main() {
    let state = Arc::new(Mutex::new(State::default()));
    let (requests, incoming) = channel();
    let (outgoing, replies) = channel();
    let theirs = state.clone();
    let t = thread::spawn(move || serve(theirs, incoming, outgoing));
    let client = Client { state, requests, replies };
    println!("{}", client.call(4));
    drop(client);
    t.join().unwrap();
}
