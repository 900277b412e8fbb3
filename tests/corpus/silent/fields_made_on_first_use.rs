//! Two lazily made parts of one application, one of which needs the other.
use std::sync::OnceLock;

#[derive(Default)]
struct App {
    fonts: OnceLock<Vec<String>>,
    theme: OnceLock<String>,
}

impl App {
    fn fonts(&self) -> &Vec<String> {
        self.fonts.get_or_init(|| vec![format!("{}-sans", self.theme())])
    }
    fn theme(&self) -> &String {
        self.theme.get_or_init(|| String::from("dark"))
    }
}

fn main() {
    println!("{}", App::default().fonts()[0]);
}
