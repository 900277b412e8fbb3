//! A loop that answers a message by messages to itself, through a bounded channel.
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
enum Msg {
    Ping(u8),
    Tick,
    Quit,
}
struct Loop {
    inbox: Receiver<Msg>,
    me: SyncSender<Msg>,
    ticks: u32,
}
impl Loop {
    fn on(&mut self, msg: Msg) -> bool {
        match msg {
            Msg::Ping(n) => {
                for _ in 0..n {
                    self.ticks += 1;
                }
            }
            Msg::Tick => self.ticks += 1,
            Msg::Quit => return false,
        }
        true
    }
    fn run(mut self) -> u32 {
        while let Ok(msg) = self.inbox.recv() {
            if !self.on(msg) {
                break;
            }
        }
        drop(self.me);
        self.ticks
    }
}
fn main() {
    let (me, inbox) = sync_channel(4);
    let outside = me.clone();
    let t = std::thread::spawn(move || Loop { inbox, me, ticks: 0 }.run());
    outside.send(Msg::Ping(9)).unwrap();
    outside.send(Msg::Quit).unwrap();
    println!("{}", t.join().unwrap());
}
