//! A tree of widgets: layout goes down, invalidation goes up.
use std::sync::{Arc, Mutex, Weak};
use std::thread;

#[derive(Default)]
struct Widget {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    parent: Weak<Widget>,
    children: Vec<Arc<Widget>>,
    dirty: bool,
}

impl Widget {
    fn layout(&self) {
        let mut state = self.state.lock().unwrap();
        state.dirty = false;
        for child in &state.children {
            child.layout(); // found: same-class-nesting
        }
    }
    fn invalidate(&self) {
        let mut state = self.state.lock().unwrap();
        state.dirty = true;
        if let Some(parent) = state.parent.upgrade() {
            parent.invalidate(); // found: same-class-nesting
        }
    }
}

fn main() {
    let root = Arc::new(Widget::default());
    let leaf = Arc::new(Widget::default());
    leaf.state.lock().unwrap().parent = Arc::downgrade(&root);
    root.state.lock().unwrap().children.push(leaf.clone());
    let t = thread::spawn(move || leaf.invalidate());
    root.layout();
    t.join().unwrap();
}
