//! What the classes of recorded locks are called, told apart from each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::trace::Class;
use crate::report::naming::{Syntax, short_type};

/// The names of a set of classes.
#[derive(Debug, Default)]
pub struct Names {
    names: BTreeMap<Arc<Class>, Name>,
}

/// What one class is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// By its source alone.
    pub plain: String,
    /// Told apart from other classes with the same plain name.
    pub unique: String,
    /// What it is known by whatever else there is: with the path to where it is created, and
    /// without a line where anything else tells it.
    pub key: String,
}

impl Names {
    /// Names all `classes`, which are told apart from each other.
    pub fn of(classes: &BTreeSet<Arc<Class>>, syntax: &Syntax<'_>) -> Names {
        let plain: Vec<(&Arc<Class>, String)> =
            classes.iter().map(|class| (class, plain(class, syntax))).collect();
        let mut namesakes: HashMap<&str, Vec<&Class>> = HashMap::new();
        for (class, name) in &plain {
            namesakes.entry(name).or_default().push(class);
        }
        let unique = |class: &Class, name: &str| {
            let all = &namesakes[name];
            let place = &class.created;
            let differs = |differ: fn(&Class, &Class) -> bool| {
                all.iter().all(|other| *other == class || differ(other, class))
            };
            if all.len() == 1 {
                name.to_owned()
            } else if differs(|a, b| a.kind != b.kind) {
                format!("{name} ({})", class.kind)
            } else if class.anonymous.is_some() {
                let position = all.iter().position(|other| *other == class).unwrap_or_default();
                format!("{name} ({})", position + 1)
            } else if *name == place.to_string() {
                format!("{name}:{}", place.column)
            } else if differs(|a, b| a.created.to_string() != b.created.to_string()) {
                format!("{name} ({place})")
            } else {
                format!("{name} ({place}:{})", place.column)
            }
        };
        let names = plain
            .iter()
            .map(|(class, plain)| {
                let unique = unique(class, plain);
                let key = key(class, plain, syntax);
                (Arc::clone(class), Name { plain: plain.clone(), unique, key })
            })
            .collect();
        Names { names }
    }

    /// The name of `class`; its place if it was not among those named.
    pub fn get(&self, class: &Class) -> Name {
        self.names.get(class).cloned().unwrap_or_else(|| {
            let place = class.created.to_string();
            Name { plain: place.clone(), unique: place.clone(), key: place }
        })
    }
}

fn plain(class: &Class, syntax: &Syntax<'_>) -> String {
    if let Some(declared) = &class.place {
        return declared.clone();
    }
    let place = &class.created;
    if class.anonymous.is_some() {
        // Its place is one in the standard library and says nothing.
        return format!("{}<{}>", class.kind, short_type(&class.ty));
    }
    syntax.created(place, &class.kind, &class.ty).unwrap_or_else(|| place.to_string())
}

fn key(class: &Class, plain: &str, syntax: &Syntax<'_>) -> String {
    let place = &class.created;
    if class.anonymous.is_some() {
        plain.to_owned()
    } else if *plain != place.to_string() {
        syntax.key(plain, place)
    } else {
        format!("{}::{}<{}>", syntax.path(place), class.kind, class.ty)
    }
}
