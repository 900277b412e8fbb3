// A function that boxes a closure and sends, stores or returns it does not run it: what the closure
// locks is locked after the caller has let go.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;
type Hook = Arc<dyn Fn() -> usize + Send + Sync>;

struct Workers {
    jobs: mpsc::Sender<Job>,
}

impl Workers {
    fn start() -> Workers {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::spawn(move || queue.into_iter().for_each(|job| job()));
        Workers { jobs }
    }
    fn submit(&self, job: impl FnOnce() + Send + 'static) {
        self.jobs.send(Box::new(job)).unwrap();
    }
    fn submit_cast<F: FnOnce() + Send + 'static>(&self, job: F) {
        self.jobs.send(Box::new(job) as Job).unwrap();
    }
}

#[derive(Default)]
struct Hooks {
    listed: Mutex<Vec<Box<dyn Fn() -> usize + Send + Sync>>>,
    named: Mutex<HashMap<u32, Hook>>,
    deferred: Mutex<Vec<Job>>,
}

impl Hooks {
    fn list(&self, hook: impl Fn() -> usize + Send + Sync + 'static) {
        self.listed.lock().unwrap().push(Box::new(hook));
    }
    fn name<F: Fn() -> usize + Send + Sync + 'static>(&self, name: u32, hook: F) {
        self.named.lock().unwrap().insert(name, Arc::new(hook));
    }
    fn defer<F: FnOnce() + Send + 'static>(&self, job: F) {
        self.deferred.lock().unwrap().push(Box::new(job));
    }
    fn run_deferred(&self) {
        let jobs = std::mem::take(&mut *self.deferred.lock().unwrap());
        jobs.into_iter().for_each(|job| job());
    }
}

fn boxed<F: Fn() -> usize>(f: F) -> Box<F> {
    Box::new(f)
}

fn all_of<F: Fn() -> usize>(f: F) -> Vec<F> {
    vec![f]
}

struct Store {
    items: Mutex<Vec<u32>>,
    hooks: Hooks,
    workers: Workers,
}

impl Store {
    fn len(&self) -> usize {
        self.items.lock().unwrap().len()
    }
    fn later(self: &Arc<Self>) {
        let items = self.items.lock().unwrap();
        let (first, second) = (Arc::clone(self), Arc::clone(self));
        self.workers.submit(move || first.items.lock().unwrap().clear());
        self.workers.submit_cast(move || second.items.lock().unwrap().clear());
        println!("{}", items.len());
    }
    fn hooked(self: &Arc<Self>) {
        let items = self.items.lock().unwrap();
        let (first, second) = (Arc::clone(self), Arc::clone(self));
        self.hooks.list(move || first.len());
        self.hooks.name(items[0], move || second.len());
    }
    fn deferred(self: &Arc<Self>) {
        {
            let mut items = self.items.lock().unwrap();
            items.push(1);
            let this = Arc::clone(self);
            self.hooks.defer(move || this.items.lock().unwrap().push(2));
        }
        self.hooks.run_deferred();
    }
    fn made_under_the_lock(&self) -> usize {
        let items = self.items.lock().unwrap();
        let one = boxed(|| self.len());
        let all = all_of(|| self.len());
        let own = vec![|| self.len()];
        drop(items);
        one() + all[0]() + own[0]()
    }
}

fn main() {
    let store = Arc::new(Store {
        items: Mutex::default(),
        hooks: Hooks::default(),
        workers: Workers::start(),
    });
    store.deferred();
    store.hooked();
    store.later();
    store.made_under_the_lock();
}
