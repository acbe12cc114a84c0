//! Ten million return rows by 24 months x 40 categories x 6 channels x 16 reasons: count and sum, and
//! with the 90th percentile of the handling time; ours beside polars and DuckDB, one thread each, in
//! one run. Every group of every engine is compared with ours before a ratio is printed. Then ours
//! alone: merging 1,000 shards, screening 10,000 series, scanning 192 leaves.
//!
//! `cargo run --release [-- rows]`; ours alone: `cargo run --release --no-default-features`.

mod clock;
#[cfg(feature = "engines")]
mod engines;
mod ours;
mod rows;

use clock::{best, line};

const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(feature = "engines")]
    if engines::started_again(&arguments) {
        return;
    }
    let count = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    println!("{count} rows, 24 x 40 x 6 x 16 groups, one thread, processor time, best of several");
    let rows = rows::rows(count);
    let (sum_time, sums) = best(RUNS, || ours::count_and_sum(&rows));
    let (timed_time, timed) = best(RUNS, || ours::with_p90(&rows));
    println!("\naftersale");
    line("count and sum", sum_time, &format!("{} groups", sums.cells().count()));
    line("with the 90th percentile of the handling time", timed_time, "error at most 1/128");
    let mut bars = vec![("with p90 at most 1 s", timed_time.as_secs_f64() <= 1.0)];
    #[cfg(feature = "engines")]
    bars.extend(beside::compare(&rows, (sum_time, &sums), (timed_time, &timed)));
    drop((sums, timed));
    println!("\nalone");
    bars.extend(ours::alone(&rows));
    println!();
    for (bar, held) in &bars {
        println!("  {} {bar}", if *held { "held  " } else { "MISSED" });
    }
    std::process::exit(i32::from(bars.iter().any(|(_, held)| !held)));
}

#[cfg(feature = "engines")]
mod beside {
    use std::time::Duration;

    use aftersale::analytics::grid::Grid;
    use aftersale::analytics::measure::{Sum, Timed};

    use crate::clock::line;
    use crate::engines::{Answer, DuckDb, Group, Polars};
    use crate::rows::Row;

    /// Runs both engines on the rows, compares, and prints ratios.
    pub fn compare(
        rows: &[Row],
        (sum_time, sums): (Duration, &Grid<Sum, 4>),
        (timed_time, (timed, p90)): (Duration, &(Grid<Timed, 4>, Vec<u64>)),
    ) -> Vec<(&'static str, bool)> {
        let duckdb = DuckDb::load(rows);
        println!("\nDuckDB {}", duckdb.version());
        let duck = [duckdb.count_and_sum(), duckdb.with_p90()];
        line("count and sum", duck[0].took, "");
        line("with quantile_disc, exact", duck[1].took, "");
        drop(duckdb);
        let polars = Polars::load(rows);
        println!("\npolars 0.55");
        let polar = [polars.count_and_sum(), polars.with_p90()];
        line("count and sum", polar[0].took, "");
        line("with quantile, nearest, exact", polar[1].took, "");
        drop(polars);
        let expected = || sums.cells().map(|(_, sum)| (sum.count(), sum.total()));
        for answer in duck.iter().chain(&polar) {
            let found = answer.groups.iter().map(|group| (group.1, i128::from(group.2)));
            assert!(expected().eq(found), "counts and sums equal ours, group by group");
        }
        let worst = worst_error(&duck[1], timed, p90);
        println!(
            "\nall {} groups equal; p90 differs by at most {:.3} % of DuckDB's exact one (stated 0.781 %)",
            p90.len(),
            100.0 * worst
        );
        assert!(worst <= 1.0 / 128.0, "outside the stated error");
        let ratio = |theirs: Duration, own: Duration| theirs.as_secs_f64() / own.as_secs_f64();
        let count = ratio(duck[0].took.min(polar[0].took), sum_time);
        let quantile = ratio(duck[1].took, timed_time);
        println!("  count and sum: {count:.1} times as fast as the faster of the two");
        println!(
            "  with p90: {quantile:.1} times as fast as DuckDB, {:.1} times as fast as polars",
            ratio(polar[1].took, timed_time)
        );
        vec![
            ("count and sum at least as fast as the faster of the two", count >= 1.0),
            ("with p90 at least twice as fast as DuckDB's exact quantile", quantile >= 2.0),
        ]
    }

    /// The largest relative difference of any group's percentile. The rank of the 90th percentile
    /// is `ceil(0.9 n)` in both.
    fn worst_error(exact: &Answer, timed: &Grid<Timed, 4>, p90: &[u64]) -> f64 {
        let groups = timed.cells().zip(p90).zip(&exact.groups);
        groups.fold(0.0, |worst: f64, ((_, own), group): (_, &Group)| {
            let exact = group.3.expect("a percentile");
            worst.max((*own as f64 - exact).abs() / exact)
        })
    }
}
