//! Two lazily made parts of one application that need each other.
use std::sync::OnceLock;

#[derive(Default)]
struct App {
    fonts: OnceLock<Vec<String>>,
    theme: OnceLock<String>,
}

impl App {
    fn fonts(&self) -> &Vec<String> {
        self.fonts.get_or_init(|| vec![format!("{}-sans", self.theme())]) // found: init-cycle
    }
    fn theme(&self) -> &String {
        self.theme.get_or_init(|| self.fonts().first().cloned().unwrap_or_default()) // found: init-cycle
    }
}

fn main() {
    println!("{}", App::default().theme());
}
