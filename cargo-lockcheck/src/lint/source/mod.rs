//! The source behind the MIR: what the compiler's text refers to by place but does not spell out.
//!
//! An `impl` is printed as the place of its header, and a field as its number. Both are read from
//! the source: the header's text, and the struct or enum of the type's name, found by a scan and
//! parsed on its own with `syn`. A name that is not found costs a name in a message, nothing more.

mod bounds;
mod macros;
pub(crate) mod modules;
pub(crate) mod tokens;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::lint::mir::callee::at_top_level;
use crate::lint::mir::model::Span;
use crate::lint::mir::types;
use crate::report::model::Place;
use modules::Module;

/// The source files of one compiled crate target.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    root: PathBuf,
    files: Mutex<HashMap<String, Option<Arc<SourceFile>>>>,
    items: HashMap<String, Vec<(String, usize)>>,
    /// What other names for types stand for; nothing for one that stands for several.
    aliases: HashMap<String, Option<String>>,
    types: Mutex<HashMap<String, Option<Arc<TypeItem>>>>,
    /// The file that the crate begins with.
    first: Option<String>,
    modules: Mutex<HashMap<String, Option<Arc<Module>>>>,
}

/// A file's text with the offsets of its lines.
#[derive(Debug)]
pub(crate) struct SourceFile {
    text: String,
    lines: Vec<usize>,
    /// The modules around its types, once they are asked for.
    modules: OnceLock<HashMap<usize, Vec<String>>>,
    /// The macros that it defines, once they are asked for.
    macros: OnceLock<Vec<macros::Definition>>,
}

impl SourceFile {
    fn new(text: String) -> SourceFile {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        SourceFile { text, lines, modules: OnceLock::new(), macros: OnceLock::new() }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A line, counted from one.
    pub(crate) fn line(&self, line: u32) -> Option<&str> {
        let index = line.checked_sub(1)? as usize;
        let begin = *self.lines.get(index)?;
        let end = self.lines.get(index + 1).map_or(self.text.len(), |next| next - 1);
        self.text.get(begin..end.max(begin))
    }

    /// The modules of the file around the type that is declared at an offset.
    fn modules(&self, at: usize) -> Option<&[String]> {
        self.modules.get_or_init(|| tokens::modules(&self.text)).get(&at).map(Vec::as_slice)
    }

    fn macros(&self) -> &[macros::Definition] {
        self.macros.get_or_init(|| macros::definitions(&self.text))
    }

    /// The line and column of a byte, both counted from one.
    fn position(&self, at: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|begin| *begin <= at).max(1);
        let begin = self.lines[line - 1];
        let column = self.text.get(begin..at).map_or(0, |before| before.chars().count());
        (line as u32, column as u32 + 1)
    }

    /// The byte offset of a line and column, both counted from one.
    fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let text = self.line(line)?;
        let begin = self.lines[line as usize - 1];
        let within = text.char_indices().nth(column.checked_sub(1)? as usize);
        Some(begin + within.map_or(text.len(), |found| found.0))
    }
}

/// What the header of an `impl` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImplHeader {
    /// The last segment of the trait's path, unless it is an inherent `impl`.
    pub(crate) trait_name: Option<String>,
    /// The last segment of the type's path, unless a macro writes it.
    pub(crate) self_name: Option<String>,
}

/// A struct's fields, or an enum's variants with theirs.
#[derive(Debug)]
pub(crate) struct TypeItem {
    /// The variants; a struct is one without a name.
    pub(crate) variants: Vec<(String, Vec<Field>)>,
    /// Whether a variant is given a number of its own.
    pub(crate) is_numbered: bool,
    /// The names of its type parameters.
    pub(crate) parameters: Vec<String>,
}

/// A field as the source has it.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name or number.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: String,
    /// Whether it is there only under some conditions (`#[cfg(…)]`).
    pub(crate) is_conditional: bool,
}

impl TypeItem {
    /// The fields of a variant, or of the struct.
    pub(crate) fn fields(&self, variant: &str) -> &[Field] {
        let found = self.variants.iter().find(|(name, _)| name == variant);
        found.or_else(|| self.variants.first()).map_or(&[], |(_, fields)| fields)
    }

    /// A field by its number, unless fields up to it may not be there, which shifts the numbers.
    pub(crate) fn field(&self, variant: &str, index: u32) -> Option<&Field> {
        let fields = self.fields(variant);
        let before = fields.get(..=index as usize)?;
        if before.iter().any(|field| field.is_conditional) { None } else { before.last() }
    }
}

impl Sources {
    /// The sources of a crate target, by paths relative to `root` or absolute.
    pub(crate) fn new(root: &Path, files: &[String]) -> Sources {
        let first = files.first().cloned();
        let mut sources = Sources { root: root.to_owned(), first, ..Sources::default() };
        for name in files {
            let Some(file) = sources.file(name) else { continue };
            for (item, at) in type_items(&file.text) {
                sources.items.entry(item.to_owned()).or_default().push((name.clone(), at));
            }
            for (alias, ty) in type_aliases(&file.text) {
                let known = sources.aliases.entry(alias).or_insert_with(|| Some(ty.clone()));
                known.take_if(|known| *known != ty);
            }
        }
        sources
    }

    /// A file, if it can be read.
    pub(crate) fn file(&self, name: &str) -> Option<Arc<SourceFile>> {
        if let Some(known) = locked(&self.files).get(name) {
            return known.clone();
        }
        let read = fs::read_to_string(self.root.join(name)).ok();
        let file = read.map(|text| Arc::new(SourceFile::new(text)));
        locked(&self.files).insert(name.to_owned(), file.clone());
        file
    }

    /// What a type is called that the source may call by another name (`type Shared = Arc<Mutex<u8>>`).
    pub(crate) fn without_alias(&self, ty: String) -> String {
        let mut ty = ty;
        for _ in 0..ALIASES {
            match self.aliases.get(types::short(&ty)) {
                Some(Some(other)) => ty.clone_from(other),
                _ => break,
            }
        }
        ty
    }

    /// The module that the crate is.
    pub(crate) fn root(&self) -> Option<Arc<Module>> {
        self.module(std::slice::from_ref(self.first.as_ref()?))
    }

    /// The module that the first of these files is that can be read.
    pub(crate) fn module(&self, files: &[String]) -> Option<Arc<Module>> {
        let name = files.iter().find(|name| self.file(name).is_some())?;
        if let Some(known) = locked(&self.modules).get(name) {
            return known.clone();
        }
        let module = Module::of_file(name, self.file(name)?.text()).map(Arc::new);
        locked(&self.modules).insert(name.clone(), module.clone());
        module
    }

    /// What an item is called where it is defined that a file uses by another name (`use x as name`).
    pub(crate) fn name_before_renaming(&self, file: &str, name: &str) -> Option<String> {
        // To parse a file takes a while.
        if !self.file(file)?.text().contains(&format!(" as {name}")) {
            return None;
        }
        self.module(&[file.to_owned()])?.name_before_renaming(name)
    }

    /// The files that have been read, by name.
    pub(crate) fn texts(&self) -> Vec<(String, Arc<SourceFile>)> {
        let files = locked(&self.files);
        let mut known: Vec<_> = files
            .iter()
            .filter_map(|(name, file)| Some((name.clone(), Arc::clone(file.as_ref()?))))
            .collect();
        known.sort_by(|a, b| a.0.cmp(&b.0));
        known
    }

    /// The header of the `impl` at a place.
    pub(crate) fn impl_header(&self, span: Span<'_>) -> ImplHeader {
        self.text_at(span).map(|text| parse_header(&text)).unwrap_or_default()
    }

    /// The type parameters of the function around a place that its own header, or that of the `impl`
    /// whose place is `header`, bounds by `Fn` or its kin. None are found where a macro writes them.
    pub(crate) fn closure_parameters(
        &self,
        name: &str,
        at: Span<'_>,
        header: Option<Span<'_>>,
    ) -> Vec<String> {
        let mut found = header.map_or(Vec::new(), |span| {
            self.text_at(span).map_or(Vec::new(), |text| bounds::of_impl(&text))
        });
        if let Some((file, _, _, line, column)) = at.parts()
            && let Some(file) = self.file(file)
            && let Some(end) = file.offset(line, column)
        {
            // The header goes on behind its return type.
            let end = file.text[end..].find(['{', ';']).map_or(file.text.len(), |more| end + more);
            found.extend(bounds::of_function(&file.text[..end], name));
        }
        found
    }

    /// The text at a place.
    fn text_at(&self, span: Span<'_>) -> Option<String> {
        let (file, line, column, end_line, end_column) = span.parts()?;
        let file = self.file(file)?;
        let begin = file.offset(line, column)?;
        let end = file.offset(end_line, end_column)?;
        Some(file.text.get(begin..end)?.to_owned())
    }

    /// The struct or enum of this name; the module decides between several.
    pub(crate) fn type_item(&self, path: &str) -> Option<Arc<TypeItem>> {
        if let Some(known) = locked(&self.types).get(path) {
            return known.clone();
        }
        let item = self.find_type(path).map(Arc::new);
        locked(&self.types).insert(path.to_owned(), item.clone());
        item
    }

    fn find_type(&self, path: &str) -> Option<TypeItem> {
        let (file, at) = self.item(path)?;
        parse_type(self.file(file)?.text.get(at..)?)
    }

    /// The file and offset of a type's declaration. Of several types of that name it is the one in
    /// the module that the path names; a name is better missing than wrong.
    fn item(&self, path: &str) -> Option<(&str, usize)> {
        let places = self.items.get(types::last(path))?;
        if let [(file, at)] = places.as_slice() {
            return Some((file, *at));
        }
        let mut modules: Vec<&str> = path.split("::").collect();
        modules.pop();
        let in_module = |(file, at): &&(String, usize)| {
            let read = self.file(file);
            let inner = read.as_ref().and_then(|read| read.modules(*at));
            inner.is_some_and(|inner| {
                let outer = modules.len().checked_sub(inner.len());
                outer.is_some_and(|outer| {
                    modules[outer..].iter().eq(inner) && is_file_of(file, &modules[..outer])
                })
            })
        };
        let mut found = places.iter().filter(in_module);
        match (found.next(), found.next()) {
            (Some((file, at)), None) => Some((file, *at)),
            _ => None,
        }
    }

    /// Where a type's field, or the type itself, is declared.
    pub(crate) fn declaration(&self, path: &str, field: Option<&str>) -> Option<Place> {
        let (name, at) = self.item(path)?;
        let file = self.file(name)?;
        let item = file.text.get(at..)?;
        let end = item.find('}').unwrap_or(item.len());
        let within = field.and_then(|field| item[..end].find(&format!("{field}:")));
        let at = at + within.unwrap_or(0);
        let (line, column) = file.position(at);
        Some(Place { file: name.to_owned(), line, column })
    }
}

/// What is locked is whole at any time: it only ever grows by entries.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a file is that of a module, by the names on the way to it; without any, that of the crate.
fn is_file_of(file: &str, modules: &[&str]) -> bool {
    let file = Path::new(file);
    let of = |end: String| file.ends_with(end);
    if !modules.is_empty() {
        let module = modules.join("/");
        return of(format!("{module}.rs")) || of(format!("{module}/mod.rs"));
    }
    let directory = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    ["lib.rs", "main.rs", "build.rs"].iter().any(|name| file.ends_with(name))
        || matches!(directory, Some("bin" | "examples" | "tests" | "benches"))
}

/// Where types are declared in a text: their names, and the offsets of `struct` or `enum`.
fn type_items(text: &str) -> Vec<(&str, usize)> {
    let mut items = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let mut rest = trimmed;
        if let Some(after) = rest.strip_prefix("pub") {
            rest = match after.strip_prefix('(') {
                Some(inner) => inner.split_once(')').map_or("", |split| split.1),
                None => after,
            }
            .trim_start();
        }
        for keyword in ["struct ", "enum ", "union "] {
            if let Some(name) = rest.strip_prefix(keyword) {
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                let at = begin + line.len() - rest.len();
                items.push((&name[..end.unwrap_or(name.len())], at));
            }
        }
        begin += line.len();
    }
    items
}

/// How many names for one type are looked through.
const ALIASES: u32 = 4;

/// The other names for types that a text declares, outside of any `impl` or function, with what they
/// stand for.
fn type_aliases(text: &str) -> impl Iterator<Item = (String, String)> {
    text.match_indices("type ").filter_map(|(at, keyword)| {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = text[line..at].trim_end();
        let rest = &text[at + keyword.len()..];
        let is_visibility = before.is_empty() && line == at || before.starts_with("pub");
        let (name, ty) = rest[..rest.find(';')?].split_once('=')?;
        let name = name.split('<').next()?.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_visibility && is_name)
            .then(|| (name.to_owned(), ty.chars().filter(|c| !c.is_whitespace()).collect()))
    })
}

/// The declaration that a text begins with.
fn parse_type(text: &str) -> Option<TypeItem> {
    let bytes = text.as_bytes();
    let mut depth = 0i32;
    let end = (0..bytes.len()).find(|&at| {
        match bytes[at] {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(bytes[at], b'}' | b';')
    })?;
    let fields = |fields: &syn::Fields| -> Vec<Field> {
        let named = fields.iter().enumerate().map(|(index, field)| {
            let ty = &field.ty;
            Field {
                name: field.ident.as_ref().map_or_else(|| index.to_string(), |id| id.to_string()),
                ty: quote::quote!(#ty).to_string().replace(' ', ""),
                is_conditional: field.attrs.iter().any(|attr| attr.path().is_ident("cfg")),
            }
        });
        named.collect()
    };
    let parameters = |generics: &syn::Generics| {
        generics.type_params().map(|parameter| parameter.ident.to_string()).collect()
    };
    match syn::parse_str::<syn::Item>(&text[..=end]).ok()? {
        syn::Item::Struct(item) => Some(TypeItem {
            variants: vec![(String::new(), fields(&item.fields))],
            is_numbered: false,
            parameters: parameters(&item.generics),
        }),
        syn::Item::Enum(item) => Some(TypeItem {
            variants: item
                .variants
                .iter()
                .map(|variant| (variant.ident.to_string(), fields(&variant.fields)))
                .collect(),
            is_numbered: item.variants.iter().any(|variant| variant.discriminant.is_some()),
            parameters: parameters(&item.generics),
        }),
        _ => None,
    }
}

/// `impl<T> Trait for Type<T> where …`, or the name of a derived trait.
fn parse_header(text: &str) -> ImplHeader {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("unsafe ").unwrap_or(text).strip_prefix("impl") else {
        let is_name =
            !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_:".contains(c));
        let trait_name = is_name.then(|| types::last(text).to_owned());
        return ImplHeader { trait_name, self_name: None };
    };
    let mut rest = rest.trim_start();
    if rest.starts_with('<') {
        let bytes = rest.as_bytes();
        let mut depth = 0i32;
        let close = (0..bytes.len()).find(|&at| {
            match bytes[at] {
                b'<' => depth += 1,
                b'>' if bytes[at - 1] != b'-' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        rest = close.map_or("", |close| &rest[close + 1..]).trim_start();
    }
    let rest = at_top_level(rest, "where ").map_or(rest, |at| &rest[..at]).trim();
    let (trait_, self_ty) = match at_top_level(rest, " for ") {
        Some(at) => (Some(rest[..at].trim()), rest[at + 5..].trim()),
        None => (None, rest),
    };
    let self_name = types::short(self_ty);
    let is_path =
        !self_name.is_empty() && self_name.chars().all(|c| c.is_alphanumeric() || c == '_');
    ImplHeader {
        trait_name: trait_.map(|name| types::short(name.trim_start_matches('!')).to_owned()),
        self_name: is_path.then(|| self_name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let header =
            parse_header("impl<T: Fn() -> u8> fmt::Debug for crate::Bank<T> where T: Sized");
        assert_eq!(header.trait_name.as_deref(), Some("Debug"));
        assert_eq!(header.self_name.as_deref(), Some("Bank"));
        assert_eq!(parse_header("impl Bank").self_name.as_deref(), Some("Bank"));
        assert_eq!(parse_header("Debug").trait_name.as_deref(), Some("Debug"));
        assert_eq!(parse_header("impl $crate::X for $N").self_name, None);
    }

    #[test]
    fn other_names_for_types_are_read() {
        let text =
            "pub type Shared<T> =\n    Arc<Mutex<T>>;\nimpl A for B {\n    type Item = u8;\n}\n";
        let found: Vec<_> = type_aliases(text).collect();
        assert_eq!(found, [("Shared".to_owned(), "Arc<Mutex<T>>".to_owned())]);
    }

    #[test]
    fn declarations_are_found_and_parsed() {
        let text = "mod a {\n  pub(crate) struct S<T> { pub a: u8, b: Mutex<T> }\n}\nenum E { A(u8), B { x: u8 } }";
        let items = type_items(text);
        assert_eq!(items.iter().map(|item| item.0).collect::<Vec<_>>(), ["S", "E"]);
        let item = parse_type(&text[items[0].1..]).unwrap();
        assert_eq!(item.parameters, ["T"]);
        assert_eq!(item.fields("")[1].name, "b");
        assert_eq!(item.fields("")[1].ty, "Mutex<T>");
        let item = parse_type(&text[items[1].1..]).unwrap();
        assert_eq!(item.fields("B")[0].name, "x");
    }
}
