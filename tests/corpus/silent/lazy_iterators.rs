// An adapter of an iterator takes no items: the closures in its type run when the items are taken,
// which is after the lock is released.
use std::sync::Mutex;

struct Table {
    rows: Mutex<Vec<usize>>,
}

impl Table {
    fn row(&self, at: usize) -> usize {
        self.rows.lock().unwrap()[at]
    }
    fn numbered(&self) -> Vec<(usize, usize)> {
        let rows = self.rows.lock().unwrap();
        let lazy = (0..rows.len()).map(|at| self.row(at)).enumerate();
        drop(rows);
        lazy.collect()
    }
    fn wrapped(&self) -> usize {
        let rows = self.rows.lock().unwrap();
        let all = || (0..rows.len()).map(|at| self.row(at));
        let ends = all().rev().take(2).chain(all().skip(1).step_by(2)).fuse();
        let pairs = ends.zip(all().cycle()).peekable();
        let room = pairs.size_hint().0;
        drop(rows);
        pairs.map(|(first, second)| first + second).sum::<usize>() + room
    }
    fn by_reference(&self) -> usize {
        let rows = self.rows.lock().unwrap();
        let mut lazy = [0, 1].iter().copied().map(|at| self.row(at));
        let borrowed = lazy.by_ref();
        drop(rows);
        borrowed.sum()
    }
    fn endless(&self) -> usize {
        let rows = self.rows.lock().unwrap();
        let same = std::iter::repeat_with(|| self.row(0));
        let next = std::iter::successors(Some(0), |at| Some(self.row(*at)));
        drop(rows);
        same.zip(next).take(2).map(|(one, other)| one + other).sum()
    }
}

fn main() {
    let table = Table { rows: Mutex::new(vec![0, 1]) };
    println!("{:?}", table.numbered());
    println!("{} {} {}", table.wrapped(), table.by_reference(), table.endless());
}
