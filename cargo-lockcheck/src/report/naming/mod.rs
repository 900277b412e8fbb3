//! What locks, functions and findings are called.
//!
//! A lock is called by what it is created in: `Bank.accounts` for a field, `REGISTRY` for a static,
//! `queue` for a variable. That is read from the source; where the source is gone, is not Rust any more,
//! or says nothing (the lock is an argument), the lock is called `src/bank.rs:10`. So is a lock of a
//! dependency, whatever its source says: its name must not depend on which machine makes the report.
//! A name that the program has declared for a lock comes before all of that, where the lock is recorded.

mod creation;
mod declared;
mod function;
mod home;
mod identity;
mod paths;
mod taken;
mod tests_of;

pub use home::Home;
pub use identity::{canonical, identify, number_namesakes};
pub use paths::{short_function, short_type};

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use creation::Created;
use declared::Declared;
use function::Scope;
use proc_macro2::TokenStream;
use rayon::prelude::*;

use super::model::Place;
use super::sources::Sources;

/// The parsed source files of a workspace, each parsed once.
pub struct Syntax<'a> {
    sources: &'a Sources,
    files: RefCell<HashMap<String, Option<Rc<syn::File>>>>,
    tokens: RefCell<HashMap<String, Option<TokenStream>>>,
    scopes: RefCell<HashMap<Place, Option<Scope>>>,
    declared: RefCell<HashMap<String, Rc<Vec<Declared>>>>,
}

impl<'a> Syntax<'a> {
    /// Parses files of `sources` when they are asked for.
    pub fn new(sources: &'a Sources) -> Syntax<'a> {
        Syntax {
            sources,
            files: RefCell::default(),
            tokens: RefCell::default(),
            scopes: RefCell::default(),
            declared: RefCell::default(),
        }
    }

    /// Looks around many places at once, on all processors, before one asks for each.
    pub fn look_around(&self, places: impl Iterator<Item = Place>) {
        let mut by_file: HashMap<String, BTreeSet<Place>> = HashMap::new();
        for place in places {
            by_file.entry(place.file.clone()).or_default().insert(place);
        }
        let sources = self.sources;
        let found: Vec<_> = by_file
            .into_par_iter()
            .flat_map_iter(|(file, places)| {
                // Tokens stay with the thread that has read them.
                let tokens = tokens(sources, &file);
                let scope = move |place| {
                    let scope = tokens.clone().map(|tokens| function::around(tokens, &place));
                    (place, scope)
                };
                places.into_iter().map(scope)
            })
            .collect();
        self.scopes.borrow_mut().extend(found);
    }

    /// The function around `place`, as `Type::function`, if it is in the workspace's own source.
    pub fn function(&self, place: &Place) -> Option<String> {
        self.scope(place)?.function
    }

    /// What the lock of this name, which is declared or created at `place`, is known by: a field by
    /// its type, whichever function makes it, a static or a variable by where it is.
    pub fn key(&self, name: &str, place: &Place) -> String {
        let is_field = name.starts_with(char::is_uppercase) && name.contains('.');
        match self.scope(place) {
            Some(scope) if is_field => format!("{}::{}{name}", place.file, scope.modules),
            // What is neither in a function nor a field is alone with its name, if it has a path.
            Some(scope) if scope.path.is_empty() && name.starts_with(char::is_lowercase) => {
                format!("{place}::{name}")
            }
            Some(scope) => format!("{}::{}{}{name}", place.file, scope.modules, scope.path),
            None => format!("{}::{name}", place.file),
        }
    }

    /// The way to the function around `place`, which does not change when lines move; the place
    /// itself where there is no function, or nobody knows.
    pub fn path(&self, place: &Place) -> String {
        match self.scope(place) {
            Some(scope) if !scope.path.is_empty() => {
                format!("{}::{}{}", place.file, scope.modules, scope.path)
            }
            _ => place.to_string(),
        }
    }

    /// What a lock of this kind and type is called that is created at `place`: by the field, static or
    /// variable that it is put into. Nothing where the source does not tell.
    pub fn created(&self, place: &Place, kind: &str, ty: &str) -> Option<String> {
        self.said(place, kind, ty).name()
    }

    fn said(&self, place: &Place, kind: &str, ty: &str) -> Created {
        let file = self.file(&place.file);
        file.map_or(Created::Unsaid, |file| creation::created(&file, place, kind, ty))
    }

    fn declared(&self, file: &str) -> Rc<Vec<Declared>> {
        if let Some(known) = self.declared.borrow().get(file) {
            return Rc::clone(known);
        }
        let declared = self.file(file).map(|parsed| declared::declared(&parsed, file));
        let declared = Rc::new(declared.unwrap_or_default());
        self.declared.borrow_mut().insert(file.to_owned(), Rc::clone(&declared));
        declared
    }

    /// Whether `place` is in a test of the workspace's own, or in a module that is compiled for tests alone.
    pub fn is_in_test(&self, place: &Place) -> bool {
        self.file(&place.file).is_some_and(|file| tests_of::is_in_test(&file, place))
    }

    /// The test of the workspace's own that `place` is in, with the modules of its file.
    pub fn test_around(&self, place: &Place) -> Option<String> {
        tests_of::test_around(&*self.file(&place.file)?, place)
    }

    fn scope(&self, place: &Place) -> Option<Scope> {
        if let Some(known) = self.scopes.borrow().get(place) {
            return known.clone();
        }
        let mut files = self.tokens.borrow_mut();
        let tokens =
            files.entry(place.file.clone()).or_insert_with_key(|file| tokens(self.sources, file));
        let scope = tokens.clone().map(|tokens| function::around(tokens, place));
        self.scopes.borrow_mut().insert(place.clone(), scope.clone());
        scope
    }

    fn file(&self, file: &str) -> Option<Rc<syn::File>> {
        if let Some(known) = self.files.borrow().get(file) {
            return known.clone();
        }
        let text = own_text(self.sources, file);
        let parsed = text.and_then(|text| syn::parse_file(&text).ok()).map(Rc::new);
        self.files.borrow_mut().insert(file.to_owned(), parsed.clone());
        parsed
    }
}

/// The tokens of a file of the workspace's own.
fn tokens(sources: &Sources, file: &str) -> Option<TokenStream> {
    let text = own_text(sources, file)?;
    let mut text = text.trim_start_matches('\u{feff}');
    // `#!/usr/bin/env …` is no Rust; `#![…]` is.
    if text.starts_with("#!") && !text[2..].trim_start().starts_with('[') {
        text = text.find('\n').map_or("", |end| &text[end..]);
    }
    text.parse().ok()
}

fn own_text(sources: &Sources, file: &str) -> Option<Arc<str>> {
    sources.is_own(file).then(|| sources.text(file)).flatten()
}
