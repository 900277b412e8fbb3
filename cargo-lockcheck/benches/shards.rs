//! How long it takes to join the traces of many machines, and how that grows with their number.
//!
//! Each shard is the trace of one process of a large suite of tests. Four of five of its orders are those
//! that all have; the others are a sample of three times as many. Numbers are given in an order of each
//! shard's own, as threads get there in any order. Two shards have the halves of a cycle, which must be found.
//! Each order has two stacks, which are those of one of a few ways to its place; the addresses are other ones
//! in each shard, as code is loaded elsewhere in each process.
//! The shards are joined into a file, as by `cargo lockcheck merge`, and that is reported on.
//!
//! `cargo bench -p cargo-lockcheck --bench shards [-- SHARDS...] [orders=N] [frames=N] [ways=N]`, where `frames`
//! is how deep the stacks are, and `ways` how many ways lead to a place; without end, for `ways=0`.

mod measure;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::slice;

use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::traces::merge::Merged;
use cargo_lockcheck::traces::{self, analyze::analyze};
use measure::{peak, time};

/// Classes of locks.
const CLASSES: u64 = 600;
/// Places in functions that stacks have.
const FUNCTIONS: u64 = 4_000;
/// Threads of each process.
const THREADS: u64 = 8;

/// Small numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a shard is like.
#[derive(Clone, Copy)]
struct Shape {
    orders: u64,
    frames: u64,
    ways: u64,
}

/// The classes of an order, the outer one first: no two orders are opposite.
fn classes(order: u64) -> [u64; 2] {
    let mut random = Random(order.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    random.below(2);
    let outer = random.below(CLASSES - 1);
    [outer, outer + 1 + random.below(CLASSES - 1 - outer)]
}

fn write_shard(path: &Path, shard: u64, shape: Shape) -> io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut random = Random(shard + 0x9e37_79b9);
    let (pid, time) = (1000 + shard, 1_700_000_000_000 + shard);
    writeln!(
        out,
        r#"{{"t":"trace","version":2,"tool":"lockdep","pid":{pid},"exe":"/ci/bank/target/debug/deps/suite-0123456789abcdef","args":[],"cwd":"/ci/bank","time":{time},"package":"bank"}}"#
    )?;
    // A class has three sites: where it is created, where it is held and where it is asked for.
    let number = |class: u64| 1 + (class + shard * 7) % CLASSES;
    for class in 0..CLASSES {
        let id = number(class);
        for (part, line) in [10, 20, 30].into_iter().enumerate() {
            let site = 3 * id + part as u64;
            let file = format!("crates/bank-core/src/accounts/ledger_{}.rs", class / 8);
            let line = 100 * (class % 8) + line;
            writeln!(
                out,
                r#"{{"t":"site","id":{site},"file":"{file}","line":{line},"column":9}}"#
            )?;
        }
        writeln!(
            out,
            r#"{{"t":"class","id":{id},"kind":"Mutex","type":"alloc::vec::Vec<bank::Entry{class}>","site":{},"anonymous":false}}"#,
            3 * id
        )?;
    }
    for id in 1..=THREADS {
        writeln!(out, r#"{{"t":"thread","id":{id},"name":"tests::case_{id}","parent":null}}"#)?;
    }
    let loaded = 94_477_569_000_000 + 4_096 * shard;
    // The stack of a way to a place, or of one that nothing else takes.
    let stack = |place: u64, random: &mut Random| {
        let way = random.below(shape.ways.max(1));
        let mut frames = Random(if shape.ways == 0 { random.0 } else { 1 + place * 64 + way });
        frames.below(2);
        let mut text = String::new();
        for frame in 0..shape.frames {
            let comma = if frame == 0 { "" } else { "," };
            let address = loaded + frames.below(FUNCTIONS);
            let _ = write!(text, "{comma}{address}");
        }
        text
    };
    let common = shape.orders * 4 / 5;
    for order in 0..shape.orders {
        let order = if order < common { order } else { common + random.below(3 * shape.orders) };
        let [mut outer, mut inner] = classes(order);
        if (shard, order) == (1, 0) {
            (outer, inner) = (inner, outer);
        }
        let [outer, inner] = [outer, inner].map(number);
        let thread = 1 + random.below(THREADS);
        let [held, asked] = [2 * order, 2 * order + 1].map(|place| stack(place, &mut random));
        writeln!(
            out,
            r#"{{"t":"order","thread":{thread},"lock":{{"class":{inner},"instance":{},"mode":"write","site":{}}},"held":[{{"class":{outer},"instance":{},"mode":"write","site":{},"stack":[{held}]}}],"stack":[{asked}]}}"#,
            inner << 44,
            3 * inner + 2,
            outer << 44,
            3 * outer + 1,
        )?;
    }
    if shape.frames > 0 {
        for frame in 0..FUNCTIONS {
            let (address, line) = (loaded + frame, frame % 900);
            writeln!(
                out,
                r#"{{"t":"symbol","address":{address},"frames":["bank::accounts::ledger_{frame}::post at crates/bank-core/src/accounts/ledger.rs:{line}:13"]}}"#
            )?;
        }
    }
    let orders = shape.orders;
    writeln!(
        out,
        r#"{{"t":"counts","threads":{THREADS},"locks":{CLASSES},"edges":{orders},"acquisitions":900000}}"#
    )?;
    writeln!(out, r#"{{"t":"end"}}"#)?;
    out.flush()?;
    Ok(fs::metadata(path)?.len())
}

/// The processor time of this process so far, in seconds, where the system tells.
fn processor() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = |name: &str| {
        let value = arguments.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok())
    };
    let shape = Shape {
        orders: named("orders").unwrap_or(10_000),
        frames: named("frames").unwrap_or(20),
        ways: named("ways").unwrap_or(3),
    };
    let sizes: Vec<u64> = arguments.iter().filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10, 100, 1_000] } else { sizes };
    let directory = tempfile::tempdir()?;
    let sources = Sources::new(Path::new("/ci/bank"), None);
    println!("| shards | orders | of | joined | processor | file | report | found | peak memory |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut written = 0;
    let mut bytes = 0;
    for shards in sizes {
        for shard in written..shards {
            let path: PathBuf = directory.path().join(format!("{shard}.lctrace"));
            bytes += write_shard(&path, shard, shape)?;
        }
        written = written.max(shards);
        let file = directory.path().join("all.merged");
        let before = processor();
        let (unread, took) = time(|| {
            let shards = [directory.path().to_owned()];
            let (merged, unread) = Merged::gather(&shards, &sources, &|_, _| {});
            merged.write(&file, None).map(|()| unread)
        });
        let unread = unread.map_err(|failure| io::Error::other(failure.to_string()))?;
        assert!(unread.warnings.is_empty(), "{:?}", unread.warnings);
        let used = before.zip(processor()).map(|(before, after)| after - before);
        let (analysis, reported) = time(|| {
            let (merged, _) = traces::read(slice::from_ref(&file), &sources, &|_, _| {});
            analyze(&merged, &sources, &[])
        });
        println!(
            "| {written} | {} | {} MB | {took:.2?} | {} | {} MB | {reported:.2?} | {} | {} |",
            written * shape.orders,
            bytes / 1_000_000,
            used.map_or("–".to_owned(), |used| format!("{used:.2} s")),
            fs::metadata(&file)?.len() / 1_000_000,
            analysis.findings.len(),
            peak(),
        );
    }
    Ok(())
}
