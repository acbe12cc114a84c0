//! Cohorts, early warning, charts, trends, comparisons, causes, words, effects against published and
//! independently computed values.
//!
//! "scipy" is scipy 1.17.1, "statsmodels" is statsmodels 0.15.0; "by hand" means a few lines of numpy
//! written from the definition, not from this crate.

use aftersale::analytics::benchmark::{
    PUBLISHED, funnel_limits, observed_over_expected, standardized,
};
use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::cohort::{Triangle, chain_ladder, mean_cumulative};
use aftersale::analytics::control_chart::{Limits, p_chart, runs, u_chart};
use aftersale::analytics::cusum::Cusum;
use aftersale::analytics::effect::{Sides, difference_in_differences, interrupted_series};
use aftersale::analytics::mix::{Segment, decompose};
use aftersale::analytics::month::Month;
use aftersale::analytics::pareto::{Class, Kind, pareto};
use aftersale::analytics::rate::{Confidence, Proportion};
use aftersale::analytics::sequential::{RateWatch, StreamsWatch};
use aftersale::analytics::shrinkage::{Common, common, rank, shrink};
use aftersale::analytics::state::{Measure, from_bytes, to_bytes};
use aftersale::analytics::surveillance::{Ears, Farrington, ears, farrington};
use aftersale::analytics::trend::{cochran_armitage, mann_kendall, stl};
use aftersale::analytics::waiting::{Wait, Waiting};
use aftersale::analytics::words::{Keyness, TermCounts, emerging, examples, log_likelihood, terms};
use proptest::prelude::*;

use crate::random::Random;

const C95: Confidence = Confidence::NINETY_FIVE;

fn of(part: u64, whole: u64) -> Proportion {
    Proportion::new(part, whole).unwrap()
}

fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs().max(1e-12), "{found} {expected}");
}

fn month(number: i32) -> Month {
    Month::new(2025, 1).unwrap().plus(number).unwrap()
}

/// The generator of C's `rand`, upper bits: the same few lines made the series for statsmodels.
fn noise(count: usize, seed: u64) -> Vec<u64> {
    (0..count)
        .scan(seed, |x, _| {
            *x = (*x * 1_103_515_245 + 12_345) % (1 << 31);
            Some(*x >> 16)
        })
        .collect()
}

/// ANA-11: chain ladder and Mack's error reproduce the published run-off.
/// Mack (1993), the triangle of Taylor and Ashe: total error 2,447,095 on reserves of 18,680,856.
#[test]
fn chain_ladder_reproduces_mack() {
    let triangle = vec![
        vec![
            357_848, 766_940, 610_542, 482_940, 527_326, 574_398, 146_342, 139_950, 227_229, 67_948,
        ],
        vec![352_118, 884_021, 933_894, 1_183_289, 445_745, 320_996, 527_804, 266_172, 425_046],
        vec![290_507, 1_001_799, 926_219, 1_016_654, 750_816, 146_923, 495_992, 280_405],
        vec![310_608, 1_108_250, 776_189, 1_562_400, 272_482, 352_053, 206_286],
        vec![443_160, 693_190, 991_983, 769_488, 504_851, 470_639],
        vec![396_132, 937_085, 847_498, 805_037, 705_960],
        vec![440_832, 847_631, 1_131_398, 1_063_269],
        vec![359_480, 1_061_648, 1_443_370],
        vec![376_686, 986_608],
        vec![344_014],
    ];
    let reserve = chain_ladder(&triangle).unwrap();
    assert_eq!(reserve.outstanding.round(), 18_680_856.0);
    assert_eq!(reserve.standard_error.round(), 2_447_095.0);
    assert_eq!(chain_ladder(&triangle[..2]), None);
}

/// ANA-12: young cohorts are projected to the rate that older cohorts reach, and marked.
/// The hazard form on a small triangle, by hand.
#[test]
fn young_cohorts_are_projected_and_marked() {
    let mut triangle = Triangle::default();
    for (row, (sold, returned)) in
        [(1000, vec![20, 40, 10]), (1200, vec![30, 45, 15]), (900, vec![18, 33]), (1100, vec![25])]
            .into_iter()
            .enumerate()
    {
        triangle.sold(month(row as i32), sold).unwrap();
        for (age, units) in returned.into_iter().enumerate() {
            triangle.returned(month(row as i32), age, units).unwrap();
        }
    }
    // A return that came after the day of the report must not count.
    triangle.returned(month(3), 1, 50).unwrap();
    let report = triangle.report(month(3), 2, C95).unwrap();
    let hazards = [93.0 / 4200.0, 118.0 / (980.0 + 1170.0 + 882.0), 25.0 / (940.0 + 1125.0)];
    let mut left = 1.0;
    for (rate, hazard) in report.pattern.iter().zip(hazards) {
        left *= 1.0 - hazard;
        near(rate.returned_by, 1.0 - left, 1e-12);
    }
    let marks: Vec<bool> =
        report.cohorts.iter().map(aftersale::analytics::cohort::CohortRate::is_mature).collect();
    assert_eq!(marks, [true, true, false, false]);
    let young = &report.cohorts[3];
    near(young.so_far.value, 25.0 / 1100.0, 1e-12);
    let stays = (1.0 - hazards[1]) * (1.0 - hazards[2]);
    let expected = (25.0 + 1075.0 * (1.0 - stays)) / 1100.0;
    let projected = young.projected.unwrap();
    near(projected.value, expected, 1e-12);
    // By hand: the pattern is worth 2,760.23 units; beta-binomial limits of 1,075 units still out.
    near(projected.low, (25.0 + 39.0) / 1100.0, 1e-12);
    near(projected.high, (25.0 + 72.0) / 1100.0, 1e-12);
    assert_eq!(report.mature_units(), of(160, 2200));
    // Nobody has lived three months: no pattern, no projection, no invented number.
    let long = triangle.report(month(3), 6, C95).unwrap();
    assert!(long.cohorts.iter().all(|cohort| cohort.projected.is_none()));
    triangle.returned(month(0), 0, 2000).unwrap();
    assert!(triangle.report(month(3), 2, C95).is_err(), "more returned than sold");
}

/// Reverse-time hazards by hand: of the returns that are known in full, 70 of 100 arrive at age 0.
#[test]
fn returns_to_come_are_estimated_without_sales() {
    let mut triangle = Triangle::default();
    for row in 0..4 {
        triangle.returned(month(row), 0, 70).unwrap();
        if row < 3 {
            triangle.returned(month(row), 1, 30).unwrap();
        }
    }
    let nowcast = triangle.nowcast(month(3), 1);
    assert_eq!(nowcast[0], (month(0), 100, Some(100.0)));
    let (_, seen, expected) = nowcast[3];
    assert_eq!(seen, 70);
    near(expected.unwrap(), 100.0, 1e-12);
    assert_eq!(mean_cumulative(&[(10, 100), (5, 50), (0, 0), (3, 9)]), [0.1, 0.2]);
}

proptest! {
    /// ANA-13: a triangle merges exactly, and its report does not depend on the split.
    #[test]
    fn triangles_merge_exactly(
        rows in prop::collection::vec((0_i32..8, 0_usize..4, 0_u64..9), 0..80), count in 1_usize..5,
    ) {
        let mut parts = vec![Triangle::default(); count];
        let mut whole = Triangle::default();
        for (position, (sold, age, units)) in rows.iter().enumerate() {
            for triangle in [&mut parts[position % count], &mut whole] {
                triangle.sold(month(*sold), 100).unwrap();
                triangle.returned(month(*sold), *age, *units).unwrap();
            }
        }
        let mut merged = Triangle::default();
        parts.iter().rev().for_each(|part| merged.merge(part).unwrap());
        prop_assert_eq!(to_bytes(&merged), to_bytes(&whole));
        prop_assert_eq!(&from_bytes::<Triangle>(&to_bytes(&whole)).unwrap(), &whole);
        let text = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::from_str::<Triangle>(&text).unwrap(), whole);
    }

    /// ANA-14: rate parts and mix parts add up to the change exactly.
    #[test]
    fn decompositions_add_up(
        rows in prop::collection::vec((0_u64..40, 0_u64..60, 0_u64..40, 0_u64..60), 1..8),
    ) {
        let segments: Vec<Segment<usize>> = rows.iter().enumerate().map(|(key, r)| Segment {
            key, before: of(r.0, r.0 + r.1), after: of(r.2, r.2 + r.3),
        }).collect();
        let total = |side: fn(&(u64, u64, u64, u64)) -> u64| rows.iter().map(side).sum::<u64>();
        prop_assume!(total(|r| r.0 + r.1) > 0 && total(|r| r.2 + r.3) > 0);
        let change = decompose(&segments).unwrap();
        prop_assert!((change.rate + change.mix - (change.after - change.before)).abs() < 1e-9);
        let before = total(|r| r.0) as f64 / total(|r| r.0 + r.1) as f64;
        prop_assert!((change.before - before).abs() < 1e-12);
    }

    /// ANA-15: a term count merges exactly, and a note counts once whatever it repeats.
    #[test]
    fn term_counts_merge_exactly(
        notes in prop::collection::vec("(拉链|坏了|没有声音| zip|broken|[a-z]{1,5}|，| ){1,8}", 0..20),
        count in 1_usize..4,
    ) {
        let mut parts = vec![TermCounts::default(); count];
        let mut whole = TermCounts::default();
        for (position, note) in notes.iter().enumerate() {
            parts[position % count].observe(&format!("{note} {note}")).unwrap();
            whole.observe(&format!("{note} {note}")).unwrap();
        }
        let mut merged = TermCounts::default();
        parts.iter().rev().for_each(|part| merged.merge(part).unwrap());
        prop_assert_eq!(to_bytes(&merged), to_bytes(&whole));
        prop_assert_eq!(from_bytes::<TermCounts>(&to_bytes(&whole)).unwrap(), whole.clone());
        for note in &notes {
            for term in terms(note) {
                prop_assert!(whole.count(&term) >= 1 && whole.count(&term) <= whole.notes());
            }
        }
    }
}

/// ANA-16: Farrington's flexible method gives the limits of an independent implementation.
/// statsmodels GLM (Poisson, var_weights) following Noufaily and others (2013), scipy's quantiles.
#[test]
fn farrington_agrees_with_an_independent_fit() {
    let mut weeks: Vec<u64> = noise(330, 42)
        .iter()
        .enumerate()
        .map(|(t, v)| {
            let season = 1.0 + (2.0 * std::f64::consts::PI * t as f64 / 52.0).sin();
            12 + v % 9 + (6.0 * season) as u64
        })
        .collect();
    (weeks[150], weeks[151], weeks[329]) = (80, 70, 60);
    let found = farrington(&weeks, &[], &Farrington::default()).unwrap();
    near(found.warning.expected, 27.057_142_857, 1e-7);
    assert_eq!((found.warning.limit, found.warning.alarm, found.trend), (41.0, true, None));
    assert_eq!(found.dispersion, 1.0);

    let rising: Vec<u64> =
        noise(330, 42).iter().enumerate().map(|(t, v)| 3 + v % 5 + t as u64 / 40).collect();
    let found = farrington(&rising, &[], &Farrington::default()).unwrap();
    near(found.warning.expected, 13.536_298_916, 1e-7);
    near(found.trend.unwrap(), 0.002_975_985_528, 1e-6);
    assert_eq!((found.warning.limit, found.warning.alarm), (24.0, false));

    let months: Vec<u64> = noise(80, 7).iter().map(|v| 5 + v % 13).collect();
    let units: Vec<u64> = noise(80, 9).iter().map(|v| 200 + v % 100).collect();
    let settings = Farrington {
        periods_per_year: 12,
        half_window: 1,
        blocks: 4,
        latest_left_out: 3,
        risk: 0.01,
        ..Farrington::default()
    };
    let found = farrington(&months, &units, &settings).unwrap();
    near(found.warning.expected, 11.348_402_182, 1e-7);
    near(found.dispersion, 1.534_713_395, 1e-6);
    assert_eq!(found.warning.limit, 23.0);
    assert!(farrington(&months[..50], &[], &settings).is_err());
}

/// ANA-17: EARS has its defined limits; by hand from Salmon and others (2016), formulas 2 to 4.
#[test]
fn ears_has_its_defined_limits() {
    let days = [4, 6, 5, 3, 5, 4, 6, 7, 5, 9, 8, 6, 14];
    near(ears(&days, Ears::C1, 3.0).unwrap().limit, 11.583_319_586, 1e-9);
    near(ears(&days, Ears::C2, 3.0).unwrap().limit, 11.535_607_356, 1e-9);
    near(ears(&days, Ears::C3, 2.0).unwrap().limit, 7.313_014_549, 1e-9);
    assert!(ears(&days[..9], Ears::C2, 3.0).is_none());
    let flat = [5; 8];
    assert!(!ears(&flat, Ears::C1, 3.0).unwrap().alarm);
}

/// ANA-18: a cumulative sum set for a run length keeps it, and finds the shift it is set for.
/// Run lengths by simulating the sum itself, 2,000 times.
#[test]
fn cumulative_sums_keep_their_run_length() {
    let watch = Cusum::new(0.02, 0.04).unwrap().with_run_length(500.0, 200.0).unwrap();
    let mut random = Random(11);
    let mut run = |rate: f64| {
        let mut periods = 0_u64;
        for _ in 0..2000 {
            let mut own = watch;
            loop {
                periods += 1;
                let x = random.poisson(500.0 * rate).min(500);
                if own.observe(of(x, 500)).alarm {
                    break;
                }
            }
        }
        periods as f64 / 2000.0
    };
    let (quiet, shifted) = (run(0.02), run(0.04));
    println!(
        "CUSUM 2 % to 4 %, 500 units: limit {:.2}, false alarm every {quiet:.0} periods, delay {shifted:.2}",
        watch.limit()
    );
    assert!((150.0..270.0).contains(&quiet), "{quiet}");
    assert!(shifted < 2.5, "{shifted}");
    near(watch.run_length(500.0, 0.04).unwrap(), shifted, 0.15);
}

/// Average periods until a sum passes its limit, by solving L(s) = 1 + E L(s') on a fine grid with lines
/// between its points: not the way the crate does it.
fn periods_until(limit: f64, units: f64, (usual, raised): (f64, f64), rate: f64) -> f64 {
    const POINTS: usize = 400;
    let mean = units * rate;
    let mut chance = (-mean).exp();
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for x in 0..80 {
        steps.push((chance, f64::from(x) * (raised / usual).ln() - units * (raised - usual)));
        chance *= mean / f64::from(x + 1);
    }
    steps.retain(|(chance, _)| *chance > 1e-13);
    let mut lengths = [1.0; POINTS + 1];
    loop {
        let mut next = [1.0; POINTS + 1];
        for (place, length) in next.iter_mut().enumerate() {
            for (chance, step) in &steps {
                let sum = (limit * place as f64 / POINTS as f64 + step).max(0.0);
                if sum <= limit {
                    let at = sum / limit * POINTS as f64;
                    let low = (at as usize).min(POINTS - 1);
                    let part = at - low as f64;
                    *length += chance * ((1.0 - part) * lengths[low] + part * lengths[low + 1]);
                }
            }
        }
        let moved = (next[0] - lengths[0]).abs();
        lengths = next;
        if moved < 1e-6 * lengths[0] {
            return lengths[0];
        }
    }
}

/// Found by breaking the code: the chain of the run length and the search for a limit, held against an
/// equation solved another way.
#[test]
fn run_lengths_solve_their_equation() {
    // With four returns a period the sum jumps, and so does its run length.
    for (units, rates, wanted, most) in [
        (500.0, (0.02, 0.04), 200.0, 1.01),
        (3_000.0, (0.01, 0.013), 50.0, 1.01),
        (3_000.0, (0.01, 0.013), 75.0, 1.015),
        (80.0, (0.05, 0.1), 60.0, 1.2),
        (80.0, (0.02, 0.03), 100.0, 1.1),
        (3_000.0, (0.01, 0.013), 120.0, 1.01),
    ] {
        let watch = Cusum::new(rates.0, rates.1).unwrap();
        let set = watch.with_run_length(units, wanted).unwrap();
        let quiet = periods_until(set.limit(), units, rates, rates.0);
        assert!((wanted..most * wanted).contains(&quiet), "{quiet} for {wanted}");
        for limit in [2.0, 4.0] {
            let set = watch.with_limit(limit).unwrap();
            for rate in [rates.0, rates.1] {
                let solved = periods_until(limit, units, rates, rate);
                // The chain is coarser where the sum jumps.
                let within = if units * rates.0 < 2.0 { 0.04 } else { 0.002 };
                near(set.run_length(units, rate).unwrap(), solved, within);
            }
        }
    }
}

/// The sum period by period, by hand: x ln 2 - 10 at 2 % to 4 % of 500 units.
#[test]
fn a_cumulative_sum_is_what_it_says_after_each_period() {
    let mut watch = Cusum::new(0.02, 0.04).unwrap();
    assert_eq!(watch.limit(), 4.0);
    let sums = [0.0, 0.0, 0.0, 1.783_502_069, 4.953_298_500, 10.202_536_472];
    let rows = [9, 11, 10, 17, 19, 22].into_iter().zip(sums);
    for ((returns, sum), since) in rows.zip([1, 2, 3, 3, 3, 3]) {
        let step = watch.observe(of(returns, 500));
        near(1.0 + step.sum, 1.0 + sum, 1e-9);
        assert_eq!((step.alarm, step.since), (sum > 4.0, since));
    }
    // A limit just below and just above the sum of two periods.
    for (limit, alarm) in [(4.9, true), (5.0, false)] {
        let mut watch = Cusum::new(0.02, 0.04).unwrap().with_limit(limit).unwrap();
        watch.observe(of(17, 500));
        assert_eq!(watch.observe(of(19, 500)).alarm, alarm);
    }
}

/// ANA-19: Laney's chart has the limits of its definition, by hand.
#[test]
fn laney_limits_follow_the_definition() {
    let x = [520, 610, 480, 590, 700, 430, 615, 560, 640, 505, 580, 470];
    let n =
        [10_000, 11_000, 9500, 10_500, 12_000, 9000, 11_200, 10_100, 11_500, 9800, 10_400, 9400];
    let periods: Vec<Proportion> = x.iter().zip(n).map(|(x, n)| of(*x, n)).collect();
    let chart = p_chart(&periods, Limits::Laney, 3.0).unwrap();
    near(chart.center, 0.053_858_520_900, 1e-9);
    near(chart.sigma_z, 1.754_301_935_574, 1e-9);
    near(chart.points[4].unwrap().high, 0.064_703_787_358, 1e-9);
    near(chart.points[4].unwrap().low, 0.043_013_254_443, 1e-9);
    // Anhoej: twelve points, longest run 7 at most, at least 3 crossings (binomial quantile).
    assert_eq!((chart.runs.longest_limit, chart.runs.crossings_limit), (7, 3));
    let shifted: Vec<f64> = (0..20).map(|t| if t < 10 { 0.08 } else { 0.05 }).collect();
    assert!(runs(&shifted).shifted());
}

/// Montgomery, Introduction to Statistical Quality Control, example of dyed cloth: defects in rolls of
/// 400 to 650 square meters, limits per 50 square meters.
#[test]
fn limits_per_unit_of_exposure_follow_the_textbook() {
    let defects = [14, 12, 20, 11, 7, 10, 21, 16, 19, 23];
    let area = [500, 400, 650, 500, 475, 500, 600, 525, 600, 625];
    let rolls: Vec<(u64, u64)> = defects.into_iter().zip(area).collect();
    let chart = u_chart(&rolls, Limits::Binomial, 3.0).unwrap();
    near(50.0 * chart.center, 1.423_256, 1e-6);
    let first = chart.points[0].unwrap();
    near(50.0 * first.high, 2.555_038, 1e-6);
    near(50.0 * first.low, 0.291_474, 1e-6);
    assert!(chart.points.iter().all(|point| point.is_some_and(|point| !point.outside)));
    assert!(u_chart(&[(3, 0)], Limits::Binomial, 3.0).is_none(), "nothing was exposed");
    // More events than units, where one unit comes back twice.
    assert!(
        u_chart(&[(8, 4), (6, 4)], Limits::Binomial, 3.0).unwrap().points[0].unwrap().high > 1.0
    );
}

/// ANA-20: trend tests have their reference values: numpy by definition, scipy's normal.
#[test]
fn trend_tests_have_their_reference_values() {
    let values = [8.1, 7.9, 8.3, 7.6, 7.1, 7.2, 6.6, 6.1, 6.3, 5.8, 6.1, 8.1];
    let trend = mann_kendall(&values, 1).unwrap();
    assert_eq!(trend.score, -36);
    near(trend.z, -2.411_404_864, 1e-9);
    near(trend.p, 0.015_891_197, 1e-7);
    near(trend.slope, -0.2225, 1e-9);
    let seasonal = mann_kendall(&values, 3).unwrap();
    near(seasonal.z, -2.4, 1e-12);
    near(seasonal.slope, -0.261_111_111, 1e-8);
    assert_eq!(mann_kendall(&[5.0; 6], 1).unwrap().p, 1.0);
    let (z, p) = cochran_armitage(&[of(10, 200), of(14, 210), of(22, 190), of(25, 205)]).unwrap();
    near(z, 2.963_026_980, 1e-8);
    near(p, 0.003_046_299, 1e-6);
}

/// ANA-21: STL takes a series apart as statsmodels does (period 12, seasonal 13, trend 21, low pass
/// 13, two inner rounds, no outer), and the parts add up.
#[test]
fn stl_agrees_with_statsmodels() {
    let values: Vec<f64> = noise(72, 3)
        .iter()
        .enumerate()
        .map(|(t, v)| {
            let t = t as f64;
            100.0 + 0.5 * t + 10.0 * (2.0 * std::f64::consts::PI * t / 12.0).sin() + (v % 7) as f64
        })
        .collect();
    let parts = stl(&values, 12, 13).unwrap();
    let places = [0, 1, 30, 71];
    let trend = [102.117_852_26, 102.720_017_94, 118.153_766_39, 138.033_522_51];
    let season = [-1.190_075_03, 4.552_677_01, -0.553_015_28, -3.608_374_89];
    for ((place, trend), season) in places.into_iter().zip(trend).zip(season) {
        assert!((parts.trend[place] - trend).abs() < 1e-6, "{} {trend}", parts.trend[place]);
        assert!((parts.season[place] - season).abs() < 1e-6, "{} {season}", parts.season[place]);
    }
    for (place, value) in values.iter().enumerate() {
        near(parts.trend[place] + parts.season[place] + parts.rest[place], *value, 1e-12);
    }
    assert_eq!(stl(&values[..20], 12, 13), None);
}

/// ANA-22: comparisons with a reference have their exact limits; by hand with scipy's chi2.
#[test]
fn comparisons_have_their_exact_limits() {
    let ratio = observed_over_expected(&[(of(11, 100), 0.053), (of(20, 200), 0.1)], C95).unwrap();
    near(ratio.value, 31.0 / 25.3, 1e-12);
    near(ratio.low, 0.832_529_485, 1e-8);
    near(ratio.high, 1.739_210_494, 1e-8);
    let rate =
        standardized(&[(of(12, 200), 0.5), (of(40, 300), 0.3), (of(9, 50), 0.2)], C95).unwrap();
    near(rate.value, 0.106, 1e-12);
    near(rate.low, 0.076_831_263, 1e-7);
    near(rate.high, 0.144_801_795, 1e-7);
    let (low, high) = funnel_limits(0.05, 400, C95).unwrap();
    assert!((11.0..=12.0).contains(&(low * 400.0)) && (28.0..=29.0).contains(&(high * 400.0)));
    assert!(PUBLISHED.iter().all(|figure| !figure.source.is_empty() && figure.year > 2020));
}

/// ANA-23: the ten worst of equal articles are drawn back to the mean.
#[test]
fn luck_is_taken_out_of_a_ranking() {
    let mut random = Random(5);
    let articles: Vec<(u32, Proportion)> =
        (0..500).map(|key| (key, of(random.binomial(200, 0.05), 200))).collect();
    let mut raw: Vec<f64> = articles.iter().map(|(_, own)| own.value().unwrap()).collect();
    raw.sort_by(f64::total_cmp);
    let worst = raw[490..].iter().sum::<f64>() / 10.0;
    let ranking = rank(&articles, C95).unwrap();
    let shrunken = ranking[..10].iter().map(|own| own.rate.value).sum::<f64>() / 10.0;
    println!("ten worst of 500 equal articles: {worst:.3} raw, {shrunken:.3} shrunken, .050 true");
    assert!(worst > 0.08 && (shrunken - 0.05).abs() < 0.015);
    // scipy: beta.ppf([.025, .975], 92, 548).
    let own = shrink(of(90, 600), &Common { rate: 0.05, rho: 1.0 / 41.0 }, C95);
    near(own.low, 0.117_668_7, 1e-5);
    near(own.high, 0.171_939_4, 1e-5);
    assert_eq!(common(&[of(1, 2); 4]), None);
}

/// ANA-24: the planted cause is named, and nothing is named when only the mix changes.
#[test]
fn planted_causes_are_named_and_mix_is_not() {
    let sizes = [8_u32, 4, 6];
    let mut random = Random(77);
    let (mut found, mut false_alarms, worlds) = (0, 0, 20);
    for world in 0..worlds {
        let planted = (random.below(8) as u32, random.below(6) as u32);
        let mut leaves = [Vec::new(), Vec::new()];
        for code in 0..192_u32 {
            let codes = vec![code / 24, code / 6 % 4, code % 6];
            let base = 0.02 + 0.015 * f64::from(code / 24 % 3) + 0.01 * f64::from(code % 6 % 2);
            let (n0, n1) = (300 + random.below(300), 300 + random.below(300));
            let before = of(random.binomial(n0, base), n0);
            let raised = (codes[0], codes[2]) == planted;
            let rate = if raised { base * 2.5 } else { base };
            let after = of(random.binomial(n1, rate), n1);
            leaves[0].push(Leaf { codes: codes.clone(), before, after });
            // Mix only: three times as much of one category, rates as before.
            let n2 = if codes[0] == world % 8 { n1 * 3 } else { n1 };
            let after = of(random.binomial(n2, base), n2);
            leaves[1].push(Leaf { codes, before, after });
        }
        let causes = scan(&sizes, &leaves[0], &Scan::default()).unwrap();
        found += usize::from(
            causes.first().is_some_and(|cause| cause.element == [(0, planted.0), (2, planted.1)]),
        );
        false_alarms +=
            usize::from(!scan(&sizes, &leaves[1], &Scan::default()).unwrap().is_empty());
    }
    println!(
        "causes: {found} of {worlds} planted found first, {false_alarms} of {worlds} mix-only worlds with an alarm"
    );
    assert!(found >= 18, "{found}");
    assert!(false_alarms <= 1, "{false_alarms}");
    let wrong = Leaf { codes: vec![9, 0, 0], before: of(0, 1), after: of(0, 1) };
    assert!(scan(&sizes, &[wrong], &Scan::default()).is_err());
    assert!(scan(&sizes, &[], &Scan::default()).unwrap().is_empty());
}

/// ANA-25: the keyness of Dunning (1993), table 2: the swiss, can be, previous year, mineral water.
#[test]
fn keyness_has_its_published_values() {
    let rows = [
        (110.0, 2442.0, 111.0, 29114.0, 270.72),
        (29.0, 13.0, 123.0, 31612.0, 263.90),
        (31.0, 23.0, 139.0, 31584.0, 256.84),
        (10.0, 0.0, 3.0, 31764.0, 167.23),
    ];
    for (a, b, c, d, expected) in rows {
        assert!((log_likelihood(a, b, c, d) - expected).abs() < 0.006);
    }
}

/// ANA-26: a planted defect comes first among the emerging words, whole, with its notes.
#[test]
fn a_planted_defect_is_the_first_word() {
    let usual =
        ["尺码偏大，退了", "颜色和图片不一样", "物流太慢，包装破了", "不想要了", "it runs small"];
    let defect =
        ["充电口松动，充不进电", "新手机充电口松动", "the charging port is loose, 充电口松动"];
    let (mut here, mut there) = (TermCounts::default(), TermCounts::default());
    for round in 0..200 {
        there.observe(usual[round % 5]).unwrap();
        here.observe(usual[round % 5]).unwrap();
        if round < 12 {
            here.observe(defect[round % 3]).unwrap();
        }
    }
    let words = emerging(&here, &there, &Keyness::default());
    assert!(["充电口", "口松动", "电口松"].contains(&words[0].term.as_str()), "{words:?}");
    // In 12 of 212 notes here and none of 200 there, which counts as half a note.
    near(words[0].ratio, (12.0 / 212.0) / (0.5 / 200.5), 1e-9);
    assert!(!words.iter().any(|word| word.term == "充电"), "part of a longer term: {words:?}");
    let notes: Vec<&str> = usual.iter().chain(&defect).copied().collect();
    let found = examples(notes.iter().copied(), "充电口", 2);
    assert_eq!(found, [(5, defect[0]), (6, defect[1])]);
    assert!(emerging(&there, &there, &Keyness::default()).is_empty());
    assert!(terms("it is not fit, 没有声音").contains("not fit"));
    assert!(terms("没有声音").contains("没有声"));
}

/// ANA-27: the effect of an action: an interrupted series as statsmodels fits it, and a control.
#[test]
fn effects_have_their_reference_values() {
    let x = [31, 28, 35, 30, 33, 29, 36, 32, 20, 22, 19, 21, 17, 18, 16, 15];
    let n = [400, 390, 410, 400, 420, 400, 410, 405];
    let periods: Vec<Proportion> =
        x.iter().zip(n.iter().cycle()).map(|(x, n)| of(*x, *n)).collect();
    let effect = interrupted_series(&periods, 8, C95).unwrap();
    near(effect.level.0, 0.665_849_539, 1e-6);
    near(effect.level.1, 0.451_320_123, 1e-6);
    near(effect.slope.0, 0.942_928_680, 1e-6);
    assert_eq!(effect.dispersion, 1.0);
    assert!(interrupted_series(&periods, 2, C95).is_err());
    // Without movement in the control the change is that of the treated.
    let sides = Sides {
        treated_before: of(160, 2000),
        treated_after: of(60, 2000),
        control_before: of(400, 5000),
        control_after: of(400, 5000),
    };
    let effect = difference_in_differences(&sides, C95).unwrap();
    near(effect.value, -0.05, 1e-12);
    assert!(effect.is_distinct());
    // By hand: (60/1940 : 160/1840) / 1.
    near(effect.odds_ratio.unwrap().0, (60.0 / 1940.0) / (160.0 / 1840.0), 1e-9);
    let nothing = Sides { treated_after: of(0, 2000), ..sides };
    assert_eq!(difference_in_differences(&nothing, C95).unwrap().odds_ratio, None);
}

/// ANA-28: the evidence of a daily look has its defined value (scipy.special.betaln, brentq), and
/// looking at every unit of unchanged streams rejects at most at the stated risk.
#[test]
fn daily_looks_keep_their_risk() {
    let mut watch = RateWatch::new(0.08).unwrap();
    near(watch.observe(of(9, 300)).unwrap(), 3.490_225_686, 1e-8);
    let (low, high) = watch.interval(0.05).unwrap();
    near(low, 0.007_204_950, 1e-6);
    near(high, 0.077_547_435, 1e-6);
    let mut random = Random(3);
    let (mut one, mut two, mut naive) = (0, 0, 0);
    for _ in 0..400 {
        let mut watch = RateWatch::new(0.08).unwrap();
        let mut streams = StreamsWatch::default();
        let mut fixed = false;
        for _ in 0..60 {
            let (a, b) = (of(random.binomial(50, 0.08), 50), of(random.binomial(50, 0.08), 50));
            watch.observe(a).unwrap();
            streams.observe(a, b).unwrap();
            fixed |= !watch.seen().wilson(C95).unwrap().holds(0.08);
        }
        one += usize::from(watch.p() <= 0.05);
        two += usize::from(streams.p() <= 0.05);
        naive += usize::from(fixed);
    }
    println!(
        "60 looks at unchanged streams, risk 5 %: one stream {:.1} %, two streams {:.1} %, fixed-sample interval looked at daily {:.1} %",
        f64::from(one as u32) / 4.0,
        f64::from(two as u32) / 4.0,
        f64::from(naive as u32) / 4.0
    );
    assert!(one <= 32 && two <= 32, "{one} {two}");
    assert!(naive > 60, "looking daily at a fixed-sample interval goes wrong: {naive}");
}

/// ANA-29: open cases are not dropped: Kaplan and Meier's estimate as statsmodels gives it
/// (SurvfuncRight), the log-log interval by hand.
#[test]
fn open_cases_are_not_dropped() {
    let cases = [
        Wait::Done(5),
        Wait::Done(8),
        Wait::Done(8),
        Wait::Open(12),
        Wait::Done(15),
        Wait::Done(20),
        Wait::Open(22),
        Wait::Done(30),
        Wait::Open(31),
        Wait::Done(40),
    ];
    let waiting = Waiting::of(&cases);
    for (time, share) in [
        (5, 0.1),
        (8, 0.3),
        (15, 0.416_666_667),
        (20, 0.533_333_333),
        (30, 0.688_888_889),
        (40, 1.0),
    ] {
        near(waiting.done_within(time, C95).unwrap().value, share, 1e-8);
    }
    let at_20 = waiting.done_within(20, C95).unwrap();
    near(at_20.low, 0.263_389_763, 1e-8);
    near(at_20.high, 0.850_448_182, 1e-8);
    assert_eq!(waiting.percentile(50), Some(20));
    assert_eq!(Waiting::of(&[Wait::Open(9)]).percentile(50), None);
}

/// ANA-30: Pareto classes follow the share before the item, ties go by key, unknown comes last.
#[test]
fn pareto_orders_and_classes_are_total() {
    let rows = [
        ("b", 50, Kind::Named),
        ("a", 50, Kind::Named),
        ("?", 90, Kind::Unknown),
        ("c", 10, Kind::Named),
    ];
    let table = pareto(&rows, 180, C95).unwrap();
    let order: Vec<&str> = table.items.iter().map(|item| item.key).collect();
    assert_eq!(order, ["a", "b", "c", "?"]);
    assert_eq!(table.items[3].class, Class::Unranked);
    near(table.items[0].share_of_cases, 50.0 / 180.0, 1e-12);
    near(table.concentration, (2.0 * 2500.0 + 100.0) / 12_100.0, 1e-12);
    assert!(
        table.vital_few_range.0 <= table.vital_few && table.vital_few <= table.vital_few_range.1
    );
    assert!(pareto::<&str>(&[], 0, C95).is_none());
    // The item that crosses four fifths still belongs to the few: 0, 70 and 90 percent before.
    let rows = [("a", 70, Kind::Named), ("b", 20, Kind::Named), ("c", 10, Kind::Named)];
    let table = pareto(&rows, 100, C95).unwrap();
    let classes: Vec<Class> = table.items.iter().map(|item| item.class).collect();
    assert_eq!(classes, [Class::A, Class::A, Class::B]);
    assert_eq!(table.vital_few, 2);
    // Nine hundred that nobody gave a reason for change neither the classes nor the few.
    let [a, b, c] = rows;
    let table = pareto(&[a, b, c, ("?", 900, Kind::Unknown)], 1_000, C95).unwrap();
    let classes: Vec<Class> = table.items.iter().map(|item| item.class).collect();
    assert_eq!(classes, [Class::A, Class::A, Class::B, Class::Unranked]);
    assert_eq!((table.vital_few, table.vital_few_range), (2, (2, 2)));
    near(table.items[1].cumulative.value, 0.09, 1e-12);
    let nothing = pareto(&[("?", 9, Kind::Unknown)], 9, C95).unwrap();
    assert_eq!((nothing.vital_few, nothing.vital_few_range), (0, (0, 0)));
}

/// By hand from Kitagawa's formula; a segment that is new is mix and nothing else.
#[test]
fn parts_of_a_change_have_their_values_by_hand() {
    let change = decompose(&[
        Segment { key: "jackets", before: of(20, 100), after: of(60, 200) },
        Segment { key: "socks", before: of(10, 100), after: of(10, 100) },
    ])
    .unwrap();
    near(change.parts[0].rate, 0.5 * (0.5 + 2.0 / 3.0) * 0.1, 1e-12);
    near(change.parts[0].mix, 1.0 / 6.0 * (0.25 - 23.0 / 120.0), 1e-12);
    near(change.parts[1].mix, -1.0 / 6.0 * (0.1 - 23.0 / 120.0), 1e-12);
    assert_eq!(change.parts[1].rate, 0.0);
    let change = decompose(&[
        Segment { key: "jackets", before: of(20, 100), after: of(20, 100) },
        Segment { key: "phones", before: of(0, 0), after: of(15, 50) },
        Segment { key: "milk", before: of(4, 40), after: of(0, 0) },
    ])
    .unwrap();
    assert!(change.parts.iter().all(|part| part.rate == 0.0), "{change:?}");
    near(change.mix, change.after - change.before, 1e-12);
}

/// A p that was small once stays small: looking on never takes evidence back.
#[test]
fn evidence_once_seen_is_kept() {
    let mut watch = RateWatch::new(0.05).unwrap();
    watch.observe(of(30, 100)).unwrap();
    let p = watch.p();
    assert!(p < 1e-6);
    watch.observe(of(80, 2000)).unwrap();
    assert_eq!(watch.p(), p);
    assert_eq!(watch.seen(), of(110, 2100));
}

/// Words that became rarer are not new, a word beside its longer form stays when it occurs more
/// often, and five notes are enough where four are not.
#[test]
fn emerging_words_are_more_frequent_and_whole() {
    let count = |notes: &[(&str, usize)]| {
        let mut counts = TermCounts::default();
        for (note, times) in notes {
            (0..*times).for_each(|_| counts.observe(note).unwrap());
        }
        counts
    };
    let here = count(&[
        ("broken zipper", 8),
        ("loose zipper", 12),
        ("too small", 5),
        ("leaks", 5),
        ("squeaks", 4),
        ("fine", 66),
    ]);
    let there = count(&[("too small", 60), ("fine", 40), ("good", 1900)]);
    let found = emerging(&here, &there, &Keyness::default());
    let words: Vec<&str> = found.iter().map(|term| term.term.as_str()).collect();
    assert!(words.contains(&"zipper") && words.contains(&"broken zipper"), "{words:?}");
    assert!(!words.contains(&"broken") && !words.contains(&"loose"), "parts of a longer term");
    assert!(words.contains(&"leaks") && !words.contains(&"squeaks"), "{words:?}");
    let rarer = count(&[("too small", 5), ("good", 95)]);
    let before = count(&[("too small", 60), ("good", 40)]);
    let found = emerging(&rarer, &before, &Keyness::default());
    assert!(found.iter().all(|term| term.term == "good"), "{found:?}");
}
