//! What traces have in common, each as one object: places, classes, stacks and their frames.
//!
//! Processes of one program tell of the same ones. Where each is one object, the same order of two traces is
//! told by looking at addresses.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::{Class, Stack};
use crate::report::model::Place;

/// What was read so far that other traces may have as well, each as one object.
#[derive(Debug, Default)]
pub struct Shared {
    places: HashSet<Arc<Place>>,
    classes: HashSet<Arc<Class>>,
    frames: HashSet<Arc<str>>,
    /// By the addresses of their frames, each of which is one object.
    stacks: HashMap<Box<[usize]>, Stack>,
}

impl Shared {
    pub(crate) fn place(&mut self, place: Place) -> Arc<Place> {
        one(&mut self.places, place)
    }

    pub(crate) fn class(&mut self, class: Class) -> Arc<Class> {
        one(&mut self.classes, class)
    }

    pub(crate) fn frame(&mut self, frame: String) -> Arc<str> {
        one(&mut self.frames, frame)
    }

    /// `frames` are innermost first, each given out by [`Shared::frame`].
    pub(crate) fn stack(&mut self, frames: Vec<Arc<str>>) -> Stack {
        let key: Vec<usize> = frames.iter().map(|frame| frame.as_ptr() as usize).collect();
        if let Some(known) = self.stacks.get(&*key) {
            return Arc::clone(known);
        }
        let stack = Stack::from(frames);
        self.stacks.insert(key.into(), Arc::clone(&stack));
        stack
    }
}

/// The one of `all` that is the same as `new`.
fn one<T, N>(all: &mut HashSet<Arc<T>>, new: N) -> Arc<T>
where
    T: Eq + Hash + ?Sized,
    N: Borrow<T> + Into<Arc<T>>,
{
    if let Some(known) = all.get(new.borrow()) {
        return Arc::clone(known);
    }
    let new = new.into();
    all.insert(Arc::clone(&new));
    new
}
