//! Reads a port from a setting, again and again.
use std::collections::HashMap;

fn port(settings: &HashMap<String, String>) -> u16 {
    let text = &settings["port"];
    loop {
        match text.parse::<u16>() { // found: spin-no-progress
            Ok(port) => return port,
            Err(e) => eprintln!("bad port {text}: {e}"),
        }
    }
}

fn main() {
    let settings = HashMap::from([("port".to_string(), "80x".to_string())]);
    println!("{}", port(&settings));
}
