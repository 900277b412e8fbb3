//! Decodes a frame, and cuts off what is no text.
use std::str;

struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    fn text(&mut self) -> String {
        loop {
            match str::from_utf8(&self.bytes) {
                Ok(text) => return text.to_string(),
                Err(error) => {
                    let valid = error.valid_up_to();
                    self.bytes.truncate(valid);
                    eprintln!("retrying");
                }
            }
        }
    }
}

fn main() {
    println!("{}", Frame { bytes: vec![0xff] }.text());
}
