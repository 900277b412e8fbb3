//! One compiled target as a part of the program: its bodies, each with the `impl` that it is in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Function, Unit, in_words, top};
use crate::lint::mir::model::{Body, BodyKind, MirCrate, Span};
use crate::lint::mir::types;
use crate::lint::source::{ImplHeader, Sources};

/// A compiled target of a member of the workspace.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// What the paths of its items begin with: its crate's name where others can name them, else
    /// something that no path begins with.
    pub(crate) prefix: String,
    /// Whether other crates can call its functions.
    pub(crate) is_library: bool,
    /// Where relative paths of its spans begin.
    pub(crate) root: PathBuf,
    /// Its source files.
    pub(crate) files: Vec<String>,
    /// Its bodies.
    pub(crate) mir: MirCrate<'a>,
    /// The crates that it calls by other names than their own, by those names.
    pub(crate) renamed: HashMap<String, String>,
}

/// A target with its bodies.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(super) unit: Unit<'a>,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) skipped: u64,
}

impl<'a> Part<'a> {
    /// What one target is by itself.
    pub(crate) fn new(target: Target<'a>) -> Part<'a> {
        let tops = target.mir.bodies.iter().filter_map(|body| top(body.name)).collect();
        let sources = Sources::new(&target.root, &target.files);
        let unit = Unit {
            prefix: target.prefix,
            is_library: target.is_library,
            sources,
            statics: target.mir.statics,
            numbers: target.mir.numbers,
            tops,
            fields: target.mir.fields,
            renamed: target.renamed,
        };
        let mut headers = HashMap::new();
        let functions = target.mir.bodies.into_iter().map(|body| {
            let mut function = place(&unit, body, &mut headers);
            if function.body.kind == BodyKind::Fn {
                function.display = in_words(&function);
            }
            function
        });
        let functions = functions.collect();
        Part { unit, functions, skipped: target.mir.skipped }
    }
}

/// Finds the `impl` that a body is in.
fn place<'a>(
    unit: &Unit<'a>,
    body: Body<'a>,
    headers: &mut HashMap<&'a str, ImplHeader>,
) -> Function<'a> {
    let name = body.name;
    let plain = |body| Function {
        unit: 0,
        display: name.to_owned(),
        body,
        trait_name: None,
        self_ty: None,
    };
    if body.kind != BodyKind::Fn {
        return plain(body);
    }
    let Some(at) = name.find("<impl at ") else { return plain(body) };
    let module = &name[..at];
    let Some((span, rest)) = name[at + "<impl at ".len()..].split_once(">::") else {
        return plain(body);
    };
    let header = headers.entry(span).or_insert_with(|| {
        let header = unit.sources.impl_header(Span(span));
        let original = |name: String| {
            unit.sources.name_before_renaming(Span(span).file(), &name).unwrap_or(name)
        };
        ImplHeader {
            trait_name: header.trait_name.map(original),
            self_name: header.self_name.map(original),
        }
    });
    let self_path = self_path(&body, module, header.self_name.as_deref());
    let short = self_path.as_deref().map_or("?", types::last);
    let display = match &header.trait_name {
        Some(trait_name) => format!("<{short} as {trait_name}>::{rest}"),
        None => format!("{short}::{rest}"),
    };
    Function {
        unit: 0,
        display,
        body,
        trait_name: header.trait_name.clone(),
        self_ty: self_path.map(|path| Arc::from(unit.global(&path))),
    }
}

/// The path of the type whose `impl` a body belongs to.
fn self_path(body: &Body<'_>, module: &str, name: Option<&str>) -> Option<String> {
    let receiver = body
        .names
        .iter()
        .any(|(name, place)| *name == "self" && place.local == 1 && place.steps.is_empty())
        .then(|| body.locals[1].ty);
    let Some(name) = name else {
        // A derive or a macro: the receiver says the type, else what is returned.
        let ty = receiver.or_else(|| body.locals.get(1).filter(|_| body.params > 0).map(|l| l.ty));
        return Some(types::head(ty.unwrap_or(body.locals[0].ty)).to_owned());
    };
    // The name in the header may be imported: prefer the path that the body's own types give it.
    let mentioned = receiver.into_iter().chain(body.locals.iter().map(|local| local.ty));
    for ty in mentioned {
        let mut rest = ty;
        while let Some(at) = rest.find(name) {
            let before = &rest[..at];
            let after = &rest[at + name.len()..];
            let begins = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                || after.starts_with("::<");
            if begins && ends {
                let path = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
                let from =
                    path.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
                return Some(format!("{}{name}", &before[from..]));
            }
            rest = after;
        }
    }
    Some(format!("{module}{name}"))
}
