//! What `tokio` tells of its locks, and of the semaphores that are under them.
//!
//! All of them ask one kind of semaphore for permits, and give them back. That gets a field, the lock that it
//! stands for, which is told of each request, grant and release. An `async fn` has no caller: those that acquire a
//! lock become functions that return the future, with a note of the place; those that take a lock at once, or block
//! the thread, note it as well.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::super::rewriting::Edits;
use super::hooks::HOOKS;

/// The file of the semaphore that is under all locks.
const PERMITS: &str = "sync/batch_semaphore.rs";

/// Which kind of lock a file is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mutex,
    RwLock,
    Semaphore,
    OnceCell,
}

impl Kind {
    fn of(file: &str) -> Option<Kind> {
        match file {
            "sync/mutex.rs" => Some(Kind::Mutex),
            "sync/semaphore.rs" => Some(Kind::Semaphore),
            "sync/once_cell.rs" => Some(Kind::OnceCell),
            _ if file == "sync/rwlock.rs" || file.starts_with("sync/rwlock/") => Some(Kind::RwLock),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Mutex => "Mutex",
            Kind::RwLock => "RwLock",
            Kind::Semaphore => "Semaphore",
            Kind::OnceCell => "OnceCell",
        }
    }
}

/// What is added at the end of the file of the semaphore that is under all locks.
const PERMITS_ADDED: &str = "\
impl Semaphore { \
    pub(crate) const fn lockcheck(mut self, kind: ::tracing::lockcheck::Kind, permits: usize) -> Self { \
        self.lockcheck.becomes(kind, permits); self } } \
impl ::tracing::lockcheck::Queues for Acquire<'_> { \
    fn is_queued(&self) -> bool { self.queued } }
";

/// What is added at the end of the file of semaphores.
const SEMAPHORE_ADDED: &str = "\
impl Semaphore { \
    pub(crate) const fn lockcheck(mut self, kind: ::tracing::lockcheck::Kind, permits: usize) -> Self { \
        self.ll_sem.lockcheck.becomes(kind, permits); self } \
    fn lockcheck_release(&self, permits: usize) { \
        self.ll_sem.lockcheck.released(permits); \
        self.lockcheck.signal_all(::tracing::lockcheck::EventKind::Permit); \
        self.ll_sem.release(permits); } }
";

/// The text of this file with what is told of mutexes and reader-writer locks.
pub(super) fn rewritten(file: &str, text: &str) -> syn::Result<String> {
    match Kind::of(file) {
        _ if file == PERMITS => permits(text),
        Some(kind @ (Kind::Mutex | Kind::RwLock)) => of_kind(kind, text),
        Some(Kind::Semaphore | Kind::OnceCell) | None => Ok(text.to_owned()),
    }
}

/// The text of this file with what is told of semaphores, and of cells that are made of them.
pub(super) fn with_semaphores(file: &str, text: &str) -> syn::Result<String> {
    match Kind::of(file) {
        Some(kind @ Kind::Semaphore) => Ok(of_kind(kind, text)? + SEMAPHORE_ADDED),
        Some(kind @ Kind::OnceCell) => of_kind(kind, text),
        Some(Kind::Mutex | Kind::RwLock) | None => Ok(text.to_owned()),
    }
}

/// Gives the semaphore a field, its lock.
fn permits(text: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut permits = Permits { edits: Edits::of(text) };
    permits.visit_file(&file);
    Ok(permits.edits.applied() + PERMITS_ADDED)
}

struct Permits<'a> {
    edits: Edits<'a>,
}

fn is_semaphore(path: &syn::Path, owner: &syn::Type) -> bool {
    let is =
        |path: &syn::Path, name: &str| path.segments.last().is_some_and(|last| last.ident == name);
    let owner_is = matches!(owner, syn::Type::Path(ty) if is(&ty.path, "Semaphore"));
    owner_is && (is(path, "Self") || is(path, "Semaphore"))
}

impl<'ast> Visit<'ast> for Permits<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let syn::Fields::Named(fields) = &item.fields
            && item.ident == "Semaphore"
        {
            let at = fields.brace_token.span.open().byte_range().end;
            self.edits.insert(at, &format!(" pub(crate) lockcheck: {HOOKS}Lock,"));
        }
    }

    /// What it takes its queue's lock from.
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let text = &self.edits.text()[item.span().byte_range()];
        if text == "use crate::loom::sync::{Mutex, MutexGuard};" {
            let text = format!("use {HOOKS}{{Mutex, MutexGuard}};");
            self.edits.replace(item.span().byte_range(), text);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for member in &item.items {
            let syn::ImplItem::Fn(function) = member else { continue };
            let mut literals = Literals(Vec::new());
            literals.visit_block(&function.block);
            for literal in literals.0.iter().filter(|l| is_semaphore(&l.path, &item.self_ty)) {
                self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
                let at = literal.brace_token.span.open().byte_range().end;
                self.edits.insert(at, &format!(" lockcheck: {HOOKS}Lock::new(),"));
            }
        }
    }
}

/// The struct expressions in a block.
struct Literals<'ast>(Vec<&'ast syn::ExprStruct>);

impl<'ast> Visit<'ast> for Literals<'ast> {
    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        self.0.push(expression);
        syn::visit::visit_expr_struct(self, expression);
    }
}

fn of_kind(kind: Kind, text: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let edits = Edits::of(text);
    let mut locks = Locks { kind, edits, in_drop: false };
    locks.visit_file(&file);
    Ok(locks.edits.applied())
}

struct Locks<'a> {
    kind: Kind,
    edits: Edits<'a>,
    /// Whether a destructor is visited.
    in_drop: bool,
}

impl Locks<'_> {
    fn text(&self, spanned: &impl Spanned) -> String {
        self.edits.text()[spanned.span().byte_range()].to_owned()
    }

    fn around(&mut self, range: Range<usize>, before: &str, after: &str) {
        self.edits.insert(range.start, before);
        self.edits.insert(range.end, after);
    }

    /// A function of a lock or guard notes where it is called.
    fn place(&mut self, function: &syn::ImplItemFn) {
        let name = function.sig.ident.to_string();
        let body = function.block.span().byte_range();
        let creates = ["new", "const_new", "with_max_readers", "const_with_max_readers"];
        if creates.contains(&&*name) || ["default", "from", "new_with"].contains(&&*name) {
            self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
        }
        let syn::Visibility::Public(_) = &function.vis else { return };
        let owned = name.ends_with("_owned");
        let takes = ["try_", "blocking_", "downgrade"].iter().any(|kind| name.starts_with(kind))
            || self.kind == Kind::OnceCell && name == "set";
        match (function.sig.asyncness, &function.sig.output) {
            (Some(keyword), syn::ReturnType::Type(_, output)) => {
                let output = output.span().byte_range();
                let captured = captured(&function.sig.generics, self.kind);
                self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
                self.edits.replace(keyword.span.byte_range(), "");
                let (before, after) =
                    ("impl core::future::Future<Output = ", format!(">{captured}"));
                self.around(output, before, &after);
                let caller = "core::panic::Location::caller()";
                match self.kind {
                    // What the program gives to these is polled in them.
                    Kind::OnceCell => {
                        let before = format!("{{ let lockcheck_site = {caller}; async move ");
                        self.around(body, &before, " }");
                    }
                    Kind::Mutex | Kind::RwLock | Kind::Semaphore => {
                        let before = format!("{{ {HOOKS}called({caller}, {owned}, async move ");
                        self.around(body, &before, ") }");
                    }
                }
            }
            _ if takes => {
                self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
                let note = format!(
                    " let _lockcheck = {HOOKS}within(core::panic::Location::caller(), {owned});"
                );
                self.edits.insert(body.start + 1, &note);
            }
            _ => {}
        }
    }
}

/// What the future of a cell captures beside what it returns.
fn captured(generics: &syn::Generics, kind: Kind) -> String {
    if kind != Kind::OnceCell {
        return String::new();
    }
    let names = generics.type_params().map(|parameter| format!(", {}", parameter.ident));
    format!(" + use<'_, T{}>", names.collect::<String>())
}

impl<'ast> Visit<'ast> for Locks<'_> {
    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.place(function);
        self.in_drop = function.sig.ident == "drop";
        let start = function.block.brace_token.span.open().byte_range().end;
        match (self.kind, &*function.sig.ident.to_string()) {
            (Kind::Semaphore, "add_permits") => {
                let event = format!("{HOOKS}EventKind::Permit");
                let text = format!(
                    " self.ll_sem.lockcheck.changes(); self.lockcheck.signal_all({event});"
                );
                self.edits.insert(start, &text);
            }
            (Kind::Semaphore, "close") => {
                let text = format!(" self.lockcheck.signal_all({HOOKS}EventKind::Permit);");
                self.edits.insert(start, &text);
            }
            (Kind::Semaphore, "forget_permits") => {
                self.edits.insert(start, " self.ll_sem.lockcheck.changes();");
            }
            (Kind::Semaphore, "forget") => {
                self.edits.insert(start, " self.sem.ll_sem.lockcheck.kept(self.permits as usize);");
            }
            _ => {}
        }
        syn::visit::visit_impl_item_fn(self, function);
        self.in_drop = false;
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let syn::Fields::Named(fields) = &item.fields
            && self.kind == Kind::Semaphore
            && item.ident == "Semaphore"
        {
            let at = fields.brace_token.span.open().byte_range().end;
            self.edits.insert(at, &format!(" lockcheck: {HOOKS}Event,"));
        }
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        let is_new = expression
            .fields
            .iter()
            .any(|field| matches!(&field.member, syn::Member::Named(name) if name == "ll_sem"));
        if self.kind == Kind::Semaphore && is_new {
            let at = expression.brace_token.span.open().byte_range().end;
            self.edits.insert(at, &format!(" lockcheck: {HOOKS}Event::new(),"));
        }
        syn::visit::visit_expr_struct(self, expression);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && let [.., owner, name] = &*function.path.segments.iter().collect::<Vec<_>>()
            && owner.ident == "Semaphore"
            && (name.ident == "new" || name.ident == "const_new")
            && let Some(permits) = call.args.first()
        {
            let (kind, permits) = (self.kind.name(), self.text(permits));
            let text = format!(".lockcheck({HOOKS}Kind::{kind}, ({permits}) as usize)");
            self.edits.insert(call.span().byte_range().end, &text);
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        syn::visit::visit_expr_method_call(self, call);
        let syn::Expr::Field(syn::ExprField { member: syn::Member::Named(field), .. }) =
            &*call.receiver
        else {
            return;
        };
        let range = call.span().byte_range();
        let permits = call.args.first().map(|permits| self.text(permits)).unwrap_or_default();
        let lock = format!("{}.lockcheck", self.text(&call.receiver));
        let hook = |name: &str| format!("{HOOKS}{name}(&{lock}, ({permits}) as usize, ");
        match (&*field.to_string(), &*call.method.to_string()) {
            ("s", "acquire") => self.around(range, &hook("acquire"), ")"),
            ("ll_sem", "acquire") => {
                let before =
                    format!("{HOOKS}permits(&self.lockcheck, &{lock}, {}", hook("acquire"));
                self.around(range, &before, "))");
            }
            ("s" | "ll_sem", "try_acquire") => self.around(range, &hook("taken"), ")"),
            ("s", "release") => {
                let told = match self.in_drop {
                    true => format!("released(({permits}) as usize)"),
                    false => "downgraded()".to_owned(),
                };
                self.around(range, &format!("{{ {lock}.{told}; "), " }");
            }
            ("sem", "add_permits") => {
                self.edits.replace(call.method.span().byte_range(), "lockcheck_release");
            }
            ("semaphore", "acquire") if self.kind == Kind::OnceCell => {
                let before = format!("{HOOKS}called(lockcheck_site, false, ");
                self.around(range, &before, ")");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{rewritten, with_semaphores};

    #[test]
    fn the_semaphore_under_a_lock_has_a_field_and_tells_whether_a_request_is_queued() {
        let text = "\
use crate::loom::sync::{Mutex, MutexGuard};
struct Semaphore {
    permits: usize,
}
impl Semaphore {
    pub(crate) const fn const_new(permits: usize) -> Self {
        Self { permits }
    }
}
struct Acquire<'a> { queued: bool }
impl<'a> Acquire<'a> {
    fn new() -> Self { Self { queued: false } }
}
";
        let told = rewritten("sync/batch_semaphore.rs", text).expect("it is Rust");
        let expected = "\
use ::tracing::lockcheck::{Mutex, MutexGuard};
struct Semaphore { pub(crate) lockcheck: ::tracing::lockcheck::Lock,
    permits: usize,
}
impl Semaphore {
    #[track_caller] pub(crate) const fn const_new(permits: usize) -> Self {
        Self { lockcheck: ::tracing::lockcheck::Lock::new(), permits }
    }
}
struct Acquire<'a> { queued: bool }
impl<'a> Acquire<'a> {
    fn new() -> Self { Self { queued: false } }
}
";
        assert!(told.starts_with(expected), "{told}");
        assert!(told.ends_with("fn is_queued(&self) -> bool { self.queued } }\n"), "{told}");
    }

    #[test]
    fn a_request_is_told_with_the_place_of_its_call() {
        let text = "\
impl<T> Mutex<T> {
    pub async fn lock_owned(self: Arc<Self>) -> Guard<T> {
        self.acquire().await;
        Guard { lock: self }
    }
    async fn acquire(&self) {
        self.s.acquire(1).await;
    }
    #[track_caller]
    pub fn blocking_lock(&self) -> Guard<T> {
        block_on(self.lock())
    }
    fn try_take(&self) -> bool {
        self.s.try_acquire(1).is_ok()
    }
}
";
        let expected = "\
impl<T> Mutex<T> {
    #[track_caller] pub  fn lock_owned(self: Arc<Self>) -> impl core::future::Future<Output = Guard<T>> \
{ ::tracing::lockcheck::called(core::panic::Location::caller(), true, async move {
        self.acquire().await;
        Guard { lock: self }
    }) }
    async fn acquire(&self) {
        ::tracing::lockcheck::acquire(&self.s.lockcheck, (1) as usize, self.s.acquire(1)).await;
    }
    #[track_caller]
    pub fn blocking_lock(&self) -> Guard<T> { let _lockcheck = \
::tracing::lockcheck::within(core::panic::Location::caller(), false);
        block_on(self.lock())
    }
    fn try_take(&self) -> bool {
        ::tracing::lockcheck::taken(&self.s.lockcheck, (1) as usize, self.s.try_acquire(1)).is_ok()
    }
}
";
        assert_eq!(rewritten("sync/mutex.rs", text).expect("it is Rust"), expected);
        assert_eq!(rewritten("sync/other.rs", text).expect("it is Rust"), text, "no lock");
    }

    #[test]
    fn a_lock_says_what_it_is_and_a_guard_what_it_releases() {
        let text = "\
impl<T> RwLock<T> {
    pub fn new(value: T) -> RwLock<T> {
        RwLock { s: Semaphore::new(MAX as usize), value }
    }
}
impl<T> Guard<T> {
    fn lower(self) -> Other<T> {
        let permits = self.permits - 1;
        self.s.release(permits);
    }
}
impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        self.s.release(self.permits);
    }
}
";
        let expected = "\
impl<T> RwLock<T> {
    #[track_caller] pub fn new(value: T) -> RwLock<T> {
        RwLock { s: Semaphore::new(MAX as usize).lockcheck(::tracing::lockcheck::Kind::RwLock, \
(MAX as usize) as usize), value }
    }
}
impl<T> Guard<T> {
    fn lower(self) -> Other<T> {
        let permits = self.permits - 1;
        { self.s.lockcheck.downgraded(); self.s.release(permits) };
    }
}
impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        { self.s.lockcheck.released((self.permits) as usize); self.s.release(self.permits) };
    }
}
";
        assert_eq!(rewritten("sync/rwlock/write_guard.rs", text).expect("it is Rust"), expected);
    }

    #[test]
    fn a_semaphore_is_an_event_beside_and_a_permit_gives_back_what_it_has() {
        let text = "\
struct Semaphore { ll_sem: ll::Semaphore }
impl Semaphore {
    fn new(permits: usize) -> Self { Self { ll_sem: ll::Semaphore::new(permits) } }
    async fn acquire(&self) { self.ll_sem.acquire(1).await; }
}
impl Drop for Permit<'_> { fn drop(&mut self) { self.sem.add_permits(self.permits); } }
";
        let told = with_semaphores("sync/semaphore.rs", text).expect("it is Rust");
        let expected = "\
struct Semaphore { lockcheck: ::tracing::lockcheck::Event, ll_sem: ll::Semaphore }
impl Semaphore {
    #[track_caller] fn new(permits: usize) -> Self { Self { lockcheck: ::tracing::lockcheck::Event::new(), \
ll_sem: ll::Semaphore::new(permits).lockcheck(::tracing::lockcheck::Kind::Semaphore, (permits) as usize) } }
    async fn acquire(&self) { ::tracing::lockcheck::permits(&self.lockcheck, &self.ll_sem.lockcheck, \
::tracing::lockcheck::acquire(&self.ll_sem.lockcheck, (1) as usize, self.ll_sem.acquire(1))).await; }
}
impl Drop for Permit<'_> { fn drop(&mut self) { self.sem.lockcheck_release(self.permits); } }
";
        assert!(told.starts_with(expected), "{told}");
        assert_eq!(rewritten("sync/semaphore.rs", text).expect("it is Rust"), text);
    }

    #[test]
    fn a_cell_knows_where_its_value_is_asked_for_and_polls_what_makes_it_elsewhere() {
        let text = "\
impl<T> OnceCell<T> {
    pub async fn get_or_init<F>(&self, f: F) -> &T { self.semaphore.acquire().await; f().await }
}
";
        let expected = "\
impl<T> OnceCell<T> {
    #[track_caller] pub  fn get_or_init<F>(&self, f: F) -> \
impl core::future::Future<Output = &T> + use<'_, T, F> { let lockcheck_site = core::panic::Location::caller(); \
async move { ::tracing::lockcheck::called(lockcheck_site, false, self.semaphore.acquire()).await; f().await } }
}
";
        assert_eq!(with_semaphores("sync/once_cell.rs", text).expect("it is Rust"), expected);
    }
}
