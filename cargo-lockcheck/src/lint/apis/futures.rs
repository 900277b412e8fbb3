//! Futures that poll other futures, and streams that do: which of them leave some unfinished that they
//! polled.

use super::functions::{Functions, Of, first, of_traits};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// What a future polls, by the call that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    /// What its closure has captured: a tuple of futures, or the futures themselves, of which the one
    /// at the place of the variant that the result is has ended.
    Captured,
    /// Its arguments, of which the one at the place of the variant that the result is has ended.
    Arguments,
    /// Its second argument, which has ended if the result is `Ok`.
    Limited,
    /// The stream that it takes an item from, whose futures have all ended if there is none.
    Stream,
}

/// Calls that make futures which poll others.
const POLLING: &[(Functions, Polled)] = &[
    (Functions { of: Of::Path("std::future"), names: &["poll_fn"] }, Polled::Captured),
    (Functions { of: Of::Crates(&["futures"]), names: &["poll_fn"] }, Polled::Captured),
    (Functions { of: Of::Crates(&["futures"]), names: &["select"] }, Polled::Arguments),
    (Functions { of: Of::Path("tokio::time"), names: &["timeout", "timeout_at"] }, Polled::Limited),
    (of_traits(&["StreamExt", "TryStreamExt"], &["next", "try_next"]), Polled::Stream),
];

/// Streams that keep futures which they have begun.
const BUFFERS: &[&str] = &[
    "BufferUnordered",
    "Buffered",
    "TryBufferUnordered",
    "TryBuffered",
    "FuturesUnordered",
    "FuturesOrdered",
];

/// Names of the methods by which such a stream is given another future.
const PUSHES: &[&str] = &["push", "push_back", "push_front"];

/// What the future polls that a call makes, if others are known to it.
pub(crate) fn polled(callee: &Callee<'_>) -> Option<Polled> {
    first(POLLING, callee)
}

/// The type of the future that is polled through a value of this type, if the value only refers to it:
/// `F` of `&mut Pin<&mut F>`.
pub(crate) fn behind_reference(ty: &str) -> Option<&str> {
    let mut is_reference = false;
    let mut ty = ty;
    loop {
        is_reference |= types::is_reference(ty);
        ty = types::peel(ty);
        if ty.starts_with('{') {
            return is_reference.then_some(ty);
        }
        ty = match types::short(ty) {
            "Pin" | "Box" | "Fuse" => types::arguments(ty).first().copied()?,
            _ => return None,
        };
    }
}

/// The closures and futures in the type of a stream that keeps futures which it has begun.
pub(crate) fn kept_by_stream(ty: &str) -> Vec<&str> {
    match BUFFERS.iter().any(|name| ty.contains(&format!("{name}<"))) {
        true => types::closures(ty),
        false => Vec::new(),
    }
}

/// Whether a call gives a stream another future.
pub(crate) fn is_push(callee: &Callee<'_>) -> bool {
    PUSHES.contains(&callee.name()) && BUFFERS.contains(&types::last(callee.owner()))
}

#[cfg(test)]
mod tests {
    use super::{behind_reference, kept_by_stream};

    #[test]
    fn a_future_behind_a_reference_is_found() {
        let future = "{async fn body of Store::save()}";
        let found = |around: &str| behind_reference(&around.replace('F', future)).is_some();
        assert!(found("&mut std::pin::Pin<&mut F>"));
        assert!(found("std::pin::Pin<&mut F>"));
        assert!(found("&mut std::pin::Pin<std::boxed::Box<F>>"));
        assert!(!found("std::pin::Pin<std::boxed::Box<F>>"));
        assert!(!found("F"));
        assert!(!found("&mut tokio::task::JoinHandle<u8>"));
    }

    #[test]
    fn the_futures_of_a_stream_are_found() {
        let closure = "{closure@src/a.rs:1:2: 3:4}";
        let stream = format!("futures::stream::BufferUnordered<Map<Iter<u8>, {closure}>>");
        assert_eq!(kept_by_stream(&stream), [closure]);
        assert!(kept_by_stream(&format!("Map<Iter<u8>, {closure}>")).is_empty());
    }
}
