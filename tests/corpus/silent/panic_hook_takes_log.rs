//! The cured form of `loud/panic_hook_takes_log.rs`: a function calls its closure for each line
//! under the lock that the closure takes.
use std::sync::Mutex;

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn write(line: &str) {
    LOG.lock().unwrap_or_else(|e| e.into_inner()).push(line.to_owned());
}

fn each(mut f: impl FnMut(&str)) {
    let log = LOG.lock().unwrap_or_else(|e| e.into_inner());
    let log = {
        let lines = log.clone();
        drop(log);
        lines
    };
    for line in log.iter() {
        f(line);
    }
}

fn main() {
    write("a");
    each(|line| write(&line.to_uppercase()));
}
