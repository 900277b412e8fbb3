//! A guard that a function is lent in an `if let` lives on in its block.
use std::collections::VecDeque;
use std::sync::Mutex;

#[derive(Clone)]
struct Job {
    tries: u8,
}

pub struct Pool {
    jobs: Mutex<VecDeque<Job>>,
}

fn next(jobs: &mut VecDeque<Job>) -> Option<Job> {
    jobs.pop_front()
}

impl Pool {
    pub fn run_one(&self) -> bool {
        if let Some(job) = next(&mut self.jobs.lock().unwrap()) { // found: double-lock
            if job.tries < 3 {
                self.requeue(job); // found: double-lock
            }
            return true;
        }
        false
    }

    fn requeue(&self, mut job: Job) {
        job.tries += 1;
        self.jobs.lock().unwrap().push_back(job);
    }
}

fn main() {
    let pool = Pool { jobs: Mutex::new(VecDeque::from([Job { tries: 0 }])) };
    while pool.run_one() {}
}
