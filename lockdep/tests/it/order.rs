//! The declared order at run time: what is against it, and what is not.

mod levels;
mod nested;
mod parking_lot;
mod places;
mod said;

use std::sync::Arc;

use lockdep::Finding;
use lockdep::finding::Rule;
use lockdep::order::LockOrder;
use lockdep::sync::{Mutex, RwLock};

/// Made by derives, so that only the declaration tells its locks apart.
#[derive(Default, LockOrder)]
#[lock_order(accounts < audit)]
pub(crate) struct Bank {
    pub(crate) accounts: Mutex<u64>,
    pub(crate) audit: Mutex<u64>,
    pub(crate) free: Mutex<u64>,
}

#[derive(Default, LockOrder)]
#[lock_order(top < (left, right) < bottom)]
pub(crate) struct Diamond {
    pub(crate) top: RwLock<()>,
    pub(crate) left: RwLock<()>,
    pub(crate) right: RwLock<()>,
    pub(crate) bottom: RwLock<()>,
}

/// What was found about the declared order.
pub(crate) fn declared() -> Vec<Arc<Finding>> {
    let mut findings = lockdep::findings();
    findings.retain(|finding| finding.rule == Rule::DeclaredOrder);
    findings
}
