//! Reads a port from standard input, again and again until one is given.
use std::io::BufRead;

fn port(input: &mut dyn BufRead) -> std::io::Result<u16> {
    let mut text = String::new();
    loop {
        text.clear();
        if input.read_line(&mut text)? == 0 {
            return Ok(80);
        }
        match text.trim().parse::<u16>() {
            Ok(port) => return Ok(port),
            Err(e) => eprintln!("bad port {text}: {e}"),
        }
    }
}

fn main() {
    println!("{:?}", port(&mut std::io::stdin().lock()));
}
