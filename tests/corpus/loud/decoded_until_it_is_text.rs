//! Decodes a frame, and tries the same bytes again where they are no text.
use std::str;

struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    fn text(&self) -> &str {
        let mut attempts = Vec::new();
        loop {
            match str::from_utf8(&self.bytes) { // found: spin-no-progress
                Ok(text) => return text,
                Err(error) => {
                    attempts.push(error);
                    eprintln!("retrying");
                }
            }
        }
    }
}

fn main() {
    println!("{}", Frame { bytes: vec![0xff] }.text());
}
