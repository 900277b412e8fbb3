//! The textbook's algorithms, written as the textbooks do: what the real ones are compared with.

/// One row for each task, one column for each resource.
pub(super) type Matrix = Vec<Vec<u64>>;

/// Rescans all tasks after each that finishes; returns those that never do.
pub(super) fn unfinished(available: &[u64], held: &Matrix, wanted: &Matrix) -> Vec<usize> {
    let mut work = available.to_vec();
    let mut finished = vec![false; held.len()];
    loop {
        let next = (0..held.len())
            .find(|&i| !finished[i] && wanted[i].iter().zip(&work).all(|(want, w)| want <= w));
        let Some(i) = next else { break };
        finished[i] = true;
        for (w, units) in work.iter_mut().zip(&held[i]) {
            *w += units;
        }
    }
    (0..held.len()).filter(|&i| !finished[i]).collect()
}

/// Tries every order: whether there is one in which all tasks finish.
pub(super) fn some_order_finishes(available: &[u64], held: &Matrix, wanted: &Matrix) -> bool {
    fn go(work: &[u64], held: &Matrix, wanted: &Matrix, finished: u32) -> bool {
        let all = (1 << held.len()) - 1;
        finished == all
            || (0..held.len()).any(|i| {
                let open = finished & (1 << i) == 0;
                let fits = || wanted[i].iter().zip(work).all(|(want, w)| want <= w);
                let after = || work.iter().zip(&held[i]).map(|(w, u)| w + u).collect::<Vec<_>>();
                open && fits() && go(&after(), held, wanted, finished | 1 << i)
            })
    }
    go(available, held, wanted, 0)
}
