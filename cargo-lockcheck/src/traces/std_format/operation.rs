//! The operations of a line, and what they are called.

use crate::predict::recording::Mode;

/// What a line says, before it is known of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Request(Mode),
    Acquire(Mode),
    Try(Mode),
    Release,
    Fork,
    Join,
    Read,
    Write,
    Wait,
    Notify,
    NotifyAll,
    Send,
    Receive,
    Barrier,
    /// The first or last step of a thread, or one of no meaning.
    Nothing,
}

/// All names; the first of each operation is the one that is written.
pub(super) const NAMES: &[(&str, Operation)] = &[
    ("req", Operation::Request(Mode::Write)),
    ("ureq", Operation::Request(Mode::Upgradable)),
    ("rreq", Operation::Request(Mode::Read)),
    ("acq", Operation::Acquire(Mode::Write)),
    ("uacq", Operation::Acquire(Mode::Upgradable)),
    ("racq", Operation::Acquire(Mode::Read)),
    ("try", Operation::Try(Mode::Write)),
    ("utry", Operation::Try(Mode::Upgradable)),
    ("rtry", Operation::Try(Mode::Read)),
    ("rel", Operation::Release),
    ("rrel", Operation::Release),
    ("fork", Operation::Fork),
    ("join", Operation::Join),
    ("r", Operation::Read),
    ("w", Operation::Write),
    ("wait", Operation::Wait),
    ("notify", Operation::Notify),
    ("notifyAll", Operation::NotifyAll),
    ("broadcast", Operation::NotifyAll),
    ("send", Operation::Send),
    ("recv", Operation::Receive),
    ("bar", Operation::Barrier),
    ("begin", Operation::Nothing),
    ("end", Operation::Nothing),
    ("dummy", Operation::Nothing),
];

impl Operation {
    /// The operation that is called so.
    pub(super) fn named(name: &str) -> Option<Operation> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation)
    }

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        let name = NAMES.iter().find(|(_, operation)| *operation == self);
        name.map_or("dummy", |(name, _)| name)
    }
}
