//! The channels of [`std::sync::mpsc`], instrumented.
//!
//! A channel is one event: receivers wait for [`EventKind::Receive`], senders of a full bounded
//! channel for [`EventKind::Send`]. Each side tells the other's event when it completes it: by a
//! message, or because it is gone.
//!
//! # Examples
//! ```
//! use lockdep::sync::mpsc;
//! use lockdep::thread;
//!
//! let (jobs, todo) = mpsc::sync_channel(1);
//! let worker = thread::spawn(move || todo.iter().sum::<u32>());
//! for job in 1..4 {
//!     jobs.send(job).unwrap();
//! }
//! drop(jobs); // the worker's loop ends once no sender is left
//! assert_eq!(worker.join().unwrap(), 6);
//! ```

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::Duration;

use crate::hooks::{EventKind, EventTag};

/// What the two sides of a channel share.
struct Channel {
    tag: EventTag,
    senders: AtomicUsize,
}

/// A sender's share of a channel.
struct SendSide(Arc<Channel>);

/// The receiver's share of a channel.
struct ReceiveSide(Arc<Channel>);

impl Channel {
    #[track_caller]
    fn open() -> (SendSide, ReceiveSide) {
        let channel = Arc::new(Channel { tag: EventTag::new(), senders: AtomicUsize::new(1) });
        (SendSide(Arc::clone(&channel)), ReceiveSide(channel))
    }
}

impl Clone for SendSide {
    fn clone(&self) -> SendSide {
        // Relaxed: only the count matters, as for the count of an `Arc`.
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        SendSide(Arc::clone(&self.0))
    }
}

impl Drop for SendSide {
    fn drop(&mut self) {
        let last = self.0.senders.fetch_sub(1, Ordering::Relaxed) == 1;
        self.0.tag.leave(EventKind::Receive, last, Location::caller());
    }
}

impl Drop for ReceiveSide {
    fn drop(&mut self) {
        self.0.tag.signal_all(EventKind::Send, Location::caller());
    }
}

/// The sending side of [`channel`]: [`std::sync::mpsc::Sender`].
pub struct Sender<T> {
    // Dropped first: the end of the side is recorded before another thread can see it.
    side: SendSide,
    inner: std::sync::mpsc::Sender<T>,
}

/// The sending side of [`sync_channel`]: [`std::sync::mpsc::SyncSender`].
pub struct SyncSender<T> {
    // Dropped first: the end of the side is recorded before another thread can see it.
    side: SendSide,
    inner: std::sync::mpsc::SyncSender<T>,
}

/// The receiving side of a channel: [`std::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    // Dropped first, as in a sender.
    side: ReceiveSide,
    inner: std::sync::mpsc::Receiver<T>,
}

/// The messages of a borrowed channel, until all senders are gone: [`std::sync::mpsc::Iter`].
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    rx: &'a Receiver<T>,
}

/// The messages that are there now: [`std::sync::mpsc::TryIter`].
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    rx: &'a Receiver<T>,
}

/// The messages of a channel, until all senders are gone: [`std::sync::mpsc::IntoIter`].
#[derive(Debug)]
pub struct IntoIter<T> {
    rx: Receiver<T>,
}

/// A channel in which sending never blocks; see [`std::sync::mpsc::channel`].
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (send_side, receive_side) = Channel::open();
    let (tx, rx) = std::sync::mpsc::channel();
    (Sender { inner: tx, side: send_side }, Receiver { inner: rx, side: receive_side })
}

/// A channel in which sending blocks while `bound` messages are not yet received; see
/// [`std::sync::mpsc::sync_channel`].
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (send_side, receive_side) = Channel::open();
    let (tx, rx) = std::sync::mpsc::sync_channel(bound);
    (SyncSender { inner: tx, side: send_side }, Receiver { inner: rx, side: receive_side })
}

impl<T> Sender<T> {
    /// Sends a message, and never blocks; see [`std::sync::mpsc::Sender::send`].
    ///
    /// # Errors
    ///
    /// The receiver is gone. The message is in the error.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.side.0.tag.signal(EventKind::Receive, Location::caller());
        self.inner.send(t)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender { inner: self.inner.clone(), side: self.side.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl<T> SyncSender<T> {
    /// Sends a message, and blocks while there is no room; see
    /// [`std::sync::mpsc::SyncSender::send`].
    ///
    /// # Errors
    ///
    /// The receiver is gone. The message is in the error.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let site = Location::caller();
        let message = Cell::new(Some(t));
        self.side.0.tag.signal(EventKind::Receive, site);
        self.side.0.tag.wait(
            EventKind::Send,
            false,
            site,
            || match self.inner.try_send(message.take()?) {
                Ok(()) => Some(Ok(())),
                Err(TrySendError::Disconnected(t)) => Some(Err(SendError(t))),
                Err(TrySendError::Full(t)) => {
                    message.set(Some(t));
                    None
                }
            },
            || match message.take() {
                Some(t) => self.inner.send(t),
                None => unreachable!("an attempt that fails puts the message back"),
            },
        )
    }

    /// Sends a message if there is room; see [`std::sync::mpsc::SyncSender::try_send`].
    ///
    /// # Errors
    ///
    /// There is no room, or the receiver is gone. The message is in the error.
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        let (tag, site) = (&self.side.0.tag, Location::caller());
        tag.offer(EventKind::Receive, site);
        let result = self.inner.try_send(t);
        tag.looked(EventKind::Send, !matches!(result, Err(TrySendError::Full(_))), site);
        result
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> SyncSender<T> {
        SyncSender { inner: self.inner.clone(), side: self.side.clone() }
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl<T> Receiver<T> {
    /// Takes a message if there is one; see [`std::sync::mpsc::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// There is none, or there never will be one.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let (tag, site) = (&self.side.0.tag, Location::caller());
        tag.offer(EventKind::Send, site);
        let result = self.inner.try_recv();
        tag.looked(EventKind::Receive, !matches!(result, Err(TryRecvError::Empty)), site);
        result
    }

    /// Takes a message, and blocks until there is one; see [`std::sync::mpsc::Receiver::recv`].
    ///
    /// # Errors
    ///
    /// There is none, and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.side.0.tag.wait(
            EventKind::Receive,
            false,
            Location::caller(),
            || match self.inner.try_recv() {
                Ok(message) => Some(Ok(message)),
                Err(TryRecvError::Disconnected) => Some(Err(RecvError)),
                Err(TryRecvError::Empty) => None,
            },
            || self.inner.recv(),
        )
    }

    /// Takes a message, and blocks for `timeout` at most; see
    /// [`std::sync::mpsc::Receiver::recv_timeout`].
    ///
    /// # Errors
    ///
    /// None came in time, or all senders are gone.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.side.0.tag.wait(
            EventKind::Receive,
            true,
            Location::caller(),
            || match self.inner.try_recv() {
                Ok(message) => Some(Ok(message)),
                Err(TryRecvError::Disconnected) => Some(Err(RecvTimeoutError::Disconnected)),
                Err(TryRecvError::Empty) => None,
            },
            || self.inner.recv_timeout(timeout),
        )
    }

    /// The messages, each waited for, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self }
    }

    /// The messages that are there now.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.recv().ok()
    }
}

impl<'a, T> Iterator for TryIter<'a, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
