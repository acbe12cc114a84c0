//! Ten million return rows by 24 months x 40 categories x 6 channels x 16 reasons: count and sum, and
//! with the 90th percentile of the handling time; ours beside polars and DuckDB, one thread each.
//!
//! All data in memory before the clock starts; best of three; every engine's result is compared with
//! ours. Also ours alone: merging 1,000 shards, screening 10,000 series, scanning 192 leaves.

use std::time::{Duration, Instant};

use aftersale::analytics::alarm::{Options, Series, screen};
use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::grid::Grid;
use aftersale::analytics::measure::{Sum, Timed};
use aftersale::analytics::rate::Proportion;
use duckdb::Connection;
use polars::prelude::*;

const SIZES: [u32; 4] = [24, 40, 6, 16];
const SHARDS: usize = 1000;

/// One row as an engine of ours receives it: dictionary-coded, side by side.
#[derive(Clone, Copy)]
struct Row {
    month: u8,
    category: u8,
    channel: u8,
    reason: u8,
    seconds: u32,
    cents: i64,
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u32
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn rows(count: usize) -> Vec<Row> {
    let mut random = Random(8);
    (0..count)
        .map(|_| Row {
            month: random.below(SIZES[0]) as u8,
            category: random.below(SIZES[1]) as u8,
            channel: random.below(SIZES[2]) as u8,
            reason: random.below(SIZES[3]) as u8,
            // Roughly lognormal around two hours.
            seconds: (7200.0 * ((random.uniform() + random.uniform() + random.uniform() - 1.5) * 2.0).exp()) as u32,
            cents: i64::from(random.below(40_000)) + 100,
        })
        .collect()
}

fn codes(row: &Row) -> [u32; 4] {
    [row.month.into(), row.category.into(), row.channel.into(), row.reason.into()]
}

/// Best of three.
fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut fastest: Option<(Duration, T)> = None;
    for _ in 0..3 {
        let start = Instant::now();
        let result = run();
        let took = start.elapsed();
        if fastest.as_ref().is_none_or(|(least, _)| took < *least) {
            fastest = Some((took, result));
        }
    }
    fastest.expect("three runs")
}

fn line(name: &str, took: Duration, note: &str) {
    println!("  {name:<46} {:>9.1} ms   {note}", took.as_secs_f64() * 1e3);
}

/// `analytics [rows]`
pub fn run(arguments: &[String]) {
    // Polars reads its number of threads once, from outside: start again with one.
    if std::env::var("POLARS_MAX_THREADS").as_deref() != Ok("1") {
        let program = std::env::current_exe().expect("this program");
        let mut again = std::process::Command::new(program);
        again.arg("analytics").args(arguments).env("POLARS_MAX_THREADS", "1");
        assert!(again.status().expect("a second start").success());
        return;
    }
    let count = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    println!("{count} rows, 24 x 40 x 6 x 16 groups, one thread, best of three");
    let rows = rows(count);
    let (sum_time, sums) = best(|| {
        let mut grid: Grid<Sum, 4> = Grid::new(SIZES).expect("sizes");
        for row in &rows {
            grid.cell(codes(row)).expect("a code").observe(row.cents).expect("a sum");
        }
        grid
    });
    let (timed_time, timed) = best(|| {
        let mut grid: Grid<Timed, 4> = Grid::new(SIZES).expect("sizes");
        for row in &rows {
            let cell = grid.cell(codes(row)).expect("a code");
            cell.sum.observe(row.cents).expect("a sum");
            cell.histogram.observe(u64::from(row.seconds)).expect("a count");
        }
        let p90: u64 = grid.cells().filter_map(|(_, cell)| cell.histogram.percentile(90)).sum();
        (grid, p90)
    });
    let groups = sums.cells().count();
    let total: i128 = sums.cells().map(|(_, sum)| sum.total()).sum();
    println!("\ncount and sum ({groups} groups)");
    line("aftersale", sum_time, "");
    let polars = with_polars(&rows, groups, total);
    let duck = with_duckdb(&rows, groups, total);
    let fastest = polars.0.min(duck.0);
    line("polars", polars.0, "");
    line("DuckDB", duck.0, "");
    println!("  aftersale is {:.1} times as fast as the faster of the two", fastest.as_secs_f64() / sum_time.as_secs_f64());
    println!("\ncount, sum and 90th percentile of the handling time");
    line("aftersale (error at most 1/128)", timed_time, "");
    line("polars (exact, nearest)", polars.1, "");
    line("DuckDB (exact, quantile_disc)", duck.1, "");
    println!("  DuckDB takes {:.1} times as long", duck.1.as_secs_f64() / timed_time.as_secs_f64());
    let difference = (timed.1 as f64 / duck.2 - 1.0).abs();
    println!("  mean p90 differs from DuckDB's exact one by {:.3} % (bound 0.781 %)", 100.0 * difference);
    assert!(difference <= 1.0 / 128.0, "outside the stated error");
    alone(&rows, &sums.to_bytes());
}

/// What only ours does.
fn alone(rows: &[Row], whole: &[u8]) {
    println!("\nalone");
    let shards: Vec<Vec<u8>> = rows
        .chunks(rows.len().div_ceil(SHARDS))
        .map(|part| {
            let mut grid: Grid<Sum, 4> = Grid::new(SIZES).expect("sizes");
            for row in part {
                grid.cell(codes(row)).expect("a code").observe(row.cents).expect("a sum");
            }
            grid.to_bytes()
        })
        .collect();
    let merge = |order: &mut dyn Iterator<Item = &Vec<u8>>| {
        let mut grid: Grid<Sum, 4> = Grid::new(SIZES).expect("sizes");
        order.for_each(|shard| grid.merge_bytes(shard).expect("a shard"));
        grid.to_bytes()
    };
    let (took, merged) = best(|| merge(&mut shards.iter()));
    assert_eq!(merged, whole, "merged shards give the bytes of one pass");
    assert_eq!(merge(&mut shards.iter().rev()), merged, "in any order");
    let size: usize = shards.iter().map(Vec::len).sum();
    let note = format!("4 dimensions, from {:.0} MB of stored state", size as f64 / 1e6);
    line("merge 1,000 shards", took, &note);
    let mut random = Random(5);
    let mut part = |n: u32, rate: f64| {
        let x = (0..n).filter(|_| random.uniform() < rate).count() as u64;
        Proportion::new(x, n.into()).expect("a part")
    };
    let family: Vec<Series<u32>> = (0..10_000)
        .map(|key| Series {
            key,
            past: (0..18).map(|_| part(100, 0.05)).collect(),
            now: part(100, if key < 30 { 0.2 } else { 0.05 }),
            cost_per_return: None,
        })
        .collect();
    let (took, found) = best(|| screen(&family, &Options::default()).expect("options"));
    line("screen 10,000 series of 18 + 1 periods", took, &format!("{} alarms, 30 raised", found.alarms.len()));
    let leaves: Vec<Leaf> = (0..192)
        .map(|code| {
            let codes = vec![code / 24, code / 6 % 4, code % 6];
            let raised = codes[0] == 3 && codes[2] == 2;
            Leaf { codes, before: part(400, 0.05), after: part(400, if raised { 0.13 } else { 0.05 }) }
        })
        .collect();
    let (took, found) = best(|| scan(&[8, 4, 6], &leaves, &Scan::default()).expect("a cube"));
    line("scan 192 leaves for causes", took, &format!("{:?}", found.first().map(|cause| &cause.element)));
}

fn with_polars(rows: &[Row], groups: usize, total: i128) -> (Duration, Duration) {
    let column = |name: &str, value: fn(&Row) -> u32| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<u32>>())
    };
    let frame = DataFrame::new(
        rows.len(),
        vec![
            column("month", |row| row.month.into()),
            column("category", |row| row.category.into()),
            column("channel", |row| row.channel.into()),
            column("reason", |row| row.reason.into()),
            column("seconds", |row| row.seconds),
            Column::new("cents".into(), rows.iter().map(|row| row.cents).collect::<Vec<i64>>()),
        ],
    )
    .expect("a frame");
    let by = || [col("month"), col("category"), col("channel"), col("reason")];
    let (plain, result) = best(|| {
        let sums = [len().alias("n"), col("cents").sum().alias("total")];
        frame.clone().lazy().group_by(by()).agg(sums).collect().expect("a result")
    });
    assert_eq!(result.height(), groups);
    let sum: i64 = result.column("total").expect("totals").i64().expect("whole").iter().flatten().sum();
    assert_eq!(i128::from(sum), total);
    let (timed, result) = best(|| {
        let p90 = col("seconds").quantile(lit(0.9), QuantileMethod::Nearest).alias("p90");
        let sums = [len().alias("n"), col("cents").sum().alias("total"), p90];
        frame.clone().lazy().group_by(by()).agg(sums).collect().expect("a result")
    });
    assert_eq!(result.height(), groups);
    (plain, timed)
}

fn with_duckdb(rows: &[Row], groups: usize, total: i128) -> (Duration, Duration, f64) {
    let connection = Connection::open_in_memory().expect("a database");
    connection
        .execute_batch(
            "SET threads = 1;
             CREATE TABLE returns (month UTINYINT, category UTINYINT, channel UTINYINT, reason UTINYINT, seconds UINTEGER, cents BIGINT);",
        )
        .expect("a table");
    {
        let mut into = connection.appender("returns").expect("an appender");
        for row in rows {
            into.append_row(duckdb::params![row.month, row.category, row.channel, row.reason, row.seconds, row.cents])
                .expect("a row");
        }
        into.flush().expect("all rows");
    }
    let ask = |inner: &str, outer: &str| -> (i64, i64, f64) {
        let text = format!(
            "SELECT count(*), sum(total)::BIGINT, {outer} FROM (SELECT count(*) AS n, sum(cents) AS total{inner} FROM returns GROUP BY month, category, channel, reason)"
        );
        connection
            .query_row(&text, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .expect("a result")
    };
    let (plain, result) = best(|| ask("", "0.0::DOUBLE"));
    assert_eq!((result.0 as usize, i128::from(result.1)), (groups, total));
    let (timed, result) =
        best(|| ask(", quantile_disc(seconds, 0.9) AS p90", "sum(p90)::DOUBLE"));
    assert_eq!(result.0 as usize, groups);
    (plain, timed, result.2)
}
