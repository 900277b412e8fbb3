//! The book: textbook states, refusals, and random states against the naive algorithm.

use lockdep::banker::{BankerError, BankerQueue, BankerState, Policy, Resource, Submitted, TaskId};

use super::naive::{self, Matrix};

fn row(units: &[u64]) -> Vec<(Resource, u64)> {
    units.iter().enumerate().map(|(index, units)| (Resource::at(index), *units)).collect()
}

/// A state of `total` units in which task `i` claims `max[i]` and holds `held[i]`.
fn state(total: &[u64], max: &[&[u64]], held: &[&[u64]]) -> (BankerState, Vec<TaskId>) {
    let names = ["A", "B", "C", "D"];
    let mut state = BankerState::new(names.into_iter().zip(total.iter().copied()));
    let mut tasks = Vec::new();
    for (index, (max, held)) in max.iter().zip(held).enumerate() {
        let task = state.claim(format!("P{index}"), &row(max)).expect("claims fit the totals");
        state.allocate(task, &row(held)).expect("the units are there");
        tasks.push(task);
    }
    (state, tasks)
}

fn available(state: &BankerState) -> Vec<u64> {
    state.resources().map(|resource| state.available(resource)).collect()
}

fn indices(tasks: &[TaskId]) -> Vec<usize> {
    tasks.iter().map(|task| task.index()).collect()
}

/// Silberschatz's example.
fn silberschatz() -> (BankerState, Vec<TaskId>) {
    state(
        &[10, 5, 7],
        &[&[7, 5, 3], &[3, 2, 2], &[9, 0, 2], &[2, 2, 2], &[4, 3, 3]],
        &[&[0, 1, 0], &[2, 0, 0], &[3, 0, 2], &[2, 1, 1], &[0, 0, 2]],
    )
}

#[test]
fn bk01_silberschatz_is_safe() {
    let (state, _) = silberschatz();
    assert_eq!(available(&state), [3, 3, 2]);
    assert!(state.is_safe());
    assert_eq!(indices(&state.safe_sequence().expect("safe")), [1, 3, 4, 0, 2]);
    assert_eq!(state.unfinished(), []);
}

/// Silberschatz's example, once P1 has been given what it asks for.
fn after_p1() -> (BankerState, Vec<TaskId>) {
    let (mut state, p) = silberschatz();
    state.request(p[1], &row(&[1, 0, 2])).expect("the state stays safe");
    (state, p)
}

#[test]
fn bk02_what_leaves_the_state_safe_is_granted() {
    let (state, _) = after_p1();
    assert_eq!(available(&state), [2, 3, 0]);
    assert_eq!(indices(&state.safe_sequence().expect("safe")), [1, 3, 4, 0, 2]);
}

/// A refusal changes nothing, and who waits gets what it asks for once the others have finished.
fn is_refused_and_waits(task: usize, request: &[u64], refusal: BankerError) {
    let (mut state, p) = after_p1();
    assert_eq!(state.request(p[task], &row(request)), Err(refusal));
    assert_eq!(available(&state), [2, 3, 0]);
    assert_eq!(indices(&state.safe_sequence().expect("safe")), [1, 3, 4, 0, 2]);

    let mut queue = BankerQueue::new(state, Policy::Avoid);
    let answer = queue.submit(p[task], &row(request));
    let Ok(Submitted::Waits(ticket)) = answer else { panic!("it must wait, not {answer:?}") };
    let others = p.iter().enumerate().filter(|(other, _)| *other != task);
    let granted = others.flat_map(|(_, other)| queue.leave(*other).expect("it is there"));
    assert_eq!(granted.collect::<Vec<_>>(), [ticket]);
}

#[test]
fn bk03_what_is_not_free_waits() {
    is_refused_and_waits(4, &[3, 3, 0], BankerError::Unavailable);
}

#[test]
fn bk04_what_is_free_and_unsafe_waits() {
    is_refused_and_waits(0, &[0, 2, 0], BankerError::Unsafe);
}

/// Coffman, Elphick and Shoshani's example: who waits for each other while P2 waits for `p2`.
fn deadlocked(p2: &[u64]) -> Vec<usize> {
    let all: &[u64] = &[7, 2, 6];
    let (state, p) =
        state(all, &[all; 5], &[&[0, 1, 0], &[2, 0, 0], &[3, 0, 3], &[2, 1, 1], &[0, 0, 2]]);
    assert_eq!(available(&state), [0, 0, 0]);
    let requests = [&[0, 0, 0], &[2, 0, 2], p2, &[1, 0, 0], &[0, 0, 2]].map(row);
    let waiting: Vec<_> = p.iter().copied().zip(requests.iter().map(Vec::as_slice)).collect();
    indices(&state.deadlocked(&waiting).expect("known tasks and resources"))
}

#[test]
fn bk05_detection_finds_no_deadlock_where_all_can_finish() {
    assert!(deadlocked(&[0, 0, 0]).is_empty());
}

#[test]
fn bk06_detection_finds_who_waits_for_each_other() {
    assert_eq!(deadlocked(&[0, 0, 1]), [1, 2, 3, 4]);
}

#[test]
fn bk08_a_claim_above_the_total_is_refused() {
    let mut state = BankerState::new([("tape", 3)]);
    let refused = state.claim("greedy", &row(&[4])).expect_err("there are three");
    let resource = "tape".into();
    assert_eq!(refused, BankerError::ExceedsTotal { resource, asked: 4, total: 3 });
    assert_eq!(state.tasks().count(), 0);
}

#[test]
fn bk09_a_request_above_the_claim_is_refused() {
    let (mut state, p) = silberschatz();
    let refused = state.request(p[1], &row(&[2, 0, 0])).expect_err("it may have one more");
    assert_eq!(refused, BankerError::ExceedsClaim { resource: "A".into(), asked: 2, left: 1 });
    // The parts of one request count together.
    let twice = [(Resource::at(0), 1), (Resource::at(0), 1)];
    assert!(matches!(state.request(p[1], &twice), Err(BankerError::ExceedsClaim { .. })));
    assert_eq!(available(&state), [3, 3, 2]);
}

#[test]
fn bk10_philosophers() {
    let names = ["fork 0", "fork 1", "fork 2", "fork 3", "fork 4"];
    let fork = |index: usize| [(Resource::at(index % 5), 1)];
    let mut state = BankerState::new(names.map(|name| (name, 1)));
    let seats: Vec<TaskId> = (0..5)
        .map(|seat| {
            let both = [fork(seat)[0], fork(seat + 1)[0]];
            state.claim(format!("philosopher {seat}"), &both).expect("there are five forks")
        })
        .collect();
    for (seat, task) in seats.iter().enumerate().take(4) {
        assert_eq!(state.request(*task, &fork(seat)), Ok(()));
    }
    assert_eq!(state.request(seats[4], &fork(4)), Err(BankerError::Unsafe));
    assert_eq!(state.request(seats[3], &fork(4)), Ok(()));
}

#[test]
fn bk13_raising_a_claim_is_a_request() {
    let base = || state(&[10], &[&[9], &[4], &[7]], &[&[3], &[2], &[2]]);
    let tape = Resource::at(0);
    let (mut state, p) = base();
    assert_eq!(state.set_claim(p[0], tape, 10), Ok(()));
    assert!(state.is_safe());

    let (mut state, p) = base();
    assert_eq!(state.set_claim(p[1], tape, 6), Err(BankerError::Unsafe));
    assert_eq!(state.set_claim(p[2], tape, 9), Err(BankerError::Unsafe));
    assert_eq!(state.claimed(p[1], tape), 4, "a refusal changes nothing");
    assert!(matches!(state.set_claim(p[0], tape, 11), Err(BankerError::ExceedsTotal { .. })));
    assert!(matches!(state.set_claim(p[0], tape, 2), Err(BankerError::ExceedsHeld { .. })));
    assert_eq!(state.set_claim(p[0], tape, 3), Ok(()));
}

#[test]
fn bk14_nothing_is_safe() {
    let mut empty = BankerState::new([("unused", 0)]);
    assert!(empty.is_safe());
    assert_eq!(empty.safe_sequence(), Some(vec![]));
    let task = empty.claim("idle", &[]).expect("nothing is claimed");
    assert_eq!(empty.request(task, &[]), Ok(()));
    assert_eq!(empty.request(task, &row(&[0])), Ok(()));
    let none = BankerState::new::<String>([]);
    assert!(none.is_safe());
    assert_eq!(none.to_string(), "         \ntotal    \navailable\nsafe: no tasks");
}

#[test]
fn bk15_random_states_agree_with_the_naive_algorithm() {
    let mut rng = fastrand::Rng::with_seed(15);
    let (mut safe_states, mut early) = (0, 0);
    for _ in 0..20_000 {
        let (n, m) = (rng.usize(1..=8), rng.usize(1..=4));
        let total: Vec<u64> = (0..m).map(|_| rng.u64(0..=9)).collect();
        let mut left = total.clone();
        let max: Matrix = (0..n).map(|_| total.iter().map(|t| rng.u64(0..=*t)).collect()).collect();
        let held: Matrix = max
            .iter()
            .map(|row| {
                let take = |(left, max): (&mut u64, &u64)| {
                    let units = rng.u64(0..=(*max).min(*left));
                    *left -= units;
                    units
                };
                left.iter_mut().zip(row).map(take).collect()
            })
            .collect();
        let rows = |matrix: &Matrix| -> Matrix { matrix.clone() };
        let (max_rows, held_rows) = (rows(&max), rows(&held));
        let (mut state, tasks) = state(
            &total,
            &max_rows.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            &held_rows.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        );
        let need = |held: &Matrix| -> Matrix {
            let row = |(max, held): (&Vec<u64>, &Vec<u64>)| {
                max.iter().zip(held).map(|(max, held)| max - held).collect()
            };
            max.iter().zip(held).map(row).collect()
        };
        let stuck = naive::unfinished(&left, &held, &need(&held));
        assert_eq!(indices(&state.unfinished()), stuck);
        assert_eq!(state.is_safe(), stuck.is_empty());
        assert_eq!(state.safe_sequence().is_some(), stuck.is_empty());
        if n <= 5 {
            let order = naive::some_order_finishes(&left, &held, &need(&held));
            assert_eq!(order, stuck.is_empty());
        }

        // Detection is the same reduction over requests.
        let wanted: Matrix =
            (0..n).map(|_| total.iter().map(|t| rng.u64(0..=*t)).collect()).collect();
        let wanted_rows: Vec<_> = wanted.iter().map(|wanted| row(wanted)).collect();
        let waiting: Vec<_> =
            tasks.iter().copied().zip(wanted_rows.iter().map(|r| &r[..])).collect();
        let deadlocked = state.deadlocked(&waiting).expect("known tasks and resources");
        assert_eq!(indices(&deadlocked), naive::unfinished(&left, &held, &wanted));

        // From a safe state, the early exit must say what a full check of the next state says.
        if !stuck.is_empty() {
            continue;
        }
        safe_states += 1;
        let (who, asked) = (rng.usize(0..n), total.iter().map(|t| rng.u64(0..=*t)));
        let asked: Vec<u64> = asked.collect();
        let fits = |bound: &[u64]| asked.iter().zip(bound).all(|(asked, bound)| asked <= bound);
        let expected = if !fits(&need(&held)[who]) {
            None
        } else if !fits(&left) {
            Some(Err(BankerError::Unavailable))
        } else {
            early += 1;
            let mut next = held.clone();
            let mut left = left.clone();
            for (index, asked) in asked.iter().enumerate() {
                next[who][index] += asked;
                left[index] -= asked;
            }
            let stuck = naive::unfinished(&left, &next, &need(&next));
            Some(if stuck.is_empty() { Ok(()) } else { Err(BankerError::Unsafe) })
        };
        let answer = state.request(tasks[who], &row(&asked));
        match expected {
            Some(expected) => assert_eq!(answer, expected),
            None => assert!(matches!(answer, Err(BankerError::ExceedsClaim { .. })), "{answer:?}"),
        }
        assert!(state.is_safe());
    }
    assert!(safe_states > 5_000 && early > 1_000, "{safe_states} safe states, {early} grants");
}

#[test]
fn a_long_random_life_keeps_the_book_straight() {
    let mut rng = fastrand::Rng::with_seed(7);
    let total = [5, 3, 4];
    let mut state = BankerState::new(["A", "B", "C"].into_iter().zip(total));
    let mut tasks: Vec<TaskId> = Vec::new();
    for _ in 0..20_000 {
        let pick = (!tasks.is_empty()).then(|| rng.usize(0..tasks.len()));
        let units = row(&total.map(|total| rng.u64(0..=total / 2)));
        match (rng.u32(0..8), pick) {
            (0, _) if tasks.len() < 6 => {
                tasks.push(state.claim("task", &units).expect("below the totals"));
            }
            (1, Some(index)) => state.leave(tasks.swap_remove(index)).expect("it is there"),
            (2, Some(index)) => {
                let resource = Resource::at(rng.usize(0..3));
                let _ = state.set_claim(tasks[index], resource, rng.u64(0..=5));
            }
            (3 | 4, Some(index)) => {
                let _ = state.release(tasks[index], &units);
            }
            (_, Some(index)) => {
                let _ = state.request(tasks[index], &units);
            }
            (_, None) => {}
        }
        for resource in state.resources() {
            let held: u64 = tasks.iter().map(|task| state.held(*task, resource)).sum();
            assert_eq!(held + state.available(resource), state.total(resource));
        }
        assert!(state.is_safe());
        assert_eq!(state.unfinished(), []);
    }
    assert_eq!(state.tasks().count(), tasks.len());
}

#[test]
fn what_is_not_held_cannot_be_released() {
    let (mut state, p) = silberschatz();
    let refused = state.release(p[0], &row(&[0, 1, 1])).expect_err("it holds no C");
    assert_eq!(refused, BankerError::ExceedsHeld { resource: "C".into(), asked: 1, held: 0 });
    assert_eq!(state.held(p[0], Resource::at(1)), 1, "a refusal changes nothing");
    assert_eq!(state.leave(p[0]), Ok(()));
    assert_eq!(state.leave(p[0]), Err(BankerError::UnknownTask(p[0])));
    let unknown = Resource::at(9);
    let refused = state.request(p[1], &[(unknown, 1)]);
    assert_eq!(refused, Err(BankerError::UnknownResource(unknown)));
}

#[test]
fn the_table() {
    let (mut state, p) = silberschatz();
    state.leave(p[2]).expect("it is there");
    assert_eq!(
        state.to_string(),
        "             A    B    C\n\
total       10    5    7\n\
available    6    3    4\n\
P0         0/7  1/5  0/3\n\
P1         2/3  0/2  0/2\n\
P3         2/2  1/2  1/2\n\
P4         0/4  0/3  2/3\n\
safe: P1, P3, P4, P0"
    );
    let (state, _) = self::state(&[2], &[&[2], &[2]], &[&[1], &[1]]);
    assert!(state.to_string().ends_with("unsafe: P0, P1 may never finish"), "{state}");
}
