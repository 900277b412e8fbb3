//! The cured form of `loud/callback_with_argument.rs`: a closure locks or not, as the argument
//! says with which it is called.
use std::sync::Mutex;

pub struct Ui {
    widgets: Mutex<Vec<String>>,
}

fn notify(deferred: bool, action: impl FnOnce(bool)) {
    action(deferred)
}

impl Ui {
    pub fn add(&self, name: &str) {
        let mut widgets = self.widgets.lock().unwrap();
        widgets.push(name.to_owned());
        let redraw = |deferred: bool| {
            if !deferred {
                println!("{}", self.widgets.lock().unwrap().len());
            }
        };
        notify(true, redraw);
    }
}

fn main() {
    Ui { widgets: Mutex::default() }.add("button");
}
