//! Tokens, each for something that is released when the value that holds it is dropped, and the places
//! that hold them.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::view::BodyView;
use crate::lint::mir::model::{Place, Step};
use crate::lint::summary::path::{Path, SavedLocal};

/// What holds tokens, itself or in its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// A local of the body.
    Local(u32),
    /// A local that a coroutine keeps over its suspensions.
    Saved(SavedLocal),
    /// No place: the value was forgotten, and is never dropped.
    Forgotten,
}

/// A token in a place. A stale one belongs to an object of an earlier round of a loop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) token: u32,
    holder: Holder,
    steps: Vec<u32>,
    pub(crate) stale: bool,
}

impl Held {
    /// A token in a field of a holder; no fields for the holder itself.
    pub(crate) fn new(token: u32, holder: Holder, steps: Vec<u32>) -> Held {
        Held { token, holder, steps, stale: false }
    }

    /// The fields of the holder that hold it; none for the holder itself.
    pub(crate) fn fields(&self) -> &[u32] {
        &self.steps
    }

    /// What holds it.
    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }
}

/// All tokens that may be alive at a point.
pub(crate) type State = BTreeSet<Held>;

/// What a call does to tokens, beside what its types say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transfer {
    /// The tokens that its result holds, with the field of the result.
    pub(crate) made: Vec<(u32, Vec<u32>)>,
    /// The arguments, by index and field, whose tokens the result holds; nothing if only the types
    /// tell.
    pub(crate) passed: Option<Vec<(u32, Vec<u32>)>>,
    /// The arguments, by index, and the fields behind their references, whose tokens it lets go of.
    pub(crate) released: Vec<(u32, Vec<u32>)>,
}

/// What the flow must know of the tokens.
pub(crate) struct Tokens<'t> {
    /// The objects that the tokens stand for.
    pub(crate) paths: &'t [Path],
    /// The tokens that are there from the beginning.
    pub(crate) initial: State,
    /// What each block's call does.
    pub(crate) transfers: &'t [Transfer],
    /// Whether a type's values can hold a token.
    pub(crate) owns: &'t dyn Fn(&str) -> bool,
}

/// The saved local of a coroutine that a place is the whole of.
pub(super) fn saved_as_whole(view: &BodyView<'_, '_>, place: &Place<'_>) -> Option<SavedLocal> {
    SavedLocal::of(place, view.coroutine()?).filter(|_| place.steps.len() == 3)
}

/// The holder and fields that a place is, behind the references made in this body.
pub(crate) fn key<'a>(view: &BodyView<'_, 'a>, place: &Place<'a>) -> (Holder, Vec<u32>) {
    let place = view.canonical(place);
    match view.coroutine().and_then(|coroutine| SavedLocal::of(&place, coroutine)) {
        Some(saved) => (Holder::Saved(saved), fields(&place.steps[3..])),
        None => (Holder::Local(place.local), fields(&place.steps)),
    }
}

pub(crate) fn fields(steps: &[Step<'_>]) -> Vec<u32> {
    let numbers = steps.iter().filter_map(|step| match step {
        Step::Field(number, _) => Some(*number),
        Step::Deref | Step::Variant(_) | Step::Index(_) => None,
    });
    numbers.collect()
}

/// The tokens that a place holds, as they stand in the state.
pub(crate) fn tokens_in<'a>(
    view: &BodyView<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &State,
    place: &Place<'a>,
) -> Vec<Held> {
    let (holder, steps) = key(view, place);
    let may_hold = OnceCell::new();
    let may_hold = || *may_hold.get_or_init(|| (tokens.owns)(view.type_of(place)));
    // The fields of two variants have the same numbers.
    let is_variants = place.steps.iter().any(|step| matches!(step, Step::Variant(_)));
    let found = state.iter().filter(|held| {
        held.holder == holder
            && (held.steps.starts_with(&steps) && (!is_variants || may_hold())
                || steps.starts_with(&held.steps) && may_hold())
    });
    found.cloned().collect()
}

/// Takes what a place holds out of the state.
pub(super) fn remove<'a>(
    view: &BodyView<'_, 'a>,
    tokens: &Tokens<'_>,
    state: &mut State,
    place: &Place<'a>,
) {
    if !state.is_empty() {
        for held in tokens_in(view, tokens, state, place) {
            state.remove(&held);
        }
    }
}
