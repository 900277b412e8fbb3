//! The cured form of `loud/logger_that_formats_under_lock.rs`: what is formatted into a log
//! under its lock writes to the log itself.
use std::fmt::{self, Write};
use std::sync::Mutex;

static SINK: Mutex<String> = Mutex::new(String::new());

fn log(arguments: fmt::Arguments<'_>) {
    SINK.lock().unwrap().write_fmt(arguments).unwrap();
}

struct Device {
    errors: u32,
}

impl Device {
    fn status(&self) -> &'static str {
        if self.errors > 0 {
            log(format_args!("{} errors\n", self.errors));
            return "bad";
        }
        "good"
    }
}

fn report(device: &Device) {
    let status = device.status();
    let mut sink = SINK.lock().unwrap();
    writeln!(sink, "status {status}").unwrap();
}

fn main() {
    report(&Device { errors: 1 });
}
