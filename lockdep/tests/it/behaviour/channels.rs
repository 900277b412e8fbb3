//! `mpsc`.

use std::time::Duration;

use super::sync::Arc;
use super::sync::mpsc::{
    RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, channel, sync_channel,
};
use super::thread;

#[test]
fn messages_come_in_order() {
    let (sender, receiver) = channel();
    thread::scope(|s| {
        s.spawn(move || (0..100).for_each(|n| sender.send(n).unwrap()));
        assert!(receiver.iter().eq(0..100));
    });
    assert_eq!(receiver.recv(), Err(RecvError));
}

#[test]
fn many_send_to_one() {
    let (sender, receiver) = channel();
    thread::scope(|s| {
        for _ in 0..4 {
            let sender = sender.clone();
            s.spawn(move || (0..50).for_each(|n| sender.send(n).unwrap()));
        }
        drop(sender);
        assert_eq!(receiver.into_iter().sum::<u32>(), 4 * (0..50).sum::<u32>());
    });
}

#[test]
fn the_end_of_a_side_is_an_error_on_the_other() {
    let (sender, receiver) = channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send(1).unwrap();
    let clone = sender.clone();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(1));
    drop(clone);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(receiver.recv(), Err(RecvError));
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected));
    let (sender, receiver) = channel();
    drop(receiver);
    assert_eq!(sender.send(2), Err(SendError(2)));
    let (sender, receiver) = sync_channel(1);
    drop(receiver);
    assert_eq!(sender.send(3), Err(SendError(3)));
    assert_eq!(sender.try_send(4), Err(TrySendError::Disconnected(4)));
}

#[test]
fn a_receiver_is_woken_by_the_last_sender() {
    let (sender, receiver) = channel::<u8>();
    thread::scope(|s| {
        s.spawn(move || {
            thread::yield_now();
            drop(sender.clone());
            drop(sender);
        });
        assert_eq!(receiver.recv(), Err(RecvError));
    });
}

#[test]
fn a_bounded_channel_holds_back() {
    let (sender, receiver) = sync_channel(2);
    assert_eq!(sender.try_send(0), Ok(()));
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    thread::scope(|s| {
        s.spawn(move || (2..50).for_each(|n| sender.send(n).unwrap()));
        assert!(receiver.iter().eq(0..50));
    });
}

#[test]
fn a_rendezvous_hands_over() {
    let (sender, receiver) = sync_channel(0);
    assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
    thread::scope(|s| {
        let clone = sender.clone();
        s.spawn(move || (0..20).for_each(|n| clone.send(n).unwrap()));
        assert!(receiver.iter().take(20).eq(0..20));
        s.spawn(move || assert_eq!(sender.send(20), Err(SendError(20))));
        thread::yield_now();
        drop(receiver);
    });
}

#[test]
fn a_timed_receive_ends() {
    let (sender, receiver) = channel();
    let short = Duration::from_millis(1);
    assert_eq!(receiver.recv_timeout(short), Err(RecvTimeoutError::Timeout));
    thread::scope(|s| {
        s.spawn(|| sender.send(1).unwrap());
        assert_eq!(receiver.recv_timeout(Duration::from_secs(1000)), Ok(1));
    });
}

#[test]
fn try_iter_takes_what_is_there() {
    let (sender, receiver) = channel();
    (0..3).for_each(|n| sender.send(n).unwrap());
    assert!(receiver.try_iter().eq(0..3));
    assert_eq!(receiver.try_iter().next(), None);
    sender.send(3).unwrap();
    drop(sender);
    assert!(IntoIterator::into_iter(&receiver).eq(3..4));
}

#[test]
fn what_is_not_received_is_dropped() {
    let value = Arc::new(());
    let (sender, receiver) = channel();
    sender.send(Arc::clone(&value)).unwrap();
    sender.send(Arc::clone(&value)).unwrap();
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(sender.send(Arc::clone(&value)).is_err());
    assert_eq!(Arc::strong_count(&value), 1);
}
