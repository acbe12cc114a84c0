//! Ours: the two group-bys, and what no engine does (merging shards, screening, scanning).

use std::time::Duration;

use aftersale::analytics::alarm::{Options, Series, screen};
use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::grid::Grid;
use aftersale::analytics::measure::{Sum, Timed};
use aftersale::analytics::rate::Proportion;
use aftersale::analytics::state::Measure;

use crate::clock::{best, line};
use crate::rows::{Random, Row, SIZES};

const SHARDS: usize = 1000;
const RUNS: usize = 5;

pub fn count_and_sum(rows: &[Row]) -> Grid<Sum, 4> {
    let mut grid: Grid<Sum, 4> = Grid::new(SIZES).expect("sizes");
    for row in rows {
        grid.cell(row.codes()).expect("a code").observe(row.cents).expect("a sum");
    }
    grid
}

pub fn with_p90(rows: &[Row]) -> (Grid<Timed, 4>, Vec<u64>) {
    let grid = timed(rows);
    let p90 = grid.cells().filter_map(|(_, cell)| cell.histogram.percentile(90)).collect();
    (grid, p90)
}

fn timed(rows: &[Row]) -> Grid<Timed, 4> {
    let mut grid: Grid<Timed, 4> = Grid::new(SIZES).expect("sizes");
    let rows = rows.iter().map(|row| (row.codes(), (row.cents, u64::from(row.seconds))));
    grid.observe_all(rows).expect("codes and counts");
    grid
}

/// What only ours does; every bar of its own is checked.
pub fn alone(rows: &[Row]) -> Vec<(&'static str, bool)> {
    let sums = merge_shards(rows, "of counts and sums", count_and_sum);
    let timed = merge_shards(rows, "with histograms", timed);
    let screening = screen_series();
    let scanning = scan_leaves();
    let milliseconds = Duration::from_millis;
    vec![
        ("merge of 1,000 shards of counts and sums under 100 ms", sums < milliseconds(100)),
        ("merge of 1,000 shards with histograms under 100 ms", timed < milliseconds(100)),
        ("10,000 series screened under 200 ms", screening < milliseconds(200)),
        ("192 leaves scanned under 2 ms", scanning < milliseconds(2)),
    ]
}

fn merge_shards<M: Measure>(
    rows: &[Row],
    what: &str,
    count: impl Fn(&[Row]) -> Grid<M, 4>,
) -> Duration {
    let parts = rows.chunks(rows.len().div_ceil(SHARDS));
    let mut groups = 0;
    let shards: Vec<Vec<u8>> = parts
        .map(|part| {
            let grid = count(part);
            groups += grid.cells().count();
            grid.to_bytes()
        })
        .collect();
    let merge = |order: &mut dyn Iterator<Item = &Vec<u8>>| {
        let mut grid: Grid<M, 4> = Grid::new(SIZES).expect("sizes");
        grid.merge_shards(order.map(Vec::as_slice)).expect("shards");
        grid
    };
    let (took, merged) = best(RUNS, || merge(&mut shards.iter()));
    let bytes = merged.to_bytes();
    assert!(bytes == count(rows).to_bytes(), "merged shards give the bytes of one pass");
    assert!(bytes == merge(&mut shards.iter().rev()).to_bytes(), "from the last to the first");
    let (even, odd) = (shards.iter().step_by(2), shards.iter().skip(1).step_by(2));
    assert!(bytes == merge(&mut odd.chain(even)).to_bytes(), "the odd ones first");
    let size: usize = shards.iter().map(Vec::len).sum();
    let (each, size) = (groups / shards.len(), size as f64 / 1e6);
    let note = format!("{} shards of {each} groups, {size:.0} MB of stored state", shards.len());
    line(&format!("merge shards {what}"), took, &note);
    took
}

fn part(random: &mut Random, n: u32, rate: f64) -> Proportion {
    let x = (0..n).filter(|_| random.uniform() < rate).count() as u64;
    Proportion::new(x, n.into()).expect("a part")
}

fn screen_series() -> Duration {
    let mut random = Random(5);
    let family: Vec<Series<u32>> = (0..10_000)
        .map(|key| Series {
            key,
            past: (0..18).map(|_| part(&mut random, 100, 0.05)).collect(),
            now: part(&mut random, 100, if key < 30 { 0.2 } else { 0.05 }),
            cost_per_return: None,
        })
        .collect();
    let (took, found) = best(RUNS, || screen(&family, &Options::default()).expect("options"));
    let note = format!("{} alarms, 30 raised", found.alarms.len());
    line("screen 10,000 series of 18 + 1 periods", took, &note);
    took
}

fn scan_leaves() -> Duration {
    let mut random = Random(5);
    let leaves: Vec<Leaf> = (0..192)
        .map(|code| {
            let codes = vec![code / 24, code / 6 % 4, code % 6];
            let rate = if codes[0] == 3 && codes[2] == 2 { 0.13 } else { 0.05 };
            let (before, after) = (part(&mut random, 400, 0.05), part(&mut random, 400, rate));
            Leaf { codes, before, after }
        })
        .collect();
    let (took, found) = best(RUNS, || scan(&[8, 4, 6], &leaves, &Scan::default()).expect("a cube"));
    let note = format!("{:?}, planted 3 and 2", found.first().map(|cause| &cause.element));
    line("scan 192 leaves for causes", took, &note);
    took
}
