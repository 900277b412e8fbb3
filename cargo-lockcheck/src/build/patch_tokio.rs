//! Rewrites `tokio`, so that a lock knows where it was asked for, and a task what it waits for.
//!
//! An `async fn` has no caller. Those that acquire a lock become functions that return the future, with a note
//! of the place; those that take a lock at once, or block the thread, note it as well. The poll of a task's
//! handle tells when it finds that the task has ended, and that of a request when it is put into a queue. A guard
//! tells that its lock is released before it releases it: what that locks inside is not locked under it.
//!
//! Everything else stays as it is, down to the lines. What the crate tells beside this it tells by `tracing`.

mod waits;

use std::io;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::rewriting::{Edits, rewrite_with};

/// The files whose functions acquire locks.
const LOCKS: &[&str] = &["sync/mutex.rs", "sync/rwlock.rs"];
/// The file of what is under all of them, with the queue.
const QUEUE: &str = "sync/batch_semaphore.rs";
/// The file of the handle by which a task is awaited.
const HANDLE: &str = "runtime/task/join.rs";

/// Whether this version can be rewritten: older ones tell less.
pub fn is_known(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    numbers.next() == Some(1) && numbers.next().is_some_and(|minor: u32| minor >= 29)
}

/// Copies the sources below `from` into `to`, rewritten.
///
/// # Errors
/// When a file cannot be read or written, or is no Rust.
pub(super) fn rewrite(from: &Path, to: &Path) -> io::Result<()> {
    rewrite_with(from, to, &|path, text| {
        let text = lock_or_handle(path, text)?;
        match path.to_str() {
            Some(path) => waits::rewritten(path, &text),
            None => Ok(text),
        }
    })
}

/// As [`rewrite`], but nothing is added for what tasks wait for beside locks.
///
/// # Errors
/// As [`rewrite`].
pub(super) fn rewrite_locks(from: &Path, to: &Path) -> io::Result<()> {
    rewrite_with(from, to, &lock_or_handle)
}

fn lock_or_handle(path: &Path, text: &str) -> syn::Result<String> {
    let is = |name: &str| path == Path::new(name);
    if LOCKS.iter().any(|name| is(name)) || path.starts_with("sync/rwlock") {
        places(text)
    } else if is(HANDLE) {
        joins(text)
    } else if is(QUEUE) {
        queues(text)
    } else {
        Ok(text.to_owned())
    }
}

/// Notes the places of acquisitions.
fn places(text: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut places = Places { edits: Edits::of(text) };
    places.visit_file(&file);
    Ok(places.edits.applied())
}

struct Places<'a> {
    edits: Edits<'a>,
}

impl Places<'_> {
    /// Puts the release at the beginning of a guard's destructor at its end.
    fn release_last(&mut self, drop: &syn::ImplItemFn) {
        if let [syn::Stmt::Expr(syn::Expr::MethodCall(call), Some(_)), _, ..] = &*drop.block.stmts
            && call.method == "release"
        {
            let release = drop.block.stmts[0].span().byte_range();
            let text = self.edits.text()[release.clone()].to_owned();
            self.edits.replace(release, "");
            let end = drop.block.span().byte_range().end - 1;
            self.edits.insert(end, &format!("; {text}"));
        }
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if function.sig.ident == "drop" {
            self.release_last(function);
        }
        let syn::Visibility::Public(_) = &function.vis else { return };
        let name = function.sig.ident.to_string();
        let body = function.block.span().byte_range();
        if let (Some(keyword), syn::ReturnType::Type(_, ty)) =
            (function.sig.asyncness, &function.sig.output)
        {
            let ty = ty.span().byte_range();
            self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
            self.edits.replace(keyword.span.byte_range(), "");
            self.edits.insert(ty.start, "impl core::future::Future<Output = ");
            self.edits.insert(ty.end, ">");
            self.edits.insert(
                body.start,
                "{ ::tracing::lockcheck::placed(core::panic::Location::caller(), async move ",
            );
            self.edits.insert(body.end, ") }");
        } else if ["try_", "blocking_", "downgrade"].iter().any(|kind| name.starts_with(kind)) {
            let blocks = name.starts_with("blocking_");
            self.edits.track_caller(&function.attrs, &function.vis, &function.sig);
            self.edits.insert(
                body.start + 1,
                &format!(
                    " let _lockcheck = \
                     ::tracing::lockcheck::here(core::panic::Location::caller(), {blocks});"
                ),
            );
        }
    }
}

/// Tells of the ends of tasks that their handles find.
fn joins(text: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut joins = Joins { edits: Edits::of(text) };
    joins.visit_file(&file);
    Ok(joins.edits.applied())
}

struct Joins<'a> {
    edits: Edits<'a>,
}

impl<'ast> Visit<'ast> for Joins<'_> {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let is = |path: &syn::Path, name: &str| {
            path.segments.last().is_some_and(|last| last.ident == name)
        };
        let is_future = item.trait_.as_ref().is_some_and(|(path, _)| is(path, "Future"));
        let is_handle = matches!(&*item.self_ty, syn::Type::Path(ty) if is(&ty.path, "JoinHandle"));
        if !is_future || !is_handle {
            return;
        }
        for member in &item.items {
            if let syn::ImplItem::Fn(function) = member
                && function.sig.ident == "poll"
            {
                let body = function.block.span().byte_range();
                self.edits.insert(
                    body.start,
                    "{ let lockcheck_header = self.raw.header_ptr(); \
                     let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); \
                     let lockcheck_poll = (|| ",
                );
                self.edits.insert(
                    body.end,
                    ")(); ::tracing::lockcheck::joined(unsafe { \
                     Header::get_tracing_id(&lockcheck_header) }, lockcheck_by, lockcheck_poll) }",
                );
            }
        }
    }
}

/// Tells when a request is put into the queue.
fn queues(text: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut queues = Queues { edits: Edits::of(text) };
    queues.visit_file(&file);
    Ok(queues.edits.applied())
}

struct Queues<'a> {
    edits: Edits<'a>,
}

impl<'ast> Visit<'ast> for Queues<'_> {
    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        if let syn::Stmt::Expr(syn::Expr::MethodCall(call), Some(semicolon)) = statement
            && call.method == "push_front"
            && matches!(&*call.receiver, syn::Expr::Field(field) if is_queue(&field.member))
        {
            let end = semicolon.span().byte_range().end;
            self.edits.insert(end, " ::tracing::lockcheck::queued();");
        }
        syn::visit::visit_stmt(self, statement);
    }
}

fn is_queue(member: &syn::Member) -> bool {
    matches!(member, syn::Member::Named(name) if name == "queue")
}

#[cfg(test)]
mod tests {
    use super::{joins, places, queues};

    #[test]
    fn a_request_tells_that_it_is_in_the_queue() {
        let text = "\
fn poll_acquire() {
    if !queued {
        waiters.queue.push_front(node);
    }
    other.push_front(node);
}
";
        let expected = "\
fn poll_acquire() {
    if !queued {
        waiters.queue.push_front(node); ::tracing::lockcheck::queued();
    }
    other.push_front(node);
}
";
        assert_eq!(queues(text).expect("it is Rust"), expected);
    }

    #[test]
    fn a_guard_tells_of_its_release_first() {
        let text = "\
impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.s.release(1);

        self.resource_span.in_scope(|| {
            tells();
        })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.s.release(1);
    }
}
";
        let expected = "\
impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        

        self.resource_span.in_scope(|| {
            tells();
        })
    ; self.lock.s.release(1);}
}

impl Drop for Other {
    fn drop(&mut self) {
        self.s.release(1);
    }
}
";
        assert_eq!(places(text).expect("it is Rust"), expected);
    }

    #[test]
    fn an_acquisition_knows_its_place() {
        let text = "\
impl<T: ?Sized> Mutex<T> {
    /// Waits.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        self.acquire().await
    }
    pub fn try_lock(&self) -> bool {
        true
    }
    async fn acquire(&self) {}
}
";
        let expected = "\
impl<T: ?Sized> Mutex<T> {
    /// Waits.
    #[track_caller] pub  fn lock(&self) -> impl core::future::Future<Output = MutexGuard<'_, T>> \
                        { ::tracing::lockcheck::placed(core::panic::Location::caller(), async move {
        self.acquire().await
    }) }
    #[track_caller] pub fn try_lock(&self) -> bool { \
                        let _lockcheck = \
                        ::tracing::lockcheck::here(core::panic::Location::caller(), false);
        true
    }
    async fn acquire(&self) {}
}
";
        assert_eq!(places(text).expect("it is Rust"), expected);
    }

    #[test]
    fn a_handle_tells_that_its_task_has_ended() {
        let text = "\
impl<T> Future for JoinHandle<T> {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(leaf(cx));
        ret
    }
}
";
        let expected = "\
impl<T> Future for JoinHandle<T> {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> \
                        { let lockcheck_header = self.raw.header_ptr(); \
                        let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); \
                        let lockcheck_poll = (|| {
        ready!(leaf(cx));
        ret
    })(); ::tracing::lockcheck::joined(unsafe { Header::get_tracing_id(&lockcheck_header) }, \
                        lockcheck_by, lockcheck_poll) }
}
";
        assert_eq!(joins(text).expect("it is Rust"), expected);
    }
}
