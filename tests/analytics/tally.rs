//! Tallies: merging, percentiles, stored state.

use aftersale::analytics::AnalyticsError;
use aftersale::analytics::grid::Grid;
use aftersale::analytics::histogram::{Histogram, bucket, limits};
use aftersale::analytics::measure::{Answers, Desk, Durations, Outcome, Outcomes, Sum, Timed};
use aftersale::analytics::month::Month;
use aftersale::analytics::rate::Confidence;
use aftersale::analytics::state::{Measure, Observe, TakeOut, from_bytes, to_bytes};
use aftersale::analytics::tally::{Costs, Dimension, Facets, ReturnRow, SaleRow, Tally};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use proptest::prelude::*;

/// Merges in the given order and grouping must give the same bytes as all rows at once.
fn check_monoid<M: Measure + std::fmt::Debug>(parts: &[M], whole: &M) {
    let fold = |order: &mut dyn Iterator<Item = &M>| {
        let mut total = M::default();
        for part in order {
            total.merge(part).unwrap();
        }
        total
    };
    let forward = fold(&mut parts.iter());
    let backward = fold(&mut parts.iter().rev());
    let half = parts.len() / 2;
    let mut grouped = fold(&mut parts[half..].iter());
    grouped.merge(&fold(&mut parts[..half].iter())).unwrap();
    for merged in [&forward, &backward, &grouped] {
        assert_eq!(merged, whole);
        assert_eq!(to_bytes(merged), to_bytes(whole));
    }
    let mut same = whole.clone();
    same.merge(&M::default()).unwrap();
    assert_eq!(to_bytes(&same), to_bytes(whole));
    assert_eq!(&from_bytes::<M>(&to_bytes(whole)).unwrap(), whole);
}

/// The rows dealt out to so many shards.
fn shards<M: Measure, R>(rows: &[R], count: usize, see: impl Fn(&mut M, &R)) -> (Vec<M>, M) {
    let mut parts = vec![M::default(); count];
    let mut whole = M::default();
    for (position, row) in rows.iter().enumerate() {
        see(&mut parts[(position * 7 + position / 3) % count], row);
        see(&mut whole, row);
    }
    (parts, whole)
}

fn outcome(yes: bool) -> Outcome {
    if yes { Outcome::Yes } else { Outcome::No }
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

/// Any byte of a stored grid changed, and any end cut off.
fn refuses_damage<M: Measure + std::fmt::Debug>(
    grid: &Grid<M, 2>,
    sizes: [u32; 2],
    at: prop::sample::Index,
    byte: u8,
) {
    let mut bytes = grid.to_bytes();
    assert_eq!(&Grid::from_bytes(sizes, &bytes).unwrap(), grid);
    let place = at.index(bytes.len());
    bytes[place] = byte;
    if let Ok(read) = Grid::<M, 2>::from_bytes(sizes, &bytes) {
        assert_eq!(read.to_bytes(), bytes);
    }
    assert!(Grid::<M, 2>::from_bytes(sizes, &bytes[..place]).is_err());
    bytes.push(0);
    assert!(Grid::<M, 2>::from_bytes(sizes, &bytes).is_err());
}

/// Stored histograms and sums that no counting can give are refused, and large ones merge at once.
#[test]
fn impossible_cells_are_refused_and_large_ones_merge() {
    let mut timed: Grid<Timed, 1> = Grid::new([1]).unwrap();
    for duration in [300, 1 << 60, 1 << 60] {
        timed.cell([0]).unwrap().observe_row((5, duration)).unwrap();
    }
    let bytes = timed.to_bytes();
    // Few values: the distances from value to value in two bytes each, then three empty columns.
    let second = bytes.len() - 3 - 4;
    assert_eq!(bytes[second..second + 2], (bucket(1 << 60) - bucket(300)).to_le_bytes());
    let mut past = bytes;
    past[second + 1] += 2;
    assert!(Grid::<Timed, 1>::from_bytes([1], &past).is_err(), "a bucket past the last one");
    for _ in 0..30 {
        timed.cell([0]).unwrap().observe_row((5, 300)).unwrap();
    }
    let bytes = timed.to_bytes();
    assert_eq!(Grid::from_bytes([1], &bytes).unwrap(), timed);
    // More than 32 values: the last column holds the counts of the buckets.
    let first = bytes.len() - 2;
    assert_eq!(bytes[first..], [31, 2]);
    for counts in [[0, 2], [31, 3], [31, 1], [33, 0]] {
        let mut other = bytes.clone();
        other[first..].copy_from_slice(&counts);
        assert!(Grid::<Timed, 1>::from_bytes([1], &other).is_err(), "{counts:?}");
    }
    let mut sums: Grid<Sum, 1> = Grid::new([1]).unwrap();
    sums.observe_all([([0], i64::MIN), ([0], i64::MIN)]).unwrap();
    let bytes = sums.to_bytes();
    let counts = bytes.iter().position(|byte| *byte == 2).unwrap();
    let mut fewer = bytes.clone();
    fewer[counts] = 1;
    assert!(Grid::<Sum, 1>::from_bytes([1], &bytes).is_ok());
    assert!(
        Grid::<Sum, 1>::from_bytes([1], &fewer).is_err(),
        "one value of 64 bits is never so small"
    );
    let many = Histogram::try_from(vec![(7, 1 << 40), (300, 5)]).unwrap();
    let mut twice = many.clone();
    twice.merge(&many).unwrap();
    assert_eq!(twice.sorted(), [(7, 1 << 41), (300, 10)]);
}

/// A stored grid names only cells that it has and that count something.
#[test]
fn cells_that_are_not_there_or_count_nothing_are_refused() {
    let mut timed: Grid<Timed, 1> = Grid::new([2]).unwrap();
    timed.cell([0]).unwrap().histogram.observe(0).unwrap();
    let bytes = timed.to_bytes();
    assert_eq!(Grid::from_bytes([2], &bytes).unwrap(), timed);
    // Format, kind, one dimension, two codes, one cell: at position 0, so no byte for it.
    assert_eq!(bytes[2..7], [1, 2, 1, 0, 1]);
    let outside = [&bytes[..6], &[1, 2], &bytes[7..]].concat();
    assert!(Grid::<Timed, 1>::from_bytes([2], &outside).is_err(), "a cell past the grid");
    // The sum counts nothing, one less than the histogram: stored as -1, zigzag 1. Then its total
    // in two halves, the histogram's total, its value in bucket 0, and three empty columns.
    assert_eq!(bytes[7..], [1, 0, 0, 1, 1, 0, 0, 0, 0]);
    let empty = [&bytes[..6], &[0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    assert!(Grid::<Timed, 1>::from_bytes([2], &empty).is_err(), "a cell that counts nothing");
    // The first value past the last bucket.
    timed.cell([0]).unwrap().histogram = Histogram::try_from(vec![(3_775, 1)]).unwrap();
    let mut bytes = timed.to_bytes();
    let at = bytes.len() - 5;
    assert_eq!(bytes[at..], [0xbf, 0x0e, 0, 0, 0]);
    assert_eq!(Grid::from_bytes([2], &bytes).unwrap(), timed);
    bytes[at] = 0xc0;
    assert!(Grid::<Timed, 1>::from_bytes([2], &bytes).is_err(), "bucket 3,776");
}

/// A thousand cells and more: several blocks of each column, some of them wide.
#[test]
fn long_columns_are_stored_and_read() {
    let mut grid: Grid<Sum, 1> = Grid::new([5_000]).unwrap();
    let mut timed: Grid<Timed, 1> = Grid::new([5_000]).unwrap();
    for code in (0..5_000_u32).filter(|code| code % 7 != 3) {
        for times in 0..=(code % 3) {
            let amount = if code == 4_321 { i64::MIN } else { i64::from(code) - 2_000 };
            grid.cell([code]).unwrap().observe(amount).unwrap();
            let duration = u64::from(code * 100 + times);
            timed.cell([code]).unwrap().observe_row((amount, duration)).unwrap();
        }
    }
    assert_eq!(Grid::from_bytes([5_000], &grid.to_bytes()).unwrap(), grid);
    assert_eq!(Grid::from_bytes([5_000], &timed.to_bytes()).unwrap(), timed);
    let mut twice = grid.clone();
    twice.merge_bytes(&grid.to_bytes()).unwrap();
    assert_eq!(twice.at([4_321]).unwrap().total(), 2 * grid.at([4_321]).unwrap().total());
    let outside = grid.observe_all([([5_000], 1)]);
    assert!(matches!(outside, Err(AnalyticsError::OutOfRange { name: "a code", .. })));
}

proptest! {
    /// ANA-1: merging is commutative and associative, has an empty element, and gives equal bytes.
    #[test]
    fn merging_is_exact_in_any_order(
        rows in prop::collection::vec((any::<i64>(), any::<u64>(), 0_u64..3_000_000_000), 0..200),
        count in 1_usize..6,
    ) {
        let (parts, whole) = shards(&rows, count, |m: &mut Sum, r| m.observe(r.0).unwrap());
        check_monoid(&parts, &whole);
        let (parts, whole) = shards(&rows, count, |m: &mut Histogram, r| m.observe(r.1).unwrap());
        check_monoid(&parts, &whole);
        let (parts, whole) = shards(&rows, count, |m: &mut Durations, r| m.observe(r.2).unwrap());
        check_monoid(&parts, &whole);
        let (parts, whole) = shards(&rows, count, |m: &mut Timed, r| {
            m.sum.observe(r.0).unwrap();
            m.histogram.observe(r.1).unwrap();
        });
        check_monoid(&parts, &whole);
        let (parts, whole) = shards(&rows, count, |m: &mut Answers, r| {
            m.invited += 1;
            m.satisfied((r.1 % 5) as u8 + 1).unwrap();
            m.recommends((r.2 % 11) as u8).unwrap();
        });
        check_monoid(&parts, &whole);
        let (parts, whole) = shards(&rows, count, |m: &mut Outcomes, r| {
            m.observe(outcome(r.0 > 0)).unwrap();
        });
        check_monoid(&parts, &whole);
        let (parts, whole) = shards(&rows, count, |m: &mut Desk, r| {
            let cents = m.minor(yuan(r.0)).unwrap();
            m.refund.observe(cents).unwrap();
            m.returned_units.observe((r.1 % 9) as i64).unwrap();
            m.handling_time.observe(r.2).unwrap();
            m.goals.observe(outcome(r.0 % 2 == 0)).unwrap();
        });
        check_monoid(&parts, &whole);
    }

    /// ANA-2: a percentile differs from the exact one by at most 1/128 of it.
    #[test]
    fn percentiles_keep_their_bound(
        mut values in prop::collection::vec(
            prop_oneof![0_u64..300, 0_u64..100_000, any::<u64>()], 1..300),
        percent in 0_u8..=100,
    ) {
        let mut histogram = Histogram::default();
        for value in &values {
            histogram.observe(*value).unwrap();
        }
        values.sort_unstable();
        let rank = (values.len() * usize::from(percent)).div_ceil(100).max(1);
        let exact = values[rank - 1];
        let found = histogram.percentile(percent).unwrap();
        prop_assert!(found.abs_diff(exact) <= exact / 128, "{found} for {exact}");
    }

    /// ANA-3: a tally by text keys and a grid by codes agree with a plain count, shard by shard.
    #[test]
    fn tallies_and_grids_agree_with_a_plain_count(
        rows in prop::collection::vec((0_u32..4, 0_u32..3, 0_u32..5, -500_i64..500), 0..150),
        count in 1_usize..5,
    ) {
        let dimensions = [Dimension::Category, Dimension::Channel, Dimension::Reason];
        let facets = |row: &(u32, u32, u32, i64)| {
            Facets::new()
                .with(Dimension::Category, format!("c{}", row.0)).unwrap()
                .with(Dimension::Channel, format!("h{}", row.1)).unwrap()
                .with(Dimension::Reason, format!("r{}", row.2)).unwrap()
        };
        let mut tallies = vec![Tally::<Sum>::new(&dimensions, 100).unwrap(); count];
        let mut grids = vec![Grid::<Sum, 3>::new([4, 3, 5]).unwrap(); count];
        for (position, row) in rows.iter().enumerate() {
            let shard = (position * 5) % count;
            tallies[shard].cell(&facets(row)).unwrap().observe(row.3).unwrap();
            grids[shard].cell([row.0, row.1, row.2]).unwrap().observe(row.3).unwrap();
        }
        let mut tally = Tally::<Sum>::new(&dimensions, 100).unwrap();
        let mut backward = tally.clone();
        tallies.iter().for_each(|part| tally.merge(part).unwrap());
        tallies.iter().rev().for_each(|part| backward.merge(part).unwrap());
        prop_assert_eq!(tally.to_bytes(), backward.to_bytes());
        let again = Tally::<Sum>::from_bytes(&tally.to_bytes(), 100).unwrap();
        prop_assert_eq!(again.to_bytes(), tally.to_bytes());
        let mut grid = Grid::<Sum, 3>::new([4, 3, 5]).unwrap();
        let mut stored = grid.clone();
        grids.iter().for_each(|part| grid.merge(part).unwrap());
        let parts: Vec<Vec<u8>> = grids.iter().rev().map(Grid::to_bytes).collect();
        stored.merge_shards(parts.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(grid.to_bytes(), stored.to_bytes());
        for (codes, sum) in grid.cells() {
            let same = |row: &&(u32, u32, u32, i64)| [row.0, row.1, row.2] == codes;
            let total: i64 = rows.iter().filter(same).map(|row| row.3).sum();
            prop_assert_eq!(sum.total(), i128::from(total));
            prop_assert_eq!(sum.count(), rows.iter().filter(same).count() as u64);
            let key = [format!("c{}", codes[0]), format!("h{}", codes[1]), format!("r{}", codes[2])];
            let key: Vec<&str> = key.iter().map(String::as_str).collect();
            prop_assert_eq!(tally.at(&key), Some(sum));
        }
        let reasons = grid.roll_up([2]).unwrap();
        let by_text = tally.roll_up(&[Dimension::Reason]).unwrap();
        for (codes, sum) in reasons.cells() {
            prop_assert_eq!(by_text.at(&[&format!("r{}", codes[0])]), Some(sum));
        }
        prop_assert_eq!(tally.total().unwrap().count(), rows.len() as u64);
    }

    /// ANA-4: damaged state is refused or read as the state it is, never a panic.
    #[test]
    fn damaged_state_is_refused(
        values in prop::collection::vec(0_u64..1_000_000, 1..40),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut desk = Desk::default();
        for value in &values {
            desk.handling_time.observe(*value).unwrap();
            desk.refund.observe(*value as i64).unwrap();
        }
        let mut bytes = to_bytes(&desk);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = from_bytes::<Desk>(&bytes) {
            prop_assert_eq!(&to_bytes(&read), &bytes);
        }
        prop_assert!(from_bytes::<Desk>(&bytes[..place]).is_err());
        let _ = from_bytes::<Desk>(&noise);
        let _ = Tally::<Sum>::from_bytes(&noise, 10);
        let _ = Grid::<Sum, 2>::from_bytes([3, 3], &noise);
    }

    /// ANA-40: merging a part and taking it out again changes no byte, and more than was counted is
    /// never taken out.
    #[test]
    fn what_was_merged_can_be_taken_out(
        rows in prop::collection::vec((any::<i64>(), 0_u64..3_000_000_000), 1..80),
        split in any::<prop::sample::Index>(),
    ) {
        let desk = |rows: &[(i64, u64)]| {
            let mut desk = Desk::default();
            for (amount, seconds) in rows {
                let cents = desk.minor(yuan(*amount)).unwrap();
                desk.refund.observe(cents).unwrap();
                desk.handling_time.observe(*seconds).unwrap();
                desk.goals.observe(outcome(amount % 2 == 0)).unwrap();
                desk.answers.invite().unwrap();
                desk.answers.satisfied((seconds % 5) as u8 + 1).unwrap();
            }
            desk
        };
        let at = split.index(rows.len());
        let (kept, part) = (desk(&rows[..at]), desk(&rows[at..]));
        let mut all = kept.clone();
        all.merge(&part).unwrap();
        all.take_out(&part).unwrap();
        prop_assert_eq!(to_bytes(&all), to_bytes(&kept));
        prop_assert_eq!(all.is_empty(), at == 0);
        prop_assert!(kept.clone().take_out(&desk(&rows)).is_err());
        let mut histogram = kept.handling_time.histogram().clone();
        let more = desk(&rows);
        prop_assert!(histogram.take_out(more.handling_time.histogram()).is_err());
    }

    /// ANA-34: a stored grid with any byte changed is refused or read as exactly the state it is.
    #[test]
    fn damaged_grids_are_refused(
        rows in prop::collection::vec((0_u32..6, 0_u32..5, any::<i64>(), 0_u64..1_000_000), 1..60),
        repeat in 1_usize..20,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut sums: Grid<Sum, 2> = Grid::new([6, 5]).unwrap();
        let mut timed: Grid<Timed, 2> = Grid::new([6, 5]).unwrap();
        for row in &rows {
            for _ in 0..repeat {
                sums.cell([row.0, row.1]).unwrap().observe(row.2).unwrap();
            }
            timed.cell([row.0, row.1]).unwrap().observe_row((row.2, row.3)).unwrap();
        }
        refuses_damage(&sums, [6, 5], at, byte);
        refuses_damage(&timed, [6, 5], at, byte);
    }

    /// ANA-35: counting rows a batch at a time, in any order, gives the grid of counting each row in
    /// its cell, and stored shards of histograms merge to the bytes of one pass.
    #[test]
    fn batches_and_rows_count_the_same(
        rows in prop::collection::vec((0_u32..60, 0_u32..40, any::<i64>(), any::<u64>()), 0..300),
        count in 1_usize..5,
        busy in 0_u64..150,
    ) {
        // More cells than are merged together, and one with more values than are stored one by one.
        let sizes = [60, 40];
        let mut plain: Grid<Timed, 2> = Grid::new(sizes).unwrap();
        let mut shards = vec![plain.clone(); count];
        let mut together = plain.clone();
        let all = rows.iter().map(|(a, b, amount, duration)| (*a, *b, *amount, *duration));
        let rows: Vec<_> = all.chain((0..busy).map(|n| (59, 39, 1, n * n))).collect();
        for (position, (a, b, amount, duration)) in rows.iter().enumerate() {
            let cell = plain.cell([*a, *b]).unwrap();
            cell.sum.observe(*amount).unwrap();
            cell.histogram.observe(*duration).unwrap();
            let shard = &mut shards[position % count];
            shard.cell([*a, *b]).unwrap().observe_row((*amount, *duration)).unwrap();
        }
        let all = rows.iter().map(|(a, b, amount, duration)| ([*a, *b], (*amount, *duration)));
        together.observe_all(all.rev()).unwrap();
        prop_assert_eq!(&together, &plain);
        let mut merged: Grid<Timed, 2> = Grid::new(sizes).unwrap();
        for shard in shards.iter().rev() {
            merged.merge_bytes(&shard.to_bytes()).unwrap();
        }
        prop_assert_eq!(merged.to_bytes(), plain.to_bytes());
        let stored: Vec<Vec<u8>> = shards.iter().map(Grid::to_bytes).collect();
        let mut at_once: Grid<Timed, 2> = Grid::new(sizes).unwrap();
        at_once.merge_shards(stored.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(&at_once, &plain);
        prop_assert_eq!(at_once.to_bytes(), plain.to_bytes());
        // A sum that counts more rows than its histogram, or fewer.
        let uneven = at_once.cell([0, 0]).unwrap();
        uneven.sum.observe(3).unwrap();
        at_once.cell([1, 0]).unwrap().histogram.observe(3).unwrap();
        prop_assert_eq!(&Grid::from_bytes(sizes, &at_once.to_bytes()).unwrap(), &at_once);
        prop_assert_eq!(&Grid::from_bytes(sizes, &plain.to_bytes()).unwrap(), &plain);
    }
}

#[test]
fn every_value_lies_in_its_bucket_and_buckets_follow_each_other() {
    let mut next = 0_u64;
    for index in 0..3776_u16 {
        let (low, high) = limits(index).unwrap();
        assert_eq!(low, next, "bucket {index}");
        assert_eq!((bucket(low), bucket(high)), (index, index));
        assert!(u128::from(low.midpoint(high) - low) * 128 <= u128::from(low));
        next = high.wrapping_add(1);
    }
    assert_eq!(next, 0, "the last bucket ends with the largest value");
    assert_eq!(limits(3776), None);
}

#[test]
fn a_cell_refuses_a_second_currency_and_a_tally_a_cell_too_many() {
    let mut tally: Tally<Desk> = Tally::new(&[Dimension::Category], 1).unwrap();
    let sale = |category: &str, value| SaleRow {
        facets: Facets::new().with(Dimension::Category, category).unwrap(),
        units: 1,
        value,
    };
    tally.observe_sale(&sale("jackets", yuan(19_900))).unwrap();
    let euros = Money::new(2_990, Currency::EUR);
    let mixed = AnalyticsError::MixedCurrencies { left: "CNY".into(), right: "EUR".into() };
    assert_eq!(tally.observe_sale(&sale("jackets", euros)), Err(mixed));
    let full = AnalyticsError::TooMany { name: "cells", limit: 1 };
    assert_eq!(tally.observe_sale(&sale("phones", yuan(1))), Err(full));
    assert_eq!(tally.at(&["jackets"]).unwrap().sold_value.total(), 19_900);
}

#[test]
fn a_return_counts_its_costs_times_and_outcomes() {
    let month: Month = "2026-03".parse().unwrap();
    let mut tally: Tally<Desk> = Tally::new(&[Dimension::Period], 10).unwrap();
    let facets = Facets::new().in_month(month);
    let sale = SaleRow { facets: facets.clone(), units: 50, value: yuan(500_000) };
    tally.observe_sale(&sale).unwrap();
    let row = ReturnRow {
        facets,
        units: 2,
        repeat_units: 0,
        value: yuan(20_000),
        costs: Some(Costs {
            refund: yuan(20_000),
            freight: yuan(1_200),
            depreciation: yuan(3_000),
            handling: yuan(800),
            recovered: yuan(17_000),
        }),
        handling_seconds: Some(7_300),
        first_response_seconds: Some(95),
        goal_met: Some(Outcome::No),
        first_time_right: Some(Outcome::Yes),
        repeat: Some(Outcome::No),
        survey: None,
    };
    tally.observe_return(&row).unwrap();
    let text = serde_json::to_string(&tally).unwrap();
    let tally: Tally<Desk> = serde_json::from_str(&text).unwrap();
    let cell = tally.at(&["2026-03"]).unwrap();
    assert_eq!(cell.cost(), 8_000);
    let rate = cell.unit_rate(Confidence::NINETY_FIVE).unwrap();
    assert_eq!((rate.value, rate.sample), (0.04, 50));
    assert_eq!(cell.value_rate(), Some(0.04));
    assert_eq!(cell.recovery_rate(), Some(0.85));
    assert_eq!(
        cell.handling_time.histogram().percentile(90).map(|s| s.abs_diff(7_300) <= 57),
        Some(true)
    );
    assert_eq!((cell.goals.yes, cell.goals.no), (0, 1));
}

/// The mean against scipy.stats.t.interval (scipy 1.17.1), the score by hand.
#[test]
fn mean_times_and_scores_have_their_intervals() {
    let mut times = Durations::default();
    for seconds in [3_600, 7_200, 1_800, 5_400] {
        times.observe(seconds).unwrap();
    }
    let mean = times.mean(Confidence::NINETY_FIVE).unwrap();
    assert_eq!(mean.value, 4_500.0);
    assert!((mean.low - 802.331_5).abs() < 1e-3, "{}", mean.low);
    // Within two hours, as JD handles a case: 3 of 4, Wilson's interval by hand.
    let mut first = Histogram::default();
    for seconds in [600, 3_600, 5_400, 36_000] {
        first.observe(seconds).unwrap();
    }
    let share = first.share_within(7_200, Confidence::NINETY_FIVE).unwrap();
    assert_eq!((share.value, share.sample), (0.75, 4));
    assert!(
        (share.low - 0.300_642).abs() < 1e-6 && (share.high - 0.954_413).abs() < 1e-6,
        "{share:?}"
    );
    let mut answers = Answers { invited: 200, ..Answers::default() };
    for (answer, count) in [(10, 45), (8, 30), (3, 25)] {
        for _ in 0..count {
            answers.recommends(answer).unwrap();
        }
    }
    let nps = answers.nps(Confidence::NINETY_FIVE).unwrap();
    // By hand: n' = 103, p = 45.75/103, d = 25.75/103, sqrt((p + d - (p - d)^2) / n').
    assert_eq!(nps.value, 0.2);
    assert!((nps.low - 0.037_702_5).abs() < 1e-6 && (nps.high - 0.350_647).abs() < 1e-6, "{nps:?}");
    for (answer, count) in [(1, 3), (2, 5), (4, 10), (5, 22)] {
        for _ in 0..count {
            answers.satisfied(answer).unwrap();
        }
    }
    // By hand: mean 4.075, deviation 1.3279539, Student's t with 39 degrees 2.0226909.
    let mean = answers.satisfaction_mean(Confidence::NINETY_FIVE).unwrap();
    assert!((mean.value - 4.075).abs() < 1e-12 && mean.sample == 40);
    assert!(
        (mean.low - 3.650_300).abs() < 1e-5 && (mean.high - 4.499_700).abs() < 1e-5,
        "{mean:?}"
    );
    assert_eq!(answers.response_rate(Confidence::NINETY_FIVE).unwrap().value, 0.5);
    assert!(answers.satisfied(0).is_err() && answers.satisfied(6).is_err());
    assert!(answers.recommends(11).is_err());
}

#[test]
fn months_count_across_years() {
    let month: Month = "2026-01".parse().unwrap();
    assert_eq!(month.plus(-1).unwrap().to_string(), "2025-12");
    assert_eq!(Month::new(1, 1).unwrap().plus(-1), None);
    assert_eq!(Month::new(9999, 12).unwrap().plus(1), None);
    for text in ["2026-13", "2026-00", "0000-01", "2026-1", "26-01", "2026/01", ""] {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
}
