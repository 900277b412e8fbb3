// Loops over a channel that end on a message, after some time, or after a number of messages.
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

enum Job {
    Run(u32),
    Stop,
}

fn patient() {
    let (jobs, inbox) = channel::<u32>();
    jobs.send(1).unwrap();
    while let Ok(job) = inbox.recv_timeout(Duration::from_millis(1)) {
        println!("{job}");
    }
    drop(jobs);
}

fn told() {
    let (jobs, inbox) = channel();
    let worker = thread::spawn(move || {
        while let Ok(Job::Run(job)) = inbox.recv() {
            println!("{job}");
        }
    });
    jobs.send(Job::Run(1)).unwrap();
    jobs.send(Job::Stop).unwrap();
    worker.join().unwrap();
}

fn told_by_match() {
    let (jobs, inbox) = channel();
    jobs.send(Job::Stop).unwrap();
    loop {
        match inbox.recv() {
            Ok(Job::Run(job)) => println!("{job}"),
            Ok(Job::Stop) | Err(_) => break,
        }
    }
    drop(jobs);
}

fn counted() {
    let (jobs, inbox) = channel::<u32>();
    let worker = thread::spawn(move || inbox.iter().take(2).sum::<u32>());
    jobs.send(1).unwrap();
    jobs.send(2).unwrap();
    println!("{}", worker.join().unwrap());
    drop(jobs);
}

fn main() {
    patient();
    told();
    told_by_match();
    counted();
}
