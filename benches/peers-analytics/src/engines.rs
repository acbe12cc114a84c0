//! Polars and DuckDB on the same rows, one thread each, all data in memory before the clock starts.

use std::time::Duration;

use duckdb::Connection;
use polars::prelude::*;

use crate::clock::best;
use crate::rows::{Row, SIZES};

const RUNS: usize = 3;

/// One group of an engine's answer: position among all combinations of codes, count, sum, 90th
/// percentile where asked.
pub type Group = (usize, u64, i64, Option<f64>);

/// What an engine says and how long it took.
pub struct Answer {
    pub took: Duration,
    /// In order of position.
    pub groups: Vec<Group>,
}

fn position(codes: [u32; 4]) -> usize {
    codes.iter().zip(SIZES).fold(0, |at, (code, size)| at * size as usize + *code as usize)
}

/// Polars reads its number of threads once, from outside: starts this program again with one.
/// Whether it did.
pub fn started_again(arguments: &[String]) -> bool {
    if std::env::var("POLARS_MAX_THREADS").as_deref() == Ok("1") {
        return false;
    }
    let program = std::env::current_exe().expect("this program");
    let mut again = std::process::Command::new(program);
    let status = again.args(arguments).env("POLARS_MAX_THREADS", "1").status();
    std::process::exit(status.expect("a second start").code().unwrap_or(1));
}

pub struct Polars(DataFrame);

impl Polars {
    pub fn load(rows: &[Row]) -> Self {
        let codes = |name: &str, code: fn(&Row) -> u32| {
            Column::new(name.into(), rows.iter().map(code).collect::<Vec<u32>>())
        };
        let columns = vec![
            codes("month", |row| row.month.into()),
            codes("category", |row| row.category.into()),
            codes("channel", |row| row.channel.into()),
            codes("reason", |row| row.reason.into()),
            codes("seconds", |row| row.seconds),
            Column::new("cents".into(), rows.iter().map(|row| row.cents).collect::<Vec<i64>>()),
        ];
        Self(DataFrame::new(rows.len(), columns).expect("a frame"))
    }

    fn ask(&self, measures: &[Expr]) -> (Duration, DataFrame) {
        best(RUNS, || {
            let by = [col("month"), col("category"), col("channel"), col("reason")];
            self.0.clone().lazy().group_by(by).agg(measures).collect().expect("a result")
        })
    }

    pub fn count_and_sum(&self) -> Answer {
        let (took, frame) = self.ask(&[len().alias("n"), col("cents").sum().alias("total")]);
        Answer { took, groups: polars_groups(&frame, None) }
    }

    pub fn with_p90(&self) -> Answer {
        let p90 = col("seconds").quantile(lit(0.9), QuantileMethod::Nearest).alias("p90");
        let (took, frame) = self.ask(&[len().alias("n"), col("cents").sum().alias("total"), p90]);
        Answer { took, groups: polars_groups(&frame, Some("p90")) }
    }
}

fn polars_groups(frame: &DataFrame, p90: Option<&str>) -> Vec<Group> {
    let whole = |name: &str| frame.column(name).expect("a column").u32().expect("whole numbers");
    let codes = ["month", "category", "channel", "reason"].map(whole);
    let count = frame.column("n").expect("counts").cast(&DataType::UInt64).expect("counts");
    let total = frame.column("total").expect("totals").i64().expect("totals");
    let p90 =
        p90.map(|name| frame.column(name).expect("p90").cast(&DataType::Float64).expect("p90"));
    let mut groups: Vec<Group> = (0..frame.height())
        .map(|row| {
            let n = count.u64().expect("counts").get(row).expect("a count");
            let p90 = p90.as_ref().map(|p90| p90.f64().expect("p90").get(row).expect("a value"));
            let codes = codes.map(|code| code.get(row).expect("a code"));
            (position(codes), n, total.get(row).expect("a total"), p90)
        })
        .collect();
    groups.sort_by_key(|group| group.0);
    groups
}

pub struct DuckDb(Connection);

impl DuckDb {
    pub fn load(rows: &[Row]) -> Self {
        let connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch(
                "SET threads = 1;
                 CREATE TABLE returns (month UTINYINT, category UTINYINT, channel UTINYINT,
                     reason UTINYINT, seconds UINTEGER, cents BIGINT);",
            )
            .expect("a table");
        let mut into = connection.appender("returns").expect("an appender");
        for row in rows {
            let values = duckdb::params![
                row.month,
                row.category,
                row.channel,
                row.reason,
                row.seconds,
                row.cents
            ];
            into.append_row(values).expect("a row");
        }
        into.flush().expect("all rows");
        drop(into);
        Self(connection)
    }

    pub fn version(&self) -> String {
        self.0.query_row("SELECT version()", [], |row| row.get(0)).expect("a version")
    }

    /// The clock runs while the engine answers into a table of its own; the answer is read after.
    fn ask(&self, p90: &str) -> Answer {
        let text = format!(
            "CREATE OR REPLACE TEMP TABLE answer AS
             SELECT month, category, channel, reason, count(*) AS n, sum(cents)::BIGINT AS total,
                 {p90} AS p90
             FROM returns GROUP BY month, category, channel, reason"
        );
        let (took, ()) = best(RUNS, || self.0.execute_batch(&text).expect("an answer"));
        let mut rows = self
            .0
            .prepare("SELECT month, category, channel, reason, n, total, p90::DOUBLE FROM answer")
            .expect("a question");
        let read = rows.query_map([], |row| {
            let codes: [u32; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let n: i64 = row.get(4)?;
            Ok((position(codes), n as u64, row.get(5)?, row.get(6)?))
        });
        let mut groups: Vec<Group> = read.expect("rows").map(|row| row.expect("a row")).collect();
        groups.sort_by_key(|group| group.0);
        Answer { took, groups }
    }

    pub fn count_and_sum(&self) -> Answer {
        self.ask("NULL::DOUBLE")
    }

    pub fn with_p90(&self) -> Answer {
        self.ask("quantile_disc(seconds, 0.9)")
    }
}
