//! Which functions make their thread wait for something that is no lock.

use super::functions::{Functions, Of, first, of_types_in};
use crate::cli::user_config::CallEffect;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// What a call that is no acquisition waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Blocking {
    /// A message.
    Receive,
    /// Room in a bounded channel.
    BoundedSend,
    /// The end of a thread.
    Join,
    /// A barrier.
    Barrier,
    /// Time.
    Sleep,
    /// Another process.
    Process,
    /// A future, on this thread.
    BlockOn,
    /// A peer on the network.
    Network,
    /// To be woken through a condition variable.
    Signal,
    /// What the settings do not say.
    Other,
}

impl Blocking {
    /// What the call does, after "a call that".
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Blocking::Receive => "waits for a message",
            Blocking::BoundedSend => "waits for room in a bounded channel",
            Blocking::Join => "waits for a thread to end",
            Blocking::Barrier => "waits at a barrier",
            Blocking::Sleep => "sleeps",
            Blocking::Process => "waits for a process",
            Blocking::BlockOn => "waits for a future",
            Blocking::Network => "waits for the network",
            Blocking::Signal => "waits to be woken",
            Blocking::Other => "waits for others",
        }
    }
}

/// Words in the paths of channels that block their threads.
const CHANNELS: &[&str] = &["mpsc", "crossbeam", "flume", "mpmc", "async_channel", "kanal"];

const fn of_channels(types: &'static [&'static str], names: &'static [&'static str]) -> Functions {
    Functions { of: Of::TypesAmong(CHANNELS, types), names }
}

/// What waits for what. The first row that has a function counts, and one with nothing says that it
/// only makes a future.
const WAITS: &[(Functions, Option<Blocking>)] = &[
    (of_types_in(&["tokio::", "async_channel"], &["Receiver"], &["recv"]), None),
    (
        of_channels(&["Receiver"], &["recv", "recv_timeout", "recv_deadline", "blocking_recv"]),
        Some(Blocking::Receive),
    ),
    (of_channels(&["Iter", "IntoIter"], &["next"]), Some(Blocking::Receive)),
    (of_channels(&["SyncSender"], &["send"]), Some(Blocking::BoundedSend)),
    (of_channels(&["Sender"], &["blocking_send"]), Some(Blocking::BoundedSend)),
    (SENDS_OF_EITHER, Some(Blocking::BoundedSend)),
    (
        of_types_in(&["std::thread"], &["JoinHandle", "ScopedJoinHandle"], &["join"]),
        Some(Blocking::Join),
    ),
    (of_types_in(&["std::sync"], &["Barrier"], &["wait"]), Some(Blocking::Barrier)),
    (
        Functions {
            of: Of::Path("std::thread"),
            names: &["sleep", "sleep_ms", "sleep_until", "park"],
        },
        Some(Blocking::Sleep),
    ),
    (
        of_types_in(&["std::process"], &["Child"], &["wait", "wait_with_output"]),
        Some(Blocking::Process),
    ),
    (of_types_in(&["std::process"], &["Command"], &["output", "status"]), Some(Blocking::Process)),
    (
        of_types_in(&["tokio"], &["Runtime", "Handle", "LocalSet", "LocalRuntime"], &["block_on"]),
        Some(Blocking::BlockOn),
    ),
    (
        Functions {
            of: Of::Crates(&["futures", "pollster", "smol", "async_io", "async_std::task"]),
            names: &["block_on"],
        },
        Some(Blocking::BlockOn),
    ),
    (of_types_in(&["std::net"], &["TcpListener"], &["accept"]), Some(Blocking::Network)),
    (of_types_in(&["std::net"], &["TcpStream"], &["connect"]), Some(Blocking::Network)),
    (of_types_in(&["std::net"], &["UdpSocket"], &["recv", "recv_from"]), Some(Blocking::Network)),
];

/// Functions that send through a channel with room for a number of messages, or for all: the sender's type
/// does not tell which.
const SENDS_OF_EITHER: Functions =
    of_types_in(&["crossbeam", "flume::", "kanal::"], &["Sender"], &["send"]);

/// The type of the messages that a call sends, where it waits only if the channel is one with room for a
/// number of them.
pub(crate) fn sent_through_either<'a>(callee: &Callee<'a>) -> Option<&'a str> {
    let (channel, _) = callee.text.rsplit_once("::").filter(|_| SENDS_OF_EITHER.have(callee))?;
    types::arguments(channel).first().copied()
}

/// Methods of `Read` that wait when they are called on a connection.
const READS: &[&str] = &["read", "read_exact", "read_to_end", "read_to_string"];

/// What a call waits for that is neither a lock nor a condition variable; the first argument's type,
/// where it is known, tells a file from a connection.
pub(crate) fn blocking_call(callee: &Callee<'_>, first_arg_ty: Option<&str>) -> Option<Blocking> {
    if let Some(does) = callee.told {
        return (does == CallEffect::Waits).then_some(Blocking::Other);
    }
    let is_connection =
        || first_arg_ty.is_some_and(|ty| types::head(ty).ends_with("std::net::TcpStream"));
    if callee.trait_name == Some("Read") && READS.contains(&callee.name()) && is_connection() {
        return Some(Blocking::Network);
    }
    first(WAITS, callee).flatten()
}

/// Futures that a task waits for while its thread goes on: types, and async functions by their owner
/// and name.
const AWAITED: &[(&[&str], &[&str], Blocking)] = &[
    (&["tokio::task::JoinHandle", "async_std::task::JoinHandle"], &[], Blocking::Join),
    (&["tokio::sync::mpsc::Sender"], &["send"], Blocking::BoundedSend),
    (&["tokio::sync::mpsc::Receiver"], &["recv"], Blocking::Receive),
    (&["tokio::sync::oneshot::Receiver"], &[], Blocking::Receive),
];

/// The type of the messages of the channel that a future, as printed, is about.
pub(crate) fn message_of(future: &str) -> Option<&str> {
    let channel = future.strip_prefix("{async fn body of ")?.rsplit_once("::")?.0;
    types::arguments(channel).first().copied()
}

/// What a task waits for that polls a future of this type, as printed.
pub(crate) fn awaited(future: &str) -> Option<Blocking> {
    let function = future.strip_prefix("{async fn body of ").map(|path| {
        let callee = Callee::new(path.trim_end_matches("()}"));
        (callee.owner().to_owned(), callee.name().to_owned())
    });
    let is_it = |(owners, names, _): &&(&[&str], &[&str], Blocking)| match &function {
        Some((owner, name)) => owners.contains(&owner.as_str()) && names.contains(&name.as_str()),
        None => owners.contains(&types::head(future)) && names.is_empty(),
    };
    AWAITED.iter().find(is_it).map(|row| row.2)
}

/// Whether a call waits on a condition variable.
pub(crate) fn is_condvar_wait(callee: &Callee<'_>) -> bool {
    types::last(callee.owner()) == "Condvar" && callee.name().starts_with("wait")
}

/// Whether a call wakes the waiters of a condition variable.
pub(crate) fn is_notify(callee: &Callee<'_>) -> bool {
    types::last(callee.owner()) == "Condvar" && callee.name().starts_with("notify")
}
