//! Rewrites `lock_api`, so that a lock knows where it was created.
//!
//! `lock_api` makes a lock of a constant of the raw lock's trait, and a constant has no caller. The
//! traits get one more constant, which says at which offset a raw lock keeps its place of creation;
//! `None` unless a raw lock says otherwise. The functions that make locks write their caller there.
//!
//! Versions before 0.4.13 do not tell a raw lock by whom it is acquired, as their functions are not
//! `#[track_caller]`: all that are public become so. Those before 0.4.11 let nobody make a guard of a locked
//! mutex, those before 0.4.7 make no lock in a constant, and those before 0.4.6 cannot tell whether a writer has a
//! lock: they get what the later ones have.
//!
//! Where a closure acquires a lock, the caller of the function around it is not known in there. The
//! traits get a twin of each method of that kind that is told the place, and such functions call it.
//!
//! Everything else stays as it is, down to the lines.

use std::io;
use std::ops::Range;
use std::path::Path;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::rewriting::{Edits, rewrite_with};

/// What the crate gets beside the changes in its functions.
const MODULE: &str = "
mod lockcheck {
    use core::panic::Location;

    pub(crate) const fn place<R>(
        raw: &mut R,
        offset: Option<usize>,
        caller: &'static Location<'static>,
    ) {
        if let Some(offset) = offset {
            let place = (raw as *mut R).cast::<u8>().wrapping_add(offset);
            // SAFETY: the raw lock says that it has such a field there.
            unsafe { place.cast::<Option<&'static Location<'static>>>().write(Some(caller)) }
        }
    }
}
";

/// The traits whose implementors are made of a constant.
const TRAITS: &[&str] = &["RawMutex", "RawRwLock", "RawCondvar"];

/// The methods that functions call from closures.
const ACQUIRING: &[&str] = &[
    "lock",
    "try_lock",
    "try_lock_for",
    "try_lock_until",
    "lock_shared",
    "lock_exclusive",
    "lock_upgradable",
];

/// What a lock for readers and writers can tell since 0.4.6.
const IS_LOCKED_EXCLUSIVE: &str = "\
/// Whether a writer has the lock.
#[doc(hidden)] fn is_locked_exclusive(&self) -> bool {
    if !self.try_lock_shared() {
        return true;
    }
    // SAFETY: it has just been locked so.
    unsafe { self.unlock_shared() };
    false
}
";

/// Copies the sources below `from` into `to`, rewritten.
///
/// # Errors
/// When a file cannot be read or written, or is no Rust.
pub fn rewrite(from: &Path, to: &Path) -> io::Result<()> {
    rewrite_with(from, to, &|path, text| {
        let mut text = rewritten(text)?;
        if path == Path::new("lib.rs") {
            text.push_str(MODULE);
        }
        Ok(text)
    })
}

fn rewritten(text: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut changes = Changes { edits: Edits::of(text) };
    changes.visit_file(&file);
    Ok(changes.edits.applied())
}

struct Changes<'a> {
    edits: Edits<'a>,
}

impl Changes<'_> {
    fn insert(&mut self, before: Span, text: &str) {
        self.edits.insert(before.byte_range().start, text);
    }

    fn source(&self, span: Span) -> &str {
        self.edits.text().get(span.byte_range()).unwrap_or_default()
    }

    /// The twin of a method that acquires, which is told the place.
    fn twin(&self, method: &syn::TraitItemFn) -> String {
        let name = &method.sig.ident;
        let (mut parameters, mut arguments) = (String::new(), Vec::new());
        for input in &method.sig.inputs {
            if let syn::FnArg::Typed(input) = input {
                parameters = format!("{parameters}, {}", self.source(input.span()));
                arguments.push(self.source(input.pat.span()));
            }
        }
        format!(
            "#[doc(hidden)] #[inline] fn lockcheck_{name}(&self, _: &'static \
             core::panic::Location<'static>{parameters}) {} {{ self.{name}({}) }} ",
            self.source(method.sig.output.span()),
            arguments.join(", ")
        )
    }

    /// Calls the twins where this function acquires a lock in a closure.
    fn tell_closures(&mut self, function: &syn::ImplItemFn) {
        let body = function.block.span().byte_range();
        let text = self.edits.text().get(body.clone()).unwrap_or_default();
        let receivers: &[&str] = if text.contains("self.lock_internal(") {
            &["self.mutex"]
        } else if function.sig.ident.to_string().starts_with("unlocked") {
            &["s.mutex.raw", "s.rwlock.raw"]
        } else {
            return;
        };
        let mut calls = Vec::new();
        for (receiver, name) in receivers.iter().flat_map(|r| ACQUIRING.iter().map(move |n| (r, n)))
        {
            for (at, call) in text.match_indices(&format!("{receiver}.{name}(")) {
                let range = body.start + at..body.start + at + call.len();
                calls.push((range, format!("{receiver}.lockcheck_{name}(lockcheck_at, ")));
            }
        }
        if !calls.is_empty() {
            calls.into_iter().for_each(|(range, call)| self.edits.replace(range, call));
            let here = " let lockcheck_at = core::panic::Location::caller();";
            self.edits.insert(body.start + 1, here);
            self.track(function);
        }
    }

    fn track(&mut self, function: &syn::ImplItemFn) {
        self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
    }
}

impl<'ast> Visit<'ast> for Changes<'_> {
    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if item.ident.to_string().starts_with("Raw") {
            let twins: String = item
                .items
                .iter()
                .filter_map(|member| match member {
                    syn::TraitItem::Fn(method) => Some(method),
                    _ => None,
                })
                .filter(|method| ACQUIRING.iter().any(|name| method.sig.ident == name))
                .map(|method| self.twin(method))
                .collect();
            self.insert(item.brace_token.span.close(), &twins);
        }
        let has = |name: &str| {
            let is_it = |member: &syn::TraitItem| matches!(member, syn::TraitItem::Fn(method) if method.sig.ident == name);
            item.items.iter().any(is_it)
        };
        if item.ident == "RawRwLock" && has("try_lock_shared") && !has("is_locked_exclusive") {
            self.insert(item.brace_token.span.close(), IS_LOCKED_EXCLUSIVE);
        }
        if TRAITS.iter().any(|name| item.ident == name)
            && let Some(first) = item.items.first()
        {
            let constant = "#[doc(hidden)] const LOCKCHECK_PLACE: Option<usize> = None; ";
            let at = match first {
                syn::TraitItem::Const(first) => {
                    first.attrs.first().map_or(first.const_token.span(), |attr| attr.span())
                }
                first => first.span(),
            };
            self.insert(at, constant);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for member in &item.items {
            let syn::ImplItem::Fn(function) = member else { continue };
            let mut makes = Makes { changes: Vec::new() };
            let name = function.sig.ident.to_string();
            if item.trait_.is_none() {
                makes.visit_block(&function.block);
            }
            let is_told = match item.trait_ {
                Some(_) => matches!(&*name, "default" | "from"),
                None => matches!(function.vis, syn::Visibility::Public(_)),
            };
            if is_told || !makes.changes.is_empty() {
                self.track(function);
            }
            if !makes.changes.is_empty() && function.sig.constness.is_none() {
                self.insert(function.sig.fn_token.span(), "const ");
            }
            makes.changes.into_iter().for_each(|(range, new)| self.edits.replace(range, new));
            if item.trait_.is_none() {
                self.tell_closures(function);
            }
        }
        if let Some(guard) = named(item, "guard")
            && named(item, "make_guard_unchecked").is_none()
            && matches!(&*item.self_ty, syn::Type::Path(ty)
                if ty.path.segments.last().is_some_and(|last| last.ident == "Mutex"))
        {
            let output = self.source(guard.sig.output.span());
            let make = format!(
                "/// # Safety\n/// The mutex is locked.\n#[doc(hidden)] pub unsafe fn \
                 make_guard_unchecked(&self) {output} {{ unsafe {{ self.guard() }} }} "
            );
            self.insert(item.brace_token.span.close(), &make);
        }
    }
}

/// The method of this name.
fn named<'a>(item: &'a syn::ItemImpl, name: &str) -> Option<&'a syn::ImplItemFn> {
    item.items.iter().find_map(|member| match member {
        syn::ImplItem::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    })
}

/// Looks for the raw locks that a function puts into the locks that it makes.
struct Makes {
    changes: Vec<(Range<usize>, String)>,
}

impl<'ast> Visit<'ast> for Makes {
    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        let syn::Member::Named(name) = &field.member else { return };
        if (name == "raw" || name == "mutex" || name == "inner")
            && let syn::Expr::Path(value) = &field.expr
        {
            let segments: Vec<&syn::Ident> =
                value.path.segments.iter().map(|segment| &segment.ident).collect();
            if let [ty, constant] = segments[..]
                && constant == "INIT"
            {
                let value = format!(
                    "{name}: {{ let mut raw = {ty}::INIT; crate::lockcheck::place(&mut raw, \
                     {ty}::LOCKCHECK_PLACE, core::panic::Location::caller()); raw }}"
                );
                let start = name.span().byte_range().start;
                self.changes.push((start..field.expr.span().byte_range().end, value));
            }
        }
        visit::visit_field_value(self, field);
    }
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn a_closure_is_told_who_called() {
        let text = "\
pub unsafe trait RawMutexTimed: RawMutex {
    fn try_lock_for(&self, timeout: Self::Duration) -> bool;
}
impl<R: RawMutexTimed> RawReentrantMutex<R> {
    fn try_lock_for(&self, timeout: R::Duration) -> bool {
        self.lock_internal(|| self.mutex.try_lock_for(timeout))
    }
}
";
        let expected = "\
pub unsafe trait RawMutexTimed: RawMutex {
    fn try_lock_for(&self, timeout: Self::Duration) -> bool;
#[doc(hidden)] #[inline] fn lockcheck_try_lock_for(&self, _: &'static \
core::panic::Location<'static>, timeout: Self::Duration) -> bool { self.try_lock_for(timeout) } }
impl<R: RawMutexTimed> RawReentrantMutex<R> {
    #[track_caller] fn try_lock_for(&self, timeout: R::Duration) -> bool { \
let lockcheck_at = core::panic::Location::caller();
        self.lock_internal(|| self.mutex.lockcheck_try_lock_for(lockcheck_at, timeout))
    }
}
";
        assert_eq!(rewritten(text).expect("it is Rust"), expected);
    }

    #[test]
    fn what_makes_or_acquires_a_lock_tells_it_its_caller() {
        let text = "\
pub unsafe trait RawMutex {
    const INIT: Self;
}
impl<R: RawMutex, T> Mutex<R, T> {
    #[inline]
    pub const fn new(val: T) -> Self {
        Mutex { data: UnsafeCell::new(val), raw: R::INIT }
    }
    pub fn lock(&self) -> MutexGuard<'_, R, T> {
        self.raw.lock();
        unsafe { self.make_guard_unchecked() }
    }
}
impl<R: RawMutex, T> From<T> for Mutex<R, T> {
    fn from(t: T) -> Self {
        Mutex::new(t)
    }
}
";
        let place = "crate::lockcheck::place(&mut raw, R::LOCKCHECK_PLACE, \
                     core::panic::Location::caller()); raw }";
        let expected = format!(
            "\
pub unsafe trait RawMutex {{
    #[doc(hidden)] const LOCKCHECK_PLACE: Option<usize> = None; const INIT: Self;
}}
impl<R: RawMutex, T> Mutex<R, T> {{
    #[inline]
    #[track_caller] pub const fn new(val: T) -> Self {{
        Mutex {{ data: UnsafeCell::new(val), raw: {{ let mut raw = R::INIT; {place} }}
    }}
    #[track_caller] pub fn lock(&self) -> MutexGuard<'_, R, T> {{
        self.raw.lock();
        unsafe {{ self.make_guard_unchecked() }}
    }}
}}
impl<R: RawMutex, T> From<T> for Mutex<R, T> {{
    #[track_caller] fn from(t: T) -> Self {{
        Mutex::new(t)
    }}
}}
"
        );
        assert_eq!(rewritten(text).expect("it is Rust"), expected);
    }
}
