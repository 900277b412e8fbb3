//! What dropping a value does: the `Drop` of its type, and of what it owns.

use std::sync::Arc;

use super::instantiate::{Argument, Planner};
use crate::lint::apis::moves::drops_content;
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::Place;
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::program::call_graph::DROP_DEPTH;
use crate::lint::summary::path::{Part, Path, Pick};

impl<'a> Planner<'_, '_, 'a> {
    /// The `Drop` of a value and of what it owns.
    pub(super) fn drop(&mut self, place: &Place<'a>) {
        let view = self.view;
        if !view.program.has_drops() {
            return;
        }
        let ty = view.type_of(place);
        let mut found = Vec::new();
        drop_bodies(view, ty, view.place(place), &mut found, DROP_DEPTH);
        for (id, path, ty) in found {
            self.body(
                id,
                &|number| match number {
                    1 => path.clone().into(),
                    _ => Argument::unknown(),
                },
                false,
                Some(&ty),
            );
        }
    }
}

/// The bodies that dropping a value of a type runs, with the objects they run on.
fn drop_bodies(
    view: &BodyView<'_, '_>,
    ty: &str,
    path: Path,
    found: &mut Vec<(BodyId, Path, Arc<str>)>,
    depth: u32,
) {
    // The last handle of a shared value may be any one: nothing is certain about it.
    if depth == 0
        || types::is_reference(ty)
        || !drops_content(ty)
        || view.program.locks.is_guard(types::head(ty))
    {
        return;
    }
    if let Some(id) = view.program.drop_of(view.function.unit, ty) {
        found.push((id, path, Arc::from(types::short(ty))));
        return;
    }
    if types::is_library(ty) || ty.starts_with(['(', '[']) {
        for argument in types::arguments(ty) {
            let mut inner = path.clone();
            inner.parts.push(Part::Element(Pick::Any));
            drop_bodies(view, argument, inner, found, depth - 1);
        }
    }
}
