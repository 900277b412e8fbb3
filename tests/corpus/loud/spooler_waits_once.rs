//! A print spooler that waits for paper once.
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct Tray {
    sheets: u32,
    jams: u32,
}

#[derive(Default)]
struct Printer {
    tray: Mutex<Tray>,
    refilled: Condvar,
}

impl Printer {
    fn refill(&self, sheets: u32) {
        let mut tray = self.tray.lock().unwrap();
        tray.sheets += sheets;
        self.refilled.notify_all();
    }
    fn print(&self) -> Result<u32, u32> {
        let tray = self.tray.lock().unwrap();
        let mut tray = match tray.sheets {
            0 => self.refilled.wait(tray).unwrap(), // found: condvar-no-loop
            _ => tray,
        };
        if tray.jams > 0 {
            return Err(tray.jams);
        }
        tray.sheets -= 1;
        Ok(tray.sheets)
    }
}

fn main() {
    let printer = Arc::new(Printer::default());
    let jobs: Vec<_> = (0..2)
        .map(|_| {
            let printer = Arc::clone(&printer);
            thread::spawn(move || printer.print())
        })
        .collect();
    printer.refill(1);
    printer.refill(1);
    for j in jobs {
        println!("{:?}", j.join().unwrap());
    }
}
