//! The queue, over every interleaving of a few tasks that ask, give back and give up.

use std::collections::{HashMap, HashSet};

use lockdep::banker::{
    BankerError, BankerQueue, BankerState, Policy, Resource, Submitted, TaskId, Ticket,
};

use super::naive::{self, Matrix};

const BOUND: u32 = 1;

/// What makes two states of a queue the same for all that follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    held: Vec<Vec<u64>>,
    queue: Vec<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    task: usize,
    units: Vec<(Resource, u64)>,
    passed: u32,
}

struct Model {
    total: Vec<u64>,
    claims: Matrix,
}

impl Model {
    fn start(&self) -> BankerQueue {
        let totals = self.total.iter().enumerate();
        let mut state = BankerState::new(totals.map(|(r, total)| (r.to_string(), *total)));
        for (task, claim) in self.claims.iter().enumerate() {
            state.claim(task.to_string(), &units(claim)).expect("claims fit the totals");
        }
        BankerQueue::new(state, Policy::Avoid).with_bound(BOUND)
    }

    fn tasks(&self, queue: &BankerQueue) -> Vec<TaskId> {
        queue.state().tasks().collect()
    }

    fn held(&self, queue: &BankerQueue) -> Matrix {
        let state = queue.state();
        let row = |task| state.resources().map(|r| state.held(task, r)).collect();
        state.tasks().map(row).collect()
    }

    fn key(&self, queue: &BankerQueue) -> Key {
        let waiting = queue.waiting().map(|(ticket, task, passed)| {
            let units = queue.requested(ticket);
            Waiting { task: task.index(), units, passed: passed.min(BOUND) }
        });
        Key { held: self.held(queue), queue: waiting.collect() }
    }

    /// All that can happen next; a task that waits does nothing but give up.
    fn next(&self, queue: &BankerQueue) -> Vec<Step> {
        let held = self.held(queue);
        let mut steps = Vec::new();
        for task in self.tasks(queue) {
            let held = &held[task.index()];
            if let Some((ticket, ..)) = queue.waiting().find(|waiter| waiter.1 == task) {
                let mut queue = queue.clone();
                let granted = queue.cancel(ticket);
                steps.push(Step { queue, granted, fair: false });
                continue;
            }
            let need: Vec<u64> =
                self.claims[task.index()].iter().zip(held).map(|(max, held)| max - held).collect();
            for request in up_to(&need) {
                let mut queue = queue.clone();
                queue.submit(task, &units(&request)).expect("within the claim");
                steps.push(Step { queue, granted: vec![], fair: true });
            }
            for part in up_to(held) {
                let mut queue = queue.clone();
                let granted = queue.release(task, &units(&part)).expect("it is held");
                steps.push(Step { queue, granted, fair: &part == held });
            }
        }
        steps
    }

    fn check(&self, queue: &BankerQueue) {
        let (state, held) = (queue.state(), self.held(queue));
        let free: Vec<u64> = state.resources().map(|r| state.available(r)).collect();
        assert!(self.is_safe(&free, &held), "unsafe:\n{state}");
        let mut waits = vec![false; held.len()];
        for (at, (ticket, task, passed)) in queue.waiting().enumerate() {
            waits[task.index()] = true;
            let closed = queue.waiting().next().is_some_and(|first| first.2 >= BOUND);
            // The claims of these models all meet: behind a gate only holders go on.
            if at > 0 && closed && held[task.index()].iter().all(|units| *units == 0) {
                continue;
            }
            let (mut free, mut held) = (free.clone(), held.clone());
            let fits = queue.requested(ticket).iter().all(|(resource, asked)| {
                held[task.index()][resource.index()] += asked;
                let left = free[resource.index()].checked_sub(*asked);
                free[resource.index()] = left.unwrap_or(0);
                left.is_some()
            });
            let grantable = fits && self.is_safe(&free, &held);
            assert!(!grantable, "waiter {at}, passed {passed} times, could be granted:\n{state}");
        }
        if waits.contains(&true) {
            let moves = (0..held.len()).any(|i| !waits[i] && held[i].iter().any(|h| *h > 0));
            assert!(moves, "all that hold something wait:\n{state}");
        }
    }

    fn is_safe(&self, free: &[u64], held: &Matrix) -> bool {
        let need = |(max, held): (&Vec<u64>, &Vec<u64>)| {
            max.iter().zip(held).map(|(max, held)| max - held).collect()
        };
        let need: Matrix = self.claims.iter().zip(held).map(need).collect();
        naive::unfinished(free, held, &need).is_empty()
    }

    /// Visits every state; returns how many there are.
    fn explore(&self) -> usize {
        let start = self.start();
        let mut numbers = HashMap::from([(self.key(&start), 0_usize)]);
        let mut open = vec![start];
        // Steps during which the same first waiter stays passed over as often as it may be.
        let mut held_up: HashMap<usize, Vec<usize>> = HashMap::new();
        while let Some(queue) = open.pop() {
            self.check(&queue);
            let from = numbers[&self.key(&queue)];
            let before = closed_by(&queue);
            for step in self.next(&queue) {
                let fresh = numbers.len();
                let to = *numbers.entry(self.key(&step.queue)).or_insert(fresh);
                if let Some(first) = before
                    && closed_by(&step.queue) == Some(first)
                {
                    self.check_gate(&queue, &step);
                    if step.fair {
                        held_up.entry(from).or_default().push(to);
                    }
                }
                if to == fresh {
                    open.push(step.queue);
                }
            }
        }
        assert!(is_acyclic(&held_up), "a waiter can be passed over for ever");
        numbers.len()
    }

    /// Behind a closed gate, nobody who holds nothing begins.
    fn check_gate(&self, before: &BankerQueue, step: &Step) {
        let (old, new) = (self.held(before), self.held(&step.queue));
        for (old, new) in old.iter().zip(&new) {
            let began = old.iter().all(|h| *h == 0) && new.iter().any(|h| *h > 0);
            assert!(!began, "began behind the gate: {:?}\n{}", step.granted, before.state());
        }
    }
}

struct Step {
    queue: BankerQueue,
    granted: Vec<Ticket>,
    /// The task keeps its side of the bargain: it gives back all it has, and does not give up.
    fair: bool,
}

fn units(row: &[u64]) -> Vec<(Resource, u64)> {
    row.iter().enumerate().map(|(r, units)| (Resource::at(r), *units)).collect()
}

/// All vectors that are not 0 and nowhere above `bound`.
fn up_to(bound: &[u64]) -> Vec<Vec<u64>> {
    let mut all = vec![vec![]];
    for bound in bound {
        all = all
            .iter()
            .flat_map(|row: &Vec<u64>| {
                (0..=*bound).map(|units| row.iter().copied().chain([units]).collect())
            })
            .collect();
    }
    all.retain(|row| row.iter().any(|units| *units > 0));
    all
}

fn closed_by(queue: &BankerQueue) -> Option<Ticket> {
    queue.waiting().next().filter(|first| first.2 >= BOUND).map(|first| first.0)
}

fn is_acyclic(edges: &HashMap<usize, Vec<usize>>) -> bool {
    let (mut done, mut path) = (HashSet::new(), HashSet::new());
    for start in edges.keys() {
        let mut stack = vec![(*start, 0)];
        while let Some((node, child)) = stack.pop() {
            if child == 0 && (done.contains(&node) || !path.insert(node)) {
                continue;
            }
            match edges.get(&node).and_then(|next| next.get(child)) {
                Some(next) => {
                    stack.push((node, child + 1));
                    if path.contains(next) {
                        return false;
                    }
                    stack.push((*next, 0));
                }
                None => {
                    path.remove(&node);
                    done.insert(node);
                }
            }
        }
    }
    true
}

#[test]
fn three_tasks_over_one_resource() {
    let model = Model { total: vec![4], claims: vec![vec![3], vec![2], vec![4]] };
    assert!(model.explore() > 500);
}

#[test]
fn three_tasks_over_two_resources() {
    let model = Model { total: vec![2, 1], claims: vec![vec![2, 1], vec![1, 1], vec![2, 0]] };
    assert!(model.explore() > 500);
}

#[test]
fn four_tasks_over_one_resource() {
    let model = Model { total: vec![3], claims: vec![vec![2], vec![2], vec![3], vec![1]] };
    assert!(model.explore() > 1_000);
}

#[test]
fn four_tasks_over_two_resources() {
    let claims = vec![vec![2, 1], vec![3, 1], vec![2, 0], vec![1, 1]];
    assert!(Model { total: vec![3, 1], claims }.explore() > 10_000);
}

#[test]
fn bk07_no_head_of_line_deadlock() {
    let tape = Resource::at(0);
    let mut state = BankerState::new([("tape", 10)]);
    let p = [(9, 3), (4, 2), (7, 2)].map(|(max, held)| {
        let task = state.claim("task", &[(tape, max)]).expect("below the total");
        state.request(task, &[(tape, held)]).expect("safe");
        task
    });
    assert_eq!(state.safe_sequence(), Some(vec![p[1], p[2], p[0]]));
    let mut queue = BankerQueue::new(state, Policy::Avoid);
    let first = queue.submit(p[0], &[(tape, 1)]).expect("within the claim");
    let Submitted::Waits(first) = first else { panic!("granting it is unsafe") };
    assert_eq!(queue.submit(p[1], &[(tape, 2)]), Ok(Submitted::Granted));
    // One unit for the first would still leave nobody who could finish.
    assert_eq!(queue.release(p[1], &[(tape, 4)]), Ok(vec![]));
    assert_eq!(queue.submit(p[2], &[(tape, 5)]), Ok(Submitted::Granted));
    assert_eq!(queue.release(p[2], &[(tape, 7)]), Ok(vec![first]));
}

/// What the model is too small for: a run of many tasks in which each takes what it claims in steps
/// of its own, gives some back on the way, gives up a request now and then, and gives all back in
/// the end. It must come to its end, whatever the order of the steps.
fn finishes(rng: &mut fastrand::Rng, totals: &[u64], tasks: usize, bound: u32) {
    let named = totals.iter().enumerate().map(|(r, total)| (r.to_string(), *total));
    let mut state = BankerState::new(named);
    let mut wanted: HashMap<TaskId, Vec<u64>> = HashMap::new();
    for task in 0..tasks {
        let maximum: Vec<u64> = totals.iter().map(|total| rng.u64(0..=*total)).collect();
        let id = state.claim(task.to_string(), &units(&maximum)).expect("below the totals");
        wanted.insert(id, maximum);
    }
    let mut queue = BankerQueue::new(state, Policy::Avoid).with_bound(bound);
    let mut running: Vec<TaskId> = queue.state().tasks().collect();
    let mut waiting: HashMap<Ticket, TaskId> = HashMap::new();
    // So often a task does something else than to go on to its end.
    let mut detours = 4 * tasks;
    while !running.is_empty() {
        let granted = if detours > 0 && rng.u32(0..8) == 0 {
            detours -= 1;
            match waiting.keys().copied().min() {
                Some(ticket) if rng.bool() => {
                    let task = waiting.remove(&ticket).expect("it is the key of one");
                    running.push(task);
                    let granted = queue.cancel(ticket);
                    // What it has given up asking for it must ask for again.
                    wanted.insert(task, rest(&queue, task));
                    granted
                }
                _ => {
                    let task = running[rng.usize(0..running.len())];
                    let held = queue.state().resources().map(|r| queue.state().held(task, r));
                    let part: Vec<u64> = held.map(|held| rng.u64(0..=held)).collect();
                    let granted = queue.release(task, &units(&part)).expect("it is held");
                    wanted.insert(task, rest(&queue, task));
                    granted
                }
            }
        } else {
            let at = rng.usize(0..running.len());
            let task = running[at];
            let rest = wanted.get_mut(&task).expect("each task wants something, or nothing");
            if rest.iter().all(|units| *units == 0) {
                queue.leave(running.swap_remove(at)).expect("it is there")
            } else {
                let step: Vec<u64> = rest.iter().map(|rest| rng.u64(0..=*rest)).collect();
                rest.iter_mut().zip(&step).for_each(|(rest, step)| *rest -= step);
                match queue.submit(task, &units(&step)).expect("within the claim") {
                    Submitted::Granted => {}
                    Submitted::Waits(ticket) => {
                        waiting.insert(ticket, running.swap_remove(at));
                    }
                }
                vec![]
            }
        };
        running.extend(granted.iter().filter_map(|ticket| waiting.remove(ticket)));
    }
    assert_eq!(waiting.len(), 0, "bound {bound}: all that are left wait\n{}", queue.state());
    assert_eq!(queue.state().tasks().count(), 0);
}

/// What the task's claim leaves it to ask for.
fn rest(queue: &BankerQueue, task: TaskId) -> Vec<u64> {
    let state = queue.state();
    state.resources().map(|r| state.claimed(task, r) - state.held(task, r)).collect()
}

#[test]
fn a_run_that_respects_its_claims_always_finishes() {
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..2_000 {
        let totals: Vec<u64> = (0..rng.usize(1..=4)).map(|_| rng.u64(1..=6)).collect();
        let (tasks, bound) = (rng.usize(1..=12), rng.u32(0..=3));
        finishes(&mut rng, &totals, tasks, bound);
    }
    for bound in [0, 1, 3, BankerQueue::DEFAULT_BOUND] {
        finishes(&mut rng, &[7, 5, 11, 3], 200, bound);
    }
}

#[test]
fn bk11_a_cancelled_request_holds_nobody_up() {
    let tape = Resource::at(0);
    let mut state = BankerState::new([("tape", 4)]);
    let task = |state: &mut BankerState, max| state.claim("task", &[(tape, max)]).expect("fits");
    let (holder, big, small) = (task(&mut state, 3), task(&mut state, 4), task(&mut state, 1));
    let mut queue = BankerQueue::new(state, Policy::Avoid).with_bound(0);
    assert_eq!(queue.submit(holder, &[(tape, 1)]), Ok(Submitted::Granted));
    let Ok(Submitted::Waits(first)) = queue.submit(big, &[(tape, 4)]) else { panic!("not free") };
    // With a bound of 0 the first waiter is not passed at all.
    assert_eq!(queue.try_submit(small, &[(tape, 1)]), Err(BankerError::Unavailable));
    let Ok(Submitted::Waits(second)) = queue.submit(small, &[(tape, 1)]) else { panic!("gated") };
    assert_eq!(queue.cancel(first), [second]);
    assert_eq!(queue.cancel(first), []);
    assert_eq!(queue.state().held(big, tape), 0);
    assert_eq!(queue.waiting().count(), 0);
}

#[test]
fn a_closed_gate_lets_unrelated_tasks_pass() {
    let (cpu, gpu) = (Resource::at(0), Resource::at(1));
    let mut state = BankerState::new([("cpu", 2), ("gpu", 1)]);
    let mut task = |max: &[(Resource, u64)]| state.claim("task", max).expect("fits");
    let (holder, waiter, other) = (task(&[(gpu, 1)]), task(&[(gpu, 1)]), task(&[(cpu, 2)]));
    let mut queue = BankerQueue::new(state, Policy::Avoid).with_bound(1);
    assert_eq!(queue.submit(holder, &[(gpu, 1)]), Ok(Submitted::Granted));
    assert!(matches!(queue.submit(waiter, &[(gpu, 1)]), Ok(Submitted::Waits(_))));
    for _ in 0..3 {
        assert_eq!(queue.submit(other, &[(cpu, 2)]), Ok(Submitted::Granted));
        assert_eq!(queue.release(other, &[(cpu, 2)]), Ok(vec![]));
    }
    let passed: Vec<u32> = queue.waiting().map(|waiter| waiter.2).collect();
    assert_eq!(passed, [3]);
}

#[test]
fn several_requests_of_one_task_stay_within_its_claim() {
    let tape = Resource::at(0);
    let mut state = BankerState::new([("tape", 3)]);
    let all = state.claim("all", &[(tape, 3)]).expect("fits");
    let task = state.claim("task", &[(tape, 3)]).expect("fits");
    let mut queue = BankerQueue::new(state, Policy::Avoid);
    assert_eq!(queue.submit(all, &[(tape, 3)]), Ok(Submitted::Granted));
    assert!(matches!(queue.submit(task, &[(tape, 2)]), Ok(Submitted::Waits(_))));
    let refused = queue.submit(task, &[(tape, 2)]).expect_err("four are more than three");
    assert_eq!(refused, BankerError::ExceedsClaim { resource: "tape".into(), asked: 2, left: 1 });
    assert!(matches!(queue.submit(task, &[(tape, 1)]), Ok(Submitted::Waits(_))));
    assert!(matches!(queue.set_claim(task, tape, 2), Err(BankerError::ExceedsHeld { .. })));
    assert_eq!(queue.leave(all).expect("it is there").len(), 2);
}

#[test]
fn detection_refuses_the_request_that_completes_a_deadlock() {
    let (a, b) = (Resource::at(0), Resource::at(1));
    let mut state = BankerState::new([("a", 1), ("b", 1)]);
    let [one, two, three] =
        ["one", "two", "three"].map(|name| state.claim(name, &[(a, 1), (b, 1)]).expect("fits"));
    let mut queue = BankerQueue::new(state, Policy::Detect);
    assert_eq!(queue.submit(one, &[(a, 1)]), Ok(Submitted::Granted));
    assert_eq!(queue.submit(two, &[(b, 1)]), Ok(Submitted::Granted));
    assert!(matches!(queue.submit(three, &[(a, 1)]), Ok(Submitted::Waits(_))));
    assert!(matches!(queue.submit(one, &[(b, 1)]), Ok(Submitted::Waits(_))));
    assert_eq!(queue.deadlocked(), []);
    let tasks = vec!["one".into(), "two".into(), "three".into()];
    assert_eq!(queue.submit(two, &[(a, 1)]), Err(BankerError::Deadlock { tasks }));
    assert_eq!(queue.waiting().count(), 2, "the refused request does not wait");
    assert_eq!(queue.release(two, &[(b, 1)]).expect("it is held").len(), 1);
}
