//! The field or static that a lock lives in, where the place of its creation does not say that.
//!
//! One expression may make the locks of several fields: that of `#[derive(Default)]`, of a function that
//! returns a lock, of a constant, of a dependency that reads a value. The place where a lock is taken tells
//! them apart, with the declaration that it means. Where nobody knows, nothing is said.

use super::Syntax;
use super::creation::{Created, is_exactly, is_of_kind};
use super::declared::Declared;
use super::taken::{Taken, taken};
use crate::report::model::Place;

/// Kinds of locks and of what threads wait for, as types are written.
const KINDS: &[&str] = &["Mutex", "RwLock", "Condvar", "Barrier", "Once", "OnceLock", "LazyLock"];

/// Where a lock lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// `Shop.orders`, or the name of a static.
    pub name: String,
    /// Where that is declared.
    pub declared: Place,
}

impl Syntax<'_> {
    /// Where the lock of this kind and type lives that is created at `created` and taken at `site`; nothing
    /// where its creation says that, or nobody knows.
    pub fn home(&self, created: &Place, kind: &str, ty: &str, site: &Place) -> Option<Home> {
        let said = self.said(created, kind, ty);
        if matches!(said, Created::As(_)) {
            return None;
        }
        let taken = taken(&*self.file(&site.file)?, site)?;
        let is_it = |declared: &Declared| may_be(declared, &taken, kind);
        let near = || {
            let files = [&created.file, &site.file];
            files.into_iter().flat_map(|file| self.declared(file).to_vec())
        };
        let found = match &said {
            Created::OneOf { owner, fields } => {
                let is_one = |declared: &Declared| {
                    declared.owner.as_ref() == Some(owner) && fields.contains(&declared.name)
                };
                self.declared(&created.file)
                    .iter()
                    .find(|known| is_one(known) && is_it(known))
                    .cloned()
            }
            _ => the_one(near().filter(is_it).collect(), kind, ty).or_else(|| {
                let files = self.sources.of_the_same_crate(&site.file);
                let all = files.iter().flat_map(|file| self.declared(file).to_vec());
                the_one(all.filter(is_it).collect(), kind, ty)
            }),
        };
        if let Some(Declared { owner, name, place, .. }) = found {
            let name = owner.map_or(name.clone(), |owner| format!("{owner}.{name}"));
            return Some(Home { name, declared: place });
        }
        // The type of a macro is declared nowhere.
        match (taken, said) {
            (Taken::Field { owner: Some(owner), name }, Created::Unsaid)
                if self.sources.is_own(&created.file)
                    && !near().any(|known| known.owner.as_ref() == Some(&owner)) =>
            {
                Some(Home { name: format!("{owner}.{name}"), declared: created.clone() })
            }
            _ => None,
        }
    }

    /// Whether all that is known of a lock by its creation is that it is one of several fields.
    pub fn is_one_of_several(&self, created: &Place, kind: &str, ty: &str) -> bool {
        matches!(self.said(created, kind, ty), Created::OneOf { .. })
    }
}

/// Whether this is what a lock of `kind` is taken from.
fn may_be(declared: &Declared, taken: &Taken, kind: &str) -> bool {
    let is_named = match taken {
        Taken::Field { owner: Some(owner), name } => {
            declared.owner.as_ref() == Some(owner) && declared.name == *name
        }
        Taken::Field { owner: None, name } => declared.owner.is_some() && declared.name == *name,
        Taken::Static(name) => declared.owner.is_none() && declared.name == *name,
    };
    // `Shared<T>` may be anything; what is written as another kind is not this one.
    let is_other = || KINDS.iter().any(|other| is_of_kind(&declared.ty, other));
    is_named && (is_of_kind(&declared.ty, kind) || !is_other())
}

/// The only one, or the only one whose type fits best.
fn the_one(mut found: Vec<Declared>, kind: &str, ty: &str) -> Option<Declared> {
    found.sort();
    found.dedup();
    let better: [&dyn Fn(&Declared) -> bool; 2] =
        [&|declared| is_of_kind(&declared.ty, kind), &|declared| {
            is_exactly(&declared.ty, kind, ty)
        }];
    for is_better in better {
        if found.len() > 1 && found.iter().any(is_better) {
            found.retain(is_better);
        }
    }
    if found.len() == 1 { found.pop() } else { None }
}
