//! Alarms over many series, on simulated worlds: how many are false, how soon a shift is found.

use aftersale::analytics::alarm::{Method, Options, Series, screen};
use aftersale::analytics::rate::Proportion;
use aftersale::money::Money;
use aftersale::money::currency::Currency;

use crate::random::Random;

const MONTHS: usize = 18;

/// One month of a series: the rate itself varies with correlation `rho`.
fn one_month(random: &mut Random, n: u64, p: f64, rho: f64) -> Proportion {
    let strength = 1.0 / rho - 1.0;
    let rate = if rho > 0.0 { random.beta(p * strength, (1.0 - p) * strength) } else { p };
    Proportion::new(random.binomial(n, rate), n).unwrap()
}

/// A family: long-run rate per series, and units per month from a handful to a few hundred.
fn family(random: &mut Random, count: usize, rho: f64) -> (Vec<(f64, u64)>, Vec<Series<usize>>) {
    let truth: Vec<(f64, u64)> = (0..count)
        .map(|_| (random.beta(4.0, 76.0), (10.0 + random.gamma(1.2) * 130.0) as u64))
        .collect();
    let series = truth
        .iter()
        .enumerate()
        .map(|(key, (p, n))| Series {
            key,
            past: (0..MONTHS).map(|_| one_month(random, *n, *p, rho)).collect(),
            now: Proportion::default(),
            cost_per_return: None,
        })
        .collect();
    (truth, series)
}

fn p_chart_alarm(series: &Series<usize>) -> bool {
    let (x, n) = series.past.iter().fold((0, 0), |(x, n), p| (x + p.part(), n + p.whole()));
    let p = x as f64 / n.max(1) as f64;
    let m = series.now.whole() as f64;
    series.now.part() as f64 / m > p + 3.0 * (p * (1.0 - p) / m).sqrt()
}

/// ANA-31: when nothing happened hardly any alarm is raised, and of the alarms raised when thirty
/// series are worse, at most about the accepted share is false.
#[test]
fn false_alarms_keep_their_share() {
    println!(
        "2,000 series, 18 months, one new month, 6 worlds; mean alarms per month (true of 30 worse)"
    );
    for rho in [0.0, 0.01] {
        let mut random = Random(2026);
        let methods = [
            ("beta-binomial, pooled rho, BH 10 %", Some(Method::Predictive)),
            ("exact conditional, BH 10 %", Some(Method::Conditional)),
            ("3-sigma p-chart, upper", None),
        ];
        let mut quiet = [0.0; 3];
        let mut worse = [(0.0, 0.0); 3];
        for _ in 0..6 {
            let (truth, mut series) = family(&mut random, 2000, rho);
            for planted in [false, true] {
                for (own, (p, n)) in series.iter_mut().zip(&truth) {
                    let raised = planted && own.key < 30;
                    let rate = if raised { (p * 2.5).min(0.6) } else { *p };
                    own.now = one_month(&mut random, *n, rate, rho);
                }
                for (slot, (_, method)) in methods.iter().enumerate() {
                    let keys: Vec<usize> = match method {
                        Some(method) => {
                            let options = Options { method: *method, ..Options::default() };
                            let found = screen(&series, &options).unwrap();
                            found.alarms.iter().map(|alarm| alarm.key).collect()
                        }
                        None => series.iter().filter(|s| p_chart_alarm(s)).map(|s| s.key).collect(),
                    };
                    if planted {
                        worse[slot].0 += keys.len() as f64 / 6.0;
                        worse[slot].1 += keys.iter().filter(|key| **key < 30).count() as f64 / 6.0;
                    } else {
                        quiet[slot] += keys.len() as f64 / 6.0;
                    }
                }
            }
        }
        for (slot, (name, _)) in methods.iter().enumerate() {
            println!(
                "  rho {rho:<4} {name:<36} nothing happened {:>6.1}   worse {:>6.1} ({:.1})",
                quiet[slot], worse[slot].0, worse[slot].1
            );
        }
        assert!(quiet[0] < 1.0, "{quiet:?}");
        let share = 1.0 - worse[0].1 / worse[0].0;
        println!(
            "  rho {rho:<4} share of false alarms of the default: {:.1} % (accepted 10 %)",
            100.0 * share
        );
        assert!(share < 0.15, "{worse:?}");
        assert!(worse[0].1 > 2.0, "{worse:?}");
        assert!(quiet[2] > 10.0 * quiet[0].max(0.5), "the p-chart drowns: {quiet:?}");
    }
}

/// ANA-32: the pooled correlation is estimated, and a shift is found within months.
#[test]
fn a_shift_is_found_within_months() {
    for (rho, at_least) in [(0.0, 12), (0.01, 6)] {
        let mut random = Random(7);
        let (truth, mut series) = family(&mut random, 1500, rho);
        let mut delays: Vec<Option<usize>> = vec![None; 30];
        let mut false_alarms = 0;
        for month in 1..=6 {
            for (own, (p, n)) in series.iter_mut().zip(&truth) {
                let rate = if own.key < 30 { (p * 2.5).min(0.6) } else { *p };
                own.now = one_month(&mut random, *n, rate, rho);
            }
            let found = screen(&series, &Options::default()).unwrap();
            if month == 1 {
                println!(
                    "rho {rho}: estimated {:.4}, rate {:.4}, precision {:.0}",
                    found.family.rho, found.family.rate, found.family.precision
                );
                assert!((found.family.rho - rho).abs() < 0.004, "{:?}", found.family);
                assert!((found.family.rate - 0.05).abs() < 0.01);
                assert!((40.0..160.0).contains(&found.family.precision), "{:?}", found.family);
            }
            for alarm in &found.alarms {
                match delays.get_mut(alarm.key) {
                    Some(delay) => *delay = delay.or(Some(month)),
                    None => false_alarms += 1,
                }
            }
        }
        let found: Vec<usize> = delays.iter().flatten().copied().collect();
        let within = |months: usize| found.iter().filter(|delay| **delay <= months).count();
        println!(
            "rho {rho}: of 30 series 2.5 times worse, found in the first month {}, within two {}, three {}, six {}; false alarms in six months {false_alarms}",
            within(1),
            within(2),
            within(3),
            within(6)
        );
        assert!(found.len() >= at_least, "{delays:?}");
        assert!(false_alarms <= 5, "{false_alarms}");
    }
}

/// ANA-33: an alarm says what, since when, how sure, how many extra returns and how much money.
#[test]
fn an_alarm_says_since_when_and_how_much() {
    let of = |x| Proportion::new(x, 200).unwrap();
    let mut family: Vec<Series<u32>> = (0..40)
        .map(|key| Series {
            key,
            past: [8, 9, 7, 8, 10, 8, 9, 7].into_iter().map(of).collect(),
            now: of(8),
            cost_per_return: None,
        })
        .collect();
    family[3].past[6] = of(26);
    family[3].past[7] = of(29);
    family[3].now = of(31);
    family[3].cost_per_return = Some(Money::new(4_500, Currency::CNY));
    let screening = screen(&family, &Options::default()).unwrap();
    let alarm = &screening.alarms[0];
    assert_eq!((alarm.key, alarm.since), (3, 6));
    assert!(alarm.q < 0.1 && alarm.p <= alarm.q);
    assert!(alarm.extra.low > 0.0 && alarm.extra.low < alarm.extra.value);
    let whole = alarm.extra.value.round() as i64;
    assert_eq!(alarm.extra_cost, Some(Money::new(4_500 * whole, Currency::CNY)));
    let text = alarm.findings[0].to_string();
    assert!(text.contains("alarm_predictive") && text.contains("31 observed"), "{text}");
}
