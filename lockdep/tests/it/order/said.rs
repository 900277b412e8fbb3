//! When it is said, and what.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;

use lockdep::finding::{Rule, Tier};
use lockdep::order::LockOrder;
use lockdep::sync::Condvar;
use lockdep::thread;

use super::{Bank, Diamond, declared};
use crate::isolated::{found, run, run_with};

#[test]
fn it_is_said_before_the_acquisition_blocks() {
    fn body() {
        static SAID: AtomicBool = AtomicBool::new(false);
        let config = lockdep::Config::from_env();
        lockdep::configure(config.on_finding(|_| SAID.store(true, SeqCst)));
        let bank = Bank::default().in_order();
        let (locked, is_locked) = mpsc::channel();
        thread::scope(|s| {
            let bank = &bank;
            s.spawn(move || {
                let _accounts = bank.accounts.lock().unwrap();
                locked.send(()).unwrap();
                while !SAID.load(SeqCst) {
                    std::thread::yield_now();
                }
            });
            is_locked.recv().unwrap();
            let _audit = bank.audit.lock().unwrap();
            let _accounts = bank.accounts.lock().unwrap();
        });
        assert_eq!(found(), [(Rule::DeclaredOrder, Tier::Happened)]);
    }
    let name = "order::said::it_is_said_before_the_acquisition_blocks";
    let ended = run(name, body).well();
    assert!(ended.trace.contains(r#""place":"Bank.accounts""#), "{}", ended.trace);
    assert!(ended.trace.contains(r#""rule":"declared-order","tier":"happened""#));
}

#[test]
fn it_names_both_acquisitions_and_the_declaration() {
    fn body() {
        let bank = Bank::default().in_order();
        let audit = bank.audit.lock().unwrap();
        let line = line!() - 1;
        for _ in 0..2 {
            drop(bank.accounts.lock().unwrap());
        }
        drop(audit);
        let findings = declared();
        assert_eq!(findings.len(), 1, "the same is said once");
        let finding = &findings[0];
        let edge = &finding.edges[0];
        assert_eq!((edge.from_site.line(), edge.to_site.line()), (line, line + 3));
        let (declared, label) = finding.sites[0];
        assert!(declared.file().ends_with("order.rs"), "{declared}");
        assert_eq!(label, "this order is declared here");
        let message = finding.message();
        assert!(message.contains("asks for Mutex `Bank.accounts` ("), "{message}");
        assert!(message.ends_with("which is declared to come after it"), "{message}");
    }
    run("order::said::it_names_both_acquisitions_and_the_declaration", body).well();
}

#[test]
fn what_is_declared_and_what_is_left_open_is_silent() {
    fn body() {
        let bank = Bank::default().in_order();
        {
            let _accounts = bank.accounts.lock().unwrap();
            let _free = bank.free.lock().unwrap();
            let _audit = bank.audit.lock().unwrap();
        }
        // Released in any order, and one after the other.
        drop(bank.audit.lock().unwrap());
        drop(bank.accounts.lock().unwrap());
        let diamond = Diamond::default().in_order();
        {
            let _top = diamond.top.write().unwrap();
            let _left = diamond.left.write().unwrap();
            let _right = diamond.right.write().unwrap();
            let _bottom = diamond.bottom.write().unwrap();
        }
        {
            let _right = diamond.right.read().unwrap();
            let _left = diamond.left.read().unwrap();
        }
        assert!(declared().is_empty(), "{:?}", declared());
    }
    run("order::said::what_is_declared_and_what_is_left_open_is_silent", body).well();
}

#[test]
fn every_mode_counts_and_steps_may_be_left_out() {
    fn body() {
        let diamond = Diamond::default().in_order();
        {
            let _bottom = diamond.bottom.read().unwrap();
            drop(diamond.top.read().unwrap());
        }
        assert_eq!(declared().len(), 1);
        assert_eq!(declared()[0].sites.len(), 2, "two steps lead from `top` to `bottom`");
        {
            let _left = diamond.left.write().unwrap();
            drop(diamond.top.read().unwrap());
        }
        {
            let _bottom = diamond.bottom.read().unwrap();
            drop(diamond.right.write().unwrap());
        }
        assert_eq!(declared().len(), 3);
    }
    run("order::said::every_mode_counts_and_steps_may_be_left_out", body).well();
}

#[test]
fn an_attempt_is_never_against_the_order_but_is_held() {
    fn body() {
        let bank = Bank::default().in_order();
        {
            let _audit = bank.audit.lock().unwrap();
            let _accounts = bank.accounts.try_lock().unwrap();
        }
        assert!(declared().is_empty());
        {
            let _audit = bank.audit.try_lock().unwrap();
            let _accounts = bank.accounts.lock().unwrap();
        }
        assert_eq!(declared().len(), 1);
    }
    run("order::said::an_attempt_is_never_against_the_order_but_is_held", body).well();
}

#[test]
fn a_wait_that_takes_its_mutex_again_is_an_acquisition() {
    fn body() {
        let (bank, condvar) = (Bank::default().in_order(), Condvar::new());
        let accounts = bank.accounts.lock().unwrap();
        let _audit = bank.audit.lock().unwrap();
        assert!(declared().is_empty());
        let _ = condvar.wait_timeout(accounts, std::time::Duration::ZERO).unwrap();
        assert_eq!(declared().len(), 1);
    }
    run("order::said::a_wait_that_takes_its_mutex_again_is_an_acquisition", body).well();
}

#[test]
fn it_holds_between_values_threads_and_for_new_values() {
    fn body() {
        for round in 0..3 {
            let banks = [Bank::default().in_order(), Bank::default().in_order()];
            thread::scope(|s| {
                let [a, b] = &banks;
                let first = s.spawn(|| {
                    let _accounts = a.accounts.lock().unwrap();
                    drop(b.audit.lock().unwrap());
                });
                first.join().unwrap();
                s.spawn(|| {
                    let _audit = a.audit.lock().unwrap();
                    drop(b.accounts.lock().unwrap());
                });
            });
            assert_eq!(declared().len(), 1, "round {round}");
        }
    }
    run("order::said::it_holds_between_values_threads_and_for_new_values", body).well();
}

#[test]
fn a_finding_is_printed_with_the_declaration() {
    fn body() {
        let bank = Bank::default().in_order();
        let _audit = bank.audit.lock().unwrap();
        drop(bank.accounts.lock().unwrap());
    }
    let name = "order::said::a_finding_is_printed_with_the_declaration";
    let ended = run_with(name, &[("LOCKDEP_PRINT", "all")], body).well();
    let printed = &ended.stderr;
    assert!(printed.contains("declared-order (happened): "), "{printed}");
    assert!(printed.contains("this order is declared here: "), "{printed}");
}
