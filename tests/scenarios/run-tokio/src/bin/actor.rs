//! id: actor
//! expect: none
//! note: an actor with a mailbox, and callers that wait for its answers

use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, Mutex};

enum Ask {
    Get(String, oneshot::Sender<Option<u32>>),
    Put(String, u32),
}

#[tokio::main]
async fn main() {
    let (sender, mut mailbox) = mpsc::channel(4);
    let log = Arc::new(Mutex::new(Vec::new()));
    let of_actor = log.clone();
    let actor = tokio::spawn(async move {
        let mut values = HashMap::new();
        while let Some(ask) = mailbox.recv().await {
            of_actor.lock().await.push(values.len());
            match ask {
                Ask::Get(key, answer) => drop(answer.send(values.get(&key).copied())),
                Ask::Put(key, value) => drop(values.insert(key, value)),
            }
        }
    });
    let callers: Vec<_> = (0..10)
        .map(|n: u32| {
            let sender = sender.clone();
            tokio::spawn(async move {
                sender.send(Ask::Put(n.to_string(), n)).await.ok().unwrap();
                let (answer, got) = oneshot::channel();
                sender.send(Ask::Get(n.to_string(), answer)).await.ok().unwrap();
                assert_eq!(got.await.unwrap(), Some(n));
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    drop(sender);
    actor.await.unwrap();
    assert_eq!(log.lock().await.len(), 20);
}
