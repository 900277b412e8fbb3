//! What traces have in common, each as one object: places, classes, stacks and their frames.
//!
//! Processes of one program tell of the same ones. Where each is one object, the same order of two traces is
//! told by looking at addresses.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::HashSet;

use super::{Class, Stack};
use crate::report::model::Place;

/// What was read so far that other traces may have as well, each as one object.
#[derive(Debug, Default)]
pub struct Shared {
    places: HashSet<Arc<Place>>,
    classes: HashSet<Arc<Class>>,
    frames: HashSet<Arc<str>>,
    stacks: HashSet<OfFrames>,
}

/// A stack whose frames are each one object, so that it is told from others by their addresses.
#[derive(Debug)]
struct OfFrames(Stack);

impl OfFrames {
    fn addresses(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().map(|frame| frame.as_ptr() as usize)
    }
}

impl PartialEq for OfFrames {
    fn eq(&self, other: &OfFrames) -> bool {
        self.addresses().eq(other.addresses())
    }
}

impl Eq for OfFrames {}

impl Hash for OfFrames {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.addresses().for_each(|address| state.write_usize(address));
    }
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
        let stack = OfFrames(frames.into());
        if let Some(OfFrames(known)) = self.stacks.get(&stack) {
            return Arc::clone(known);
        }
        let new = Arc::clone(&stack.0);
        self.stacks.insert(stack);
        new
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
