//! A tree of widgets: layout goes down, and invalidation lets each widget go before its parent.
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
        let children = {
            let mut state = self.state.lock().unwrap();
            state.dirty = false;
            state.children.clone()
        };
        for child in &children {
            child.layout();
        }
    }
    fn invalidate(&self) {
        let parent = {
            let mut state = self.state.lock().unwrap();
            state.dirty = true;
            state.parent.upgrade()
        };
        if let Some(parent) = parent {
            parent.invalidate();
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
