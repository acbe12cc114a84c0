//! Rates, intervals and differences against published and independently computed values.
//!
//! Unless a test says otherwise, numbers come from scipy 1.17.1 and statsmodels 0.15.0:
//! `proportion_confint`, `confint_proportions_2indep(method="newcomb")`, `fisher_exact`, `chi2.ppf`.

use aftersale::analytics::AnalyticsError;
use aftersale::analytics::alarm::{
    Family, Method, Options, Series, conditional_p, false_discovery_q, predictive_p, screen,
};
use aftersale::analytics::rate::{
    Confidence, Difference, Proportion, per_exposure, units_for_power, units_to_tell_apart,
};
use proptest::prelude::*;

const C95: Confidence = Confidence::NINETY_FIVE;

fn of(part: u64, whole: u64) -> Proportion {
    Proportion::new(part, whole).unwrap()
}

fn near(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs().max(1e-300),
        "{found} {expected}"
    );
}

/// ANA-5: Wilson's and Clopper-Pearson's intervals have their published values.
/// 81/263, 15/148, 0/20 and 1/29 are the examples of Newcombe (1998), Statistics in Medicine 17,
/// 857, table I: Wilson .2553 .3662, .0624 .1605, 0 .1611, .0061 .1718; exact .2527 .3676, .0578
/// .1617, 0 .1684, .0009 .1776. More digits and the other rows from statsmodels.
#[test]
fn intervals_of_one_rate_have_their_published_values() {
    #[rustfmt::skip]
    let rows = [
        (81, 263, 0.255_288_519_878, 0.366_209_576_983, 0.252_736_745_585, 0.367_621_922_601),
        (15, 148, 0.062_386_399_531, 0.160_487_241_723, 0.057_844_010_083, 0.161_650_490_349),
        (0, 20, 0.0, 0.161_125_158_053, 0.0, 0.168_433_470_983),
        (1, 29, 0.006_113_214_293, 0.171_755_218_793, 0.000_872_646_884, 0.177_644_295_489),
        (10, 10, 0.722_467_200_137, 1.0, 0.691_502_892_181, 1.0),
        (16, 200, 0.049_840_585_890, 0.125_989_488_267, 0.046_417_608_400, 0.126_664_856_022),
        (3, 100_000, 1.020_275_854_452e-5, 8.820_804_925_177e-5, 6.186_763_958_922e-6, 8.767_020_256_636e-5),
        (500, 1000, 0.469_069_600_368, 0.530_930_399_632, 0.468_549_172_972, 0.531_450_827_028),
    ];
    for (x, n, low, high, exact_low, exact_high) in rows {
        let wilson = of(x, n).wilson(C95).unwrap();
        let exact = of(x, n).exact(C95).unwrap();
        near(wilson.low, low, 1e-9);
        near(wilson.high, high, 1e-9);
        near(exact.low, exact_low, 1e-9);
        near(exact.high, exact_high, 1e-9);
        assert_eq!(wilson.sample, n);
    }
    assert_eq!(of(0, 0).wilson(C95), None);
    assert_eq!(of(0, 0).exact(C95), None);
    assert!(Proportion::new(3, 2).is_err());
    assert!(serde_json::from_str::<Proportion>(r#"{"part":3,"whole":2}"#).is_err());
}

/// ANA-6: the interval of a difference is Newcombe's, and Fisher's p stands beside it.
/// 56/70 against 48/80, 9/10 against 3/10, 10/10 against 0/20 and 5/56 against 0/29 are rows of
/// Newcombe (1998), Statistics in Medicine 17, 873, table II, method 10.
#[test]
fn differences_have_their_published_values() {
    let rows = [
        ((48, 80), (56, 70), 0.052_431_472_402, 0.333_872_654_037),
        ((3, 10), (9, 10), 0.170_522_723_935, 0.809_017_973_535),
        ((0, 20), (10, 10), 0.679_086_037_142, 1.0),
        ((0, 29), (5, 56), -0.038_137_147_904, 0.192_560_013_855),
    ];
    for (before, after, low, high) in rows {
        let change =
            Difference::between(of(before.0, before.1), of(after.0, after.1), C95).unwrap();
        near(change.low, low, 1e-8);
        near(change.high, high, 1e-8);
    }
    let p = |b: (u64, u64), a: (u64, u64)| {
        Difference::between(of(b.0, b.1), of(a.0, a.1), C95).unwrap().fisher_p
    };
    near(p((3, 10), (900, 2100)), 0.530_588_840_643, 1e-9);
    near(p((30, 1000), (300, 100_000)), 1.014_003_092_488e-19, 1e-7);
    assert_eq!(p((0, 5), (0, 7)), 1.0);
}

/// ANA-7: the article's eight to three percent is proof only above some volume.
/// The table of the analytics guide; p from scipy's `fisher_exact`.
#[test]
fn eight_to_three_percent_needs_units() {
    let rows = [
        (100, 8, 3, 0.213_409_901, false),
        (150, 12, 4, 0.069_055_273, true),
        (200, 16, 6, 0.046_145_148, true),
        (300, 24, 9, 0.011_121_962, true),
        (500, 40, 15, 0.000_730_557_6, true),
    ];
    for (n, before, after, p, distinct) in rows {
        let change = Difference::between(of(before, n), of(after, n), C95).unwrap();
        near(change.fisher_p, p, 1e-6);
        assert_eq!(change.is_distinct(), distinct, "{n} {change:?}");
    }
    let needed = units_to_tell_apart(0.08, 0.03, C95).unwrap();
    println!(
        "8 % to 3 %: {needed} units on each side; 80 % power: {:?}",
        units_for_power(0.08, 0.03, C95, 0.8)
    );
    for n in needed..needed + 20 {
        let side = |rate: f64| of((rate * n as f64).round() as u64, n);
        assert!(Difference::between(side(0.08), side(0.03), C95).unwrap().is_distinct());
    }
    // statsmodels: NormalIndPower is close; Fleiss' formula by hand gives 325.2, rounded up.
    assert_eq!(units_for_power(0.08, 0.03, C95, 0.8), Some(326));
    assert_eq!(units_for_power(0.08, 0.08, C95, 0.8), None);
    assert_eq!(units_to_tell_apart(0.05, 1.5, C95), None);
}

/// Garwood's limits, from `scipy.stats.chi2.ppf`.
#[test]
fn ratios_above_one_have_poisson_limits() {
    let rows = [
        (0, 0.0, 3.688_879_454),
        (5, 1.623_486_390, 11.668_332_079),
        (100, 81.363_991_251, 121.626_793_792),
    ];
    for (x, low, high) in rows {
        let rate = per_exposure(x, 50, C95).unwrap();
        near(rate.low * 50.0, low, 1e-8);
        near(rate.high * 50.0, high, 1e-8);
    }
    assert_eq!(per_exposure(3, 0, C95), None);
}

/// `scipy.stats.hypergeom.sf` and `scipy.stats.betabinom.sf`.
#[test]
fn tail_probabilities_agree_with_scipy() {
    near(conditional_p(of(2, 100), of(6, 50)), 0.016_964_180_571, 1e-9);
    near(conditional_p(of(2, 900), of(3, 100)), 0.008_365_780_422, 1e-9);
    near(conditional_p(of(40, 2500), of(20, 500)), 0.001_094_157_180, 1e-8);
    near(conditional_p(of(0, 5), of(1, 5)), 0.5, 1e-12);
    assert_eq!(conditional_p(of(0, 5), of(0, 5)), 1.0);
    // Without spread between periods the prediction is the exact beta-binomial: 38 of 980 and a
    // prior of precision 10 at rate .04 give a = 38.4, b = 951.6. Expected: the sum of
    // `betabinom.pmf(k, 100, 38.4, 951.6)` over k = 19..100 (its `sf` loses digits here).
    let family = Family { rate: 0.04, rho: 0.0, precision: 10.0 };
    let p = predictive_p(of(38, 980), 7, of(19, 100), &family).unwrap();
    near(p, 1.103_902_692e-7, 1e-8);
    let loose = Family { rho: 0.05, ..family };
    assert!(predictive_p(of(38, 980), 7, of(19, 100), &loose).unwrap() > 1e-4);
    assert!(predictive_p(of(38, 980), 0, of(19, 100), &family).is_err());
}

/// The example of Benjamini and Hochberg (1995), section 3.2: with q = .05 exactly four of the
/// fifteen hypotheses are rejected.
#[test]
fn false_discovery_rates_have_their_published_example() {
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];
    let q = false_discovery_q(&p);
    assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
    near(q[3], 0.035_625, 1e-12);
    assert!(q.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(false_discovery_q(&[f64::NAN, 0.01]), [1.0, 0.02]);
}

proptest! {
    /// ANA-8: every interval holds its estimate, and more data at the same rate narrows it.
    #[test]
    fn intervals_hold_their_estimate_and_narrow(x in 0_u64..50, rest in 0_u64..50, times in 2_u64..20) {
        prop_assume!(x + rest > 0);
        let small = of(x, x + rest);
        let large = of(x * times, (x + rest) * times);
        for method in [Proportion::wilson, Proportion::exact] {
            let (a, b) = (method(small, C95).unwrap(), method(large, C95).unwrap());
            prop_assert!(a.low <= a.value && a.value <= a.high && a.low >= 0.0 && a.high <= 1.0);
            prop_assert!(b.high - b.low < a.high - a.low);
            // Never narrower than the exact guarantee asks: the exact interval holds Wilson's centre.
            prop_assert!(a.holds(a.value));
        }
    }

    /// ANA-9: the exact conditional p is the sum of the hypergeometric probabilities.
    #[test]
    fn the_conditional_test_is_a_plain_sum(x0 in 0_u64..12, r0 in 0_u64..30, x in 0_u64..12, r in 0_u64..30) {
        prop_assume!(x + r > 0);
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let (total, marked, drawn) = (x0 + r0 + x + r, x0 + x, x + r);
        let plain: f64 = (x..=marked.min(drawn))
            .filter(|k| drawn - k <= total - marked)
            .map(|k| choose(marked, k) * choose(total - marked, drawn - k) / choose(total, drawn))
            .sum();
        let found = conditional_p(of(x0, x0 + r0), of(x, x + r));
        prop_assert!((found - plain).abs() < 1e-9 * plain.max(1e-3), "{found} {plain}");
    }

    /// ANA-10: the order in which series are given never changes a screening.
    #[test]
    fn the_order_of_series_does_not_matter(
        rows in prop::collection::vec((0_u64..6, 0_u64..30), 6..20), turn in 0_usize..20,
    ) {
        let mut family: Vec<Series<usize>> = rows.iter().enumerate().map(|(key, (x, now))| Series {
            key,
            past: (0..4).map(|month| of((x + month) % 6, 60)).collect(),
            now: of(*now, 60),
            cost_per_return: None,
        }).collect();
        let first = screen(&family, &Options::default()).unwrap();
        let middle = turn % family.len();
        family.rotate_left(middle);
        let second = screen(&family, &Options::default()).unwrap();
        prop_assert_eq!(first.alarms.len(), second.alarms.len());
        for (a, b) in first.alarms.iter().zip(&second.alarms) {
            prop_assert_eq!(a.key, b.key);
            prop_assert!((a.q - b.q).abs() < 1e-9);
        }
    }
}

/// Series that expect too few returns are not tested, and too few returns raise no alarm.
#[test]
fn minimums_are_kept() {
    let series = |key, past, now| Series { key, past: vec![past; 6], now, cost_per_return: None };
    let mut family: Vec<Series<u32>> =
        (0..40).map(|key| series(key, of(4, 100), of(4, 100))).collect();
    family.push(series(98, of(0, 10), of(2, 2)));
    family.push(series(99, of(4, 100), of(40, 100)));
    let with = |returns_min, expected_min| {
        let options = Options { returns_min, expected_min, ..Options::default() };
        let found = screen(&family, &options).unwrap();
        (found.tested, found.alarms.iter().map(|alarm| alarm.key).collect::<Vec<_>>())
    };
    assert_eq!(with(3, 0.0), (42, vec![99]));
    assert_eq!(
        with(3, 1.0),
        (41, vec![99]),
        "the article with two units expects less than one return"
    );
    assert_eq!(with(40, 0.0).1, [99]);
    assert_eq!(with(41, 0.0).1, [0_u32; 0]);
    assert_eq!(with(2, 0.0).1, [99, 98], "two of two, once two returns are enough");
}

/// The conditional test looks at the series alone: an article that never came back and now does is told
/// of, also among four hundred that always come back more often.
#[test]
fn the_conditional_test_does_not_ask_the_family() {
    let series = |key, past, now| Series { key, past, now, cost_per_return: None };
    let mut family: Vec<Series<u32>> =
        (0..400).map(|key| series(key, vec![of(40, 200); 6], of(40, 200))).collect();
    family.push(series(500, vec![of(0, 100)], of(16, 100)));
    let options = Options { method: Method::Conditional, ..Options::default() };
    let found = screen(&family, &options).unwrap();
    let [alarm] = &found.alarms[..] else { panic!("{:?}", found.alarms.len()) };
    assert_eq!((alarm.key, alarm.since), (500, 1));
    assert!(alarm.expected < 1.0 && alarm.extra.low > 5.0, "{alarm:?}");
    assert!(
        screen(&family, &Options::default()).unwrap().alarms.is_empty(),
        "the family says 20 %"
    );
}

#[test]
fn settings_outside_their_range_are_refused() {
    assert!(matches!(Confidence::new(1.0), Err(AnalyticsError::OutOfRange { .. })));
    assert!(matches!(Confidence::new(f64::NAN), Err(AnalyticsError::OutOfRange { .. })));
    let options = Options { false_discovery_rate: 0.0, ..Options::default() };
    assert!(screen::<u32>(&[], &options).is_err());
    let empty = screen::<u32>(&[], &Options::default()).unwrap();
    assert_eq!((empty.tested, empty.alarms.len()), (0, 0));
}
