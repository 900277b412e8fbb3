//! Which object a place is, as a root and a path of parts: the same for all its aliases.
//!
//! What cannot be looked through is a root of its own, equal to nothing else.

use std::sync::Arc;

use crate::lint::mir::model::{Place, Step};

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Root {
    /// What a parameter refers to.
    Param(u32),
    /// A static or constant, by its path in the program.
    Static(Arc<str>),
    /// A local.
    Local(u32),
    /// What the call that ends a block returned.
    Call(u32),
    /// What a statement of a block puts together.
    Aggregate(u32, u32),
    /// A local that a coroutine keeps over its suspensions.
    Saved(SavedLocal),
    /// Something that only its fields tell about.
    Unknown,
}

/// A local that a coroutine keeps over its suspensions: a field of one of the states between them.
/// The compiler gives a local one such field, so two of these are two locals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SavedLocal {
    /// The number of the state, `3` of `variant#3`.
    state: u32,
    /// The number of the field in it.
    field: u32,
}

impl SavedLocal {
    /// The saved local that a place is or leads through, of a coroutine whose state is at `coroutine`.
    pub(crate) fn of(place: &Place<'_>, coroutine: u32) -> Option<SavedLocal> {
        match place.steps.as_slice() {
            [Step::Deref, Step::Variant(name), Step::Field(field, _), ..]
                if place.local == coroutine =>
            {
                let state = name.strip_prefix("variant#")?.parse().ok()?;
                Some(SavedLocal { state, field: *field })
            }
            _ => None,
        }
    }
}

/// Which element of a collection a body means. Two equal ones of one path are one element until the
/// body comes again to where it is picked, except that any two of `Any` may be two elements. All but a
/// constant number say something in their own body alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Pick {
    /// Some element.
    Any,
    /// The one that the call at the end of a block has given.
    Call(u32),
    /// The one whose number is in a local.
    Number(u32),
    /// The one of this number.
    Constant(u64),
    /// The one of this number from the end, where the last has number one.
    FromEnd(u64),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part {
    /// To a field of a type of the program; a tuple's or closure's has no type.
    Field {
        /// The type's path.
        owner: Option<Arc<str>>,
        /// The variant, for an enum.
        variant: Arc<str>,
        /// The field's number.
        index: u32,
    },
    /// To an element of a collection.
    Element(Pick),
    /// To what a lock protects.
    Protected,
}

/// An object: a root, and the fields to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) parts: Vec<Part>,
}

impl Path {
    pub(crate) fn new(root: Root) -> Path {
        Path { root, parts: Vec::new() }
    }

    pub(crate) fn with(mut self, part: Part) -> Path {
        // A path that grows without end comes from a recursive type; its class says nothing new.
        if self.parts.len() < 24 {
            self.parts.push(part);
        }
        self
    }

    /// Whether two equal paths are one object at one time: no element of a collection is on it but
    /// by a constant number.
    pub(crate) fn is_single(&self) -> bool {
        let is_open =
            |part: &Part| matches!(part, Part::Element(pick) if !matches!(pick, Pick::Constant(_)));
        self.root != Root::Unknown && !self.parts.iter().any(is_open)
    }

    /// Whether two equal paths of one body are one object, as long as nothing on it is picked anew.
    pub(crate) fn is_picked(&self) -> bool {
        self.root != Root::Unknown && !self.parts.contains(&Part::Element(Pick::Any))
    }

    /// The last field of a type of the program on it.
    pub(crate) fn last_field(&self) -> Option<&Part> {
        self.parts.iter().rev().find(|part| matches!(part, Part::Field { owner: Some(_), .. }))
    }

    /// Whether a pick is on it.
    pub(crate) fn has(&self, pick: &Pick) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Element(known) if known == pick))
    }

    /// What a call has cloned: it stays the same when another takes its place in the collection.
    pub(crate) fn kept(mut self, block: u32) -> Path {
        for part in &mut self.parts {
            if let Part::Element(pick @ (Pick::Number(_) | Pick::Constant(_) | Pick::FromEnd(_))) =
                part
            {
                *pick = Pick::Call(block);
            }
        }
        self
    }

    /// The path as other bodies know it: with any elements, but for those of constant numbers.
    pub(crate) fn erased(&self) -> Path {
        let parts = self.parts.iter().map(|part| match part {
            Part::Element(pick) if !matches!(pick, Pick::Constant(_)) => Part::Element(Pick::Any),
            part => part.clone(),
        });
        Path { root: self.root.clone(), parts: parts.collect() }
    }
}
