//! Rewrites `tokio`, so that a lock knows where it was asked for, and a task what it waits for.
//!
//! `locks` has what is told of locks, `waits` what tasks wait for beside them, and what is here tells when the
//! handle of a task finds that it has ended. Everything else stays as it is, down to the lines. What the crate
//! reports by `tracing` beside this is taken of tasks alone; in the files of locks and channels that is off,
//! as it costs more than what is told here.

mod hooks;
mod locks;
mod waits;

use std::io;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::rewriting::{Edits, rewrite_with};

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
            Some(path) => waits::rewritten(path, &locks::with_semaphores(path, &text)?),
            None => Ok(text),
        }
    })
}

/// As [`rewrite`], but nothing is added for what tasks wait for beside mutexes and reader-writer locks.
///
/// # Errors
/// As [`rewrite`].
pub(super) fn rewrite_locks(from: &Path, to: &Path) -> io::Result<()> {
    rewrite_with(from, to, &lock_or_handle)
}

fn lock_or_handle(path: &Path, text: &str) -> syn::Result<String> {
    let text = without_tracing(path, text);
    match path.to_str() {
        Some(HANDLE) => joins(&text),
        Some(path) => locks::rewritten(path, &text),
        None => Ok(text),
    }
}

/// The text without what is reported by `tracing`, in the files of locks and channels.
fn without_tracing(path: &Path, text: &str) -> String {
    match path.starts_with("sync") {
        // The condition of nothing is never met.
        true => text.replace("feature = \"tracing\"", "any()"),
        false => text.to_owned(),
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{joins, without_tracing};

    #[test]
    fn locks_do_not_report_by_tracing_and_tasks_do() {
        let text = "#[cfg(all(tokio_unstable, feature = \"tracing\"))]";
        let never = "#[cfg(all(tokio_unstable, any()))]";
        assert_eq!(without_tracing(Path::new("sync/mutex.rs"), text), never);
        for other in ["runtime/handle.rs", "time/sleep.rs"] {
            assert_eq!(without_tracing(Path::new(other), text), text);
        }
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
