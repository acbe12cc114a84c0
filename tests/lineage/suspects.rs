//! Suspects: exact probabilities, corrections, strata, groups, second causes.

use crate::lineage_model::dairy::{event, order};
use crate::lineage_model::{Dice, lot};
use aftersale::id::{OrderId, SerialId, SupplierId};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{Event, EventFacts, EventId, EventKind, Item, Line, LineId, Units};
use aftersale::lineage::source::Source;
use aftersale::lineage::suspect::hypergeometric::{Counts, mantel_haenszel_z, stratified_p_value};
use aftersale::lineage::suspect::scientific::Probability;
use aftersale::lineage::suspect::{
    CandidateKind, Comparison, Correction, Observation, Outcome, RankingPlan, StratumId,
};
use aftersale::number::Exact;
use aftersale::quantity::Quantity;
use aftersale::time::{Instant, Zone};
use proptest::prelude::*;

fn choose(n: u128, k: u128) -> u128 {
    (0..k).fold(1, |c, i| c * (n - i) / (i + 1))
}

/// `value` is within two units of the 16th digit of `above / below`.
fn is_close(value: Probability, above: u128, below: u128) -> bool {
    // value = mantissa * 10^(exponent - 17)
    let shift = u32::try_from(17 - value.exponent()).unwrap();
    let Some(scaled) = 10_u128.checked_pow(shift).and_then(|s| above.checked_mul(s)) else {
        panic!("too small for this check")
    };
    (scaled / below).abs_diff(value.mantissa().into()) <= 200
}

/// LIN-15: p is the exact hypergeometric tail for every table of up to 14 units.
#[test]
fn p_is_exact_for_all_small_tables() {
    for units in 0..=14_u32 {
        for exposed in 0..=units {
            for defective in 0..=units {
                for both in 0..=exposed.min(defective) {
                    let Ok(counts) = Counts::new(units, exposed, defective, both) else {
                        assert!(exposed + defective > units + both);
                        continue;
                    };
                    let (n, k, d) = (units.into(), exposed.into(), u128::from(defective));
                    let ways = |i: u128| {
                        if d - i > n - k { 0 } else { choose(k, i) * choose(n - k, d - i) }
                    };
                    let above: u128 = (u128::from(both)..=k.min(d)).map(ways).sum();
                    let below = choose(n, d);
                    assert!(is_close(counts.p_value(), above, below), "{counts:?}");
                    assert_eq!(counts.p_value() == Probability::ONE, above == below, "{counts:?}");
                    assert!(is_close(stratified_p_value(&[counts]), above, below), "{counts:?}");
                }
            }
        }
    }
}

/// LIN-16: far below what a float holds, p keeps sixteen digits.
#[test]
fn p_far_below_floats_is_right_to_sixteen_digits() {
    // Expected digits from exact fractions of whole numbers.
    for ((units, exposed, defective, both), digits, exponent) in [
        ((1_000, 100, 100, 100), "1.566158155715616", -140),
        ((1_000, 100, 100, 60), "1.669027946866983", -42),
        ((100_000, 5_000, 300, 80), "1.458232628799780", -35),
        ((50, 20, 10, 9), "5.085099832338360", -4),
        ((1_000_000, 1_000, 2_000, 400), "1.296510183747116", -808),
        ((600, 300, 300, 140), "9.568368115757876", -1),
    ] {
        let p = Counts::new(units, exposed, defective, both).unwrap().p_value();
        assert!(p.to_string().starts_with(digits), "{p}, expected {digits}e{exponent}");
        assert_eq!(p.exponent(), exponent);
        let text = serde_json::to_string(&p).unwrap();
        assert_eq!(serde_json::from_str::<Probability>(&text).unwrap(), p);
    }
}

/// LIN-37: the logarithm of p has six right decimals where a float of p would be zero, and in between.
#[test]
fn the_logarithm_of_p_is_right_to_six_decimals() {
    // Expected from 60-digit arithmetic.
    for ((units, exposed, defective, both), expected) in [
        ((1_000, 100, 100, 100), "-139.805164"),
        ((1_000, 100, 100, 60), "-41.777536"),
        ((100_000, 5_000, 300, 80), "-34.836173"),
        ((50, 20, 10, 9), "-3.293701"),
        ((1_000_000, 1_000, 2_000, 400), "-807.887224"),
        ((600, 300, 300, 140), "-0.019162"),
        ((10, 5, 5, 0), "0"),
    ] {
        let p = Counts::new(units, exposed, defective, both).unwrap().p_value();
        assert_eq!(p.log10().unwrap().to_string(), expected, "{p}");
    }
    assert_eq!("0".parse::<Probability>().unwrap().log10(), None);
    let mut dice = Dice(37);
    for _ in 0..5_000 {
        let digits = 100_000_000 + dice.roll(900_000_000);
        let exponent = dice.roll(300);
        let p: Probability =
            format!("{}.{:08}e-{}", digits / 100_000_000, digits % 100_000_000, exponent + 1)
                .parse()
                .unwrap();
        let float = (digits as f64 / 1e8).log10() - (exponent + 1) as f64;
        let ours: f64 = p.log10().unwrap().to_string().parse().unwrap();
        assert!((ours - float).abs() <= 0.500_001e-6, "{p}: {ours}, expected {float}");
    }
    for exponent in [-1, -9, -100, -1_000_000_000] {
        let p: Probability = format!("1e{exponent}").parse().unwrap();
        assert_eq!(p.log10().unwrap().to_string(), exponent.to_string());
    }
}

/// LIN-31: the other measures are the formulas of their sources, for every table of up to 12 units.
#[test]
fn other_measures_are_their_formulas() {
    let float = |ratio: Option<aftersale::number::Ratio>| {
        ratio.map(|ratio| ratio.numerator() as f64 / ratio.denominator() as f64)
    };
    let (mut tables, mut undefined) = (0, 0);
    for units in 0..=12_u32 {
        for exposed in 0..=units {
            for defective in 0..=units {
                for both in 0..=exposed.min(defective) {
                    let Ok(counts) = Counts::new(units, exposed, defective, both) else { continue };
                    let found = counts.measures();
                    let [n_all, e, d, a11] = [units, exposed, defective, both].map(f64::from);
                    let (a10, a01) = (e - a11, d - a11);
                    let a00 = n_all - e - a01;
                    let (h11, h10, h01, h00) = (a11 + 0.5, a10 + 0.5, a01 + 0.5, a00 + 0.5);
                    let (failed, passed) = (a11 / d, a10 / (n_all - d));
                    for (ours, formula) in [
                        (found.ochiai_squared, (a11 / (d * e).sqrt()).powi(2)),
                        (found.dstar_2, a11.powi(2) / (a10 + a01)),
                        (found.tarantula, failed / (failed + passed)),
                        (found.jaccard, a11 / (a11 + a01 + a10)),
                        (found.op2, a11 - a10 / (a10 + a00 + 1.0)),
                        (found.odds_ratio, h11 * h00 / (h10 * h01)),
                        (found.risk_ratio, h11 / (e + 1.0) / (h01 / (n_all - e + 1.0))),
                    ] {
                        match float(ours) {
                            Some(ours) => assert!((ours - formula).abs() < 1e-9, "{counts:?}"),
                            None => {
                                assert!(!formula.is_finite(), "{counts:?} {formula}");
                                undefined += 1;
                            }
                        }
                    }
                    tables += 1;
                }
            }
        }
    }
    assert!(tables > 1_000 && undefined > 100, "{tables} {undefined}");
    let large = Counts::new(1 << 31, 1 << 30, 1 << 30, (1 << 30) - 1).unwrap().measures();
    assert!(large.ochiai_squared.is_some() && large.odds_ratio.is_some() && large.op2.is_some());
}

#[test]
fn a_probability_above_one_or_malformed_is_refused() {
    for text in
        ["1.1", "2e0", "1e1", "", "e", "1.e", "-1e-3", "1e-99999999999", "12e-3", "0.x", "0,5"]
    {
        assert!(text.parse::<Probability>().is_err(), "{text}");
    }
    for text in ["1e0", "1", "0e0", "0.000", "9.99e-1", "1e-999999999"] {
        assert!(text.parse::<Probability>().is_ok(), "{text}");
    }
    for (plain, shown) in [("0.05", "5e-2"), ("0.5", "5e-1"), ("0.0120e-3", "1.2e-5")] {
        assert_eq!(plain.parse::<Probability>().unwrap().to_string(), shown);
    }
}

/// LIN-17: within strata, p is the exact chance of the sum, counted over all ways.
#[test]
fn stratified_p_counts_all_ways() {
    let mut dice = Dice(7);
    for _ in 0..500 {
        let strata: Vec<Counts> = (0..1 + dice.roll(3))
            .filter_map(|_| {
                let units = dice.roll(8) as u32;
                let part = |dice: &mut Dice| dice.roll(u64::from(units) + 1) as u32;
                let (exposed, defective) = (part(&mut dice), part(&mut dice));
                Counts::new(units, exposed, defective, part(&mut dice)).ok()
            })
            .collect();
        // Ways to reach each sum, as whole numbers over the product of all ways.
        let (mut ways, mut all) = (vec![1_u128], 1_u128);
        let mut observed = 0;
        for c in &strata {
            let (n, k, d) = (c.units.into(), c.exposed.into(), u128::from(c.defective));
            observed += c.exposed_defective as usize;
            all *= choose(n, d);
            let mut next = vec![0; ways.len() + c.exposed as usize];
            for (sum, &count) in ways.iter().enumerate() {
                for i in 0..=c.exposed {
                    let i = u128::from(i);
                    if i <= d && d - i <= n - k {
                        next[sum + i as usize] += count * choose(k, i) * choose(n - k, d - i);
                    }
                }
            }
            ways = next;
        }
        let above: u128 = ways[observed..].iter().sum();
        assert!(is_close(stratified_p_value(&strata), above, all), "{strata:?}");

        let (mut excess, mut variance) = (0.0, 0.0);
        for c in strata.iter().filter(|c| c.units > 1) {
            let (n, k, d) = (f64::from(c.units), f64::from(c.exposed), f64::from(c.defective));
            excess += f64::from(c.exposed_defective) - k * d / n;
            variance += k * d * (n - k) * (n - d) / (n * n * (n - 1.0));
        }
        match mantel_haenszel_z(&strata) {
            None => assert!(variance < 1e-6, "{strata:?}"),
            Some(z) => {
                let z: f64 = z.to_string().parse().unwrap();
                assert!((z - excess / variance.sqrt()).abs() < 0.002, "{z} {strata:?}");
            }
        }
    }
}

fn at(day: u32) -> Instant {
    format!("2026-03-{day:02}T08:00:00Z").parse().unwrap()
}

fn phone(number: u32) -> Item {
    Item::Serial(SerialId::new(format!("P{number:03}")).unwrap())
}

/// 120 phones on two lines from two lots of cells, two of screens and one of glue. Cells of C2 fail
/// (20 of 40 phones); screens of S2 fail on their own (12 of 60); 3 defects have no cause.
fn factory() -> (Lineage, Vec<Observation>) {
    let mut lineage = Lineage::new(Units::default());
    let mut record = |event: aftersale::lineage::event::EventDraft| {
        lineage.record(&event.check().unwrap()).unwrap();
    };
    let id = |text: String| EventId::new(text).unwrap();
    let pieces = |count| Quantity::pieces(count).unwrap();
    for (lot_name, supplier) in
        [("C1", "Volta"), ("C2", "Volta"), ("S1", "Lumen"), ("S2", "Lumen"), ("G1", "Bond")]
    {
        let facts = EventFacts {
            supplier: Some(SupplierId::new(supplier).unwrap()),
            ..EventFacts::default()
        };
        record(
            Event::new(id(format!("R-{lot_name}")), at(1), EventKind::Receive)
                .output(Line::new(lot(lot_name), pieces(200)))
                .facts(facts),
        );
    }
    // A sub-lot of C2 that goes wherever C2 goes: no data can tell the two apart.
    record(
        Event::new(id("SPLIT".into()), at(2), EventKind::Repack)
            .input(Line::new(lot("C2"), pieces(40)))
            .output(Line::new(lot("C2-TRAY"), pieces(40))),
    );
    let mut seen = Vec::new();
    for n in 0..120 {
        let cell = if n % 3 == 0 { "C2-TRAY" } else { "C1" };
        let screen = if n % 2 == 0 { "S1" } else { "S2" };
        let line = if n < 60 { "line-a" } else { "line-b" };
        let facts = EventFacts { line: Some(LineId::new(line).unwrap()), ..EventFacts::default() };
        record(
            Event::new(id(format!("M{n}")), at(3 + n / 20), EventKind::Make)
                .input(Line::new(lot(cell), pieces(1)))
                .input(Line::new(lot(screen), pieces(1)))
                .input(Line::new(lot("G1"), pieces(1)))
                .output(Line::unmeasured(phone(n)))
                .facts(facts),
        );
        let bad = n % 6 == 0 || (n % 2 == 1 && n % 10 == 1) || [2, 50, 100].contains(&n);
        seen.push(Observation {
            item: phone(n),
            outcome: if bad { Outcome::Defective } else { Outcome::Good },
            stratum: Some(StratumId::new(if n < 80 { "black" } else { "white" }).unwrap()),
        });
    }
    (lineage, seen)
}

#[test]
fn the_guilty_lot_comes_first_with_those_no_data_can_tell_apart() {
    let (lineage, seen) = factory();
    let candidates = lineage.candidates(CandidateKind::Items, &seen, Zone::UTC);
    assert_eq!(candidates.len(), 6, "lots only, not the phones: {candidates:?}");
    let ranking = &lineage.rank(&candidates, &seen, &RankingPlan::default())[0];
    let first: Vec<String> = ranking
        .first_group()
        .map(|suspect| match &suspect.source {
            Source::Item { item, .. } => item.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(first, ["lot C2", "lot C2-TRAY"]);
    let suspect = &ranking.suspects[0];
    assert_eq!((suspect.counts.units, suspect.counts.exposed), (120, 40));
    assert_eq!(suspect.exposed_rate().to_string(), "3/5");
    assert!(suspect.q < RankingPlan::default().accept);
    assert!(suspect.z.unwrap() > Exact::from(3), "{:?}", suspect.z);
    assert_eq!(suspect.measures, suspect.counts.measures());
    let glue = ranking.suspects.iter().find(|s| s.source == Source::item(lot("G1"))).unwrap();
    assert_eq!(glue.z, None);
    assert_eq!(glue.p, Probability::ONE, "what is in every unit explains nothing");
}

#[test]
fn a_second_suspect_shows_once_the_first_is_set_aside() {
    let (lineage, seen) = factory();
    let candidates = lineage.candidates(CandidateKind::Items, &seen, Zone::UTC);
    let plan = RankingPlan { rounds: 3, ..RankingPlan::default() };
    let rounds = lineage.rank(&candidates, &seen, &plan);
    assert_eq!(rounds[0].suspects[0].source, Source::item(lot("C2")));
    assert_eq!(rounds[1].suspects[0].source, Source::item(lot("S2")));
    assert_eq!(rounds[1].units, 80, "the 40 units of the first suspect are set aside");
    assert!(rounds.len() <= 3);
}

#[test]
fn suppliers_lines_and_dates_are_candidates_too() {
    let (lineage, seen) = factory();
    let count = |kind| lineage.candidates(kind, &seen, Zone::UTC).len();
    assert_eq!(count(CandidateKind::Suppliers), 3);
    assert_eq!(count(CandidateKind::Lines), 2);
    assert_eq!(count(CandidateKind::Dates), 8);
    let lines = lineage.candidates(CandidateKind::Lines, &seen, Zone::UTC);
    let ranking = &lineage.rank(&lines, &seen, &RankingPlan::default())[0];
    assert_eq!(ranking.suspects[0].counts.exposed, 60);
}

#[test]
fn a_minimum_exposure_leaves_candidates_out_before_testing() {
    let (lineage, seen) = factory();
    let candidates = lineage.candidates(CandidateKind::Items, &seen, Zone::UTC);
    for (minimum_exposure, tested) in [(60, 4), (61, 2)] {
        let plan = RankingPlan { minimum_exposure, ..RankingPlan::default() };
        let ranking = &lineage.rank(&candidates, &seen, &plan)[0];
        assert_eq!((ranking.tested, ranking.below_minimum), (tested, 6 - tested));
    }
}

#[test]
fn within_strata_a_difference_between_strata_explains_nothing() {
    // White phones fail more often; lot W goes only into white ones and adds nothing.
    let mut lineage = Lineage::new(Units::default());
    let mut seen = Vec::new();
    for n in 0..80_u32 {
        let white = n >= 40;
        let input = if white { "W" } else { "B" };
        let event = Event::new(EventId::new(format!("M{n}")).unwrap(), at(1), EventKind::Make)
            .input(Line::new(lot(input), Quantity::pieces(1).unwrap()))
            .output(Line::unmeasured(phone(n)));
        lineage.record(&event.check().unwrap()).unwrap();
        let bad = if white { n % 2 == 0 } else { n % 10 == 0 };
        seen.push(Observation {
            item: phone(n),
            outcome: if bad { Outcome::Defective } else { Outcome::Good },
            stratum: Some(StratumId::new(if white { "white" } else { "black" }).unwrap()),
        });
    }
    let candidates = [Source::item(lot("W")), Source::item(lot("B"))];
    let pooled = &lineage.rank(&candidates, &seen, &RankingPlan::default())[0];
    assert_eq!(pooled.suspects[0].source, candidates[0]);
    assert!(pooled.suspects[0].p < "1e-3".parse().unwrap());
    let plan = RankingPlan { comparison: Comparison::WithinStrata, ..RankingPlan::default() };
    let within = &lineage.rank(&candidates, &seen, &plan)[0];
    assert!(within.suspects.iter().all(|suspect| suspect.p == Probability::ONE));
}

proptest! {
    /// LIN-18: the ranking does not depend on the order of candidates and observations, of one unit in
    /// several strata too; a corrected value
    /// is never below its p and never falls down the list; BY is never below BH.
    #[test]
    fn the_ranking_is_a_function_of_the_facts(seed in 0_u64..1_000_000) {
        let mut dice = Dice(seed);
        let mut lineage = Lineage::new(Units::default());
        let mut seen = Vec::new();
        let strata = ["A", "B"].map(|name| StratumId::new(name).unwrap());
        for n in 0..24 {
            let mut event =
                Event::new(EventId::new(format!("M{n}")).unwrap(), at(1), EventKind::Make)
                    .output(Line::unmeasured(phone(n)));
            for _ in 0..2 {
                let name = format!("L{}", dice.roll(6));
                event = event.input(Line::new(lot(&name), Quantity::pieces(1).unwrap()));
            }
            lineage.record(&event.check().unwrap()).unwrap();
            let outcome = if dice.roll(3) == 0 { Outcome::Defective } else { Outcome::Good };
            // Some are observed twice, in several strata or one.
            for _ in 0..1 + dice.roll(2) {
                let stratum = strata.get(dice.roll(3) as usize).cloned();
                seen.push(Observation { item: phone(n), outcome, stratum });
            }
        }
        let mut candidates: Vec<Source> = (0..6).map(|l| Source::item(lot(&format!("L{l}")))).collect();
        let plan = RankingPlan { minimum_exposure: 1, ..RankingPlan::default() };
        let within = RankingPlan { comparison: Comparison::WithinStrata, ..plan };
        let first = lineage.rank(&candidates, &seen, &plan);
        let first_within = lineage.rank(&candidates, &seen, &within);
        dice.shuffle(&mut candidates);
        dice.shuffle(&mut seen);
        prop_assert_eq!(&first, &lineage.rank(&candidates, &seen, &plan));
        prop_assert_eq!(first_within, lineage.rank(&candidates, &seen, &within));
        let strict = RankingPlan { correction: Correction::BenjaminiYekutieli, ..plan };
        let strict = lineage.rank(&candidates, &seen, &strict);
        let list = &first[0].suspects;
        for (bh, by) in list.iter().zip(&strict[0].suspects) {
            prop_assert!(bh.p <= bh.q && bh.q <= by.q);
        }
        prop_assert!(list.windows(2).all(|pair| pair[0].q <= pair[1].q));
        // The textbook step-up rule in floats.
        let p: Vec<f64> = list.iter().map(|s| s.p.to_string().parse().unwrap()).collect();
        for (rank, suspect) in list.iter().enumerate() {
            let expected = (rank..p.len())
                .map(|j| p[j] * p.len() as f64 / (j + 1) as f64)
                .fold(1.0, f64::min);
            let q: f64 = suspect.q.to_string().parse().unwrap();
            prop_assert!((q - expected).abs() < 1e-12);
        }
        for pair in list.windows(2).filter(|pair| pair[0].group == pair[1].group) {
            prop_assert_eq!(pair[0].counts, pair[1].counts);
        }
    }
}

#[test]
fn a_unit_observed_twice_counts_once_and_as_defective() {
    let (lineage, mut seen) = factory();
    let bad = seen.iter().filter(|seen| seen.outcome == Outcome::Defective).count() as u32;
    let first = seen.iter().find(|seen| seen.outcome == Outcome::Defective).unwrap().clone();
    seen.push(Observation { outcome: Outcome::Good, ..first });
    let ranking = &lineage.rank(&[Source::item(lot("C1"))], &seen, &RankingPlan::default())[0];
    assert_eq!((ranking.units, ranking.defective), (120, bad));
}

#[test]
fn an_order_observed_but_never_shipped_is_counted_as_unknown() {
    let (lineage, mut seen) = factory();
    let order = Item::Order(OrderId::new("SO-404").unwrap());
    seen.push(Observation { item: order, outcome: Outcome::Defective, stratum: None });
    let ranking = &lineage.rank(&[Source::item(lot("C1"))], &seen, &RankingPlan::default())[0];
    assert_eq!((ranking.units, ranking.unknown_units), (120, 1));
}

/// Eight orders of ten liters; A went into the first four and Z into all.
fn eight_orders() -> (Lineage, Vec<Item>) {
    let mut lineage = Lineage::new(Units::default());
    let orders: Vec<Item> = (1..=8).map(|n| order(&format!("SO-{n}"))).collect();
    for (n, to) in orders.iter().enumerate() {
        let mut made =
            event(&format!("M{n}"), 2, EventKind::Make).input(Line::unmeasured(lot("Z")));
        if n < 4 {
            made = made.input(Line::unmeasured(lot("A")));
        }
        let made = made.output(Line::unmeasured(lot(&format!("L{n}"))));
        let shipped = event(&format!("S{n}"), 3, EventKind::Ship)
            .input(Line::unmeasured(lot(&format!("L{n}"))))
            .output(Line::unmeasured(to.clone()));
        for draft in [made, shipped] {
            lineage.record(&draft.check().unwrap()).unwrap();
        }
    }
    (lineage, orders)
}

/// Of candidates that chance explains alike, the one with the higher rate of defects stands first,
/// whatever the names.
#[test]
fn of_equal_chances_the_higher_rate_stands_first() {
    let (lineage, orders) = eight_orders();
    let outcome = |n| if n >= 4 { Outcome::Defective } else { Outcome::Good };
    let seen: Vec<Observation> = (0..)
        .zip(&orders)
        .map(|(n, item)| Observation { item: item.clone(), outcome: outcome(n), stratum: None })
        .collect();
    let candidates = [Source::item(lot("A")), Source::item(lot("Z"))];
    let ranking = &lineage.rank(&candidates, &seen, &RankingPlan::default())[0];
    let [first, second] = &ranking.suspects[..] else { panic!() };
    assert_eq!((first.p, second.p), (Probability::ONE, Probability::ONE));
    assert_eq!((&first.source, &second.source), (&candidates[1], &candidates[0]));
}

/// A unit that was given two strata is in the first by name, whichever came first.
#[test]
fn of_two_strata_of_a_unit_the_first_by_name_counts() {
    let (lineage, orders) = eight_orders();
    let seen = |n: usize, stratum: &str| Observation {
        item: orders[n].clone(),
        outcome: if n < 3 { Outcome::Defective } else { Outcome::Good },
        stratum: Some(StratumId::new(stratum).unwrap()),
    };
    let p = |twice: &[&str]| {
        let mut all: Vec<Observation> =
            (1..8).map(|n| seen(n, if n < 6 { "first" } else { "last" })).collect();
        all.extend(twice.iter().map(|stratum| seen(0, stratum)));
        let comparison = Comparison::WithinStrata;
        let plan = RankingPlan { comparison, ..RankingPlan::default() };
        lineage.rank(&[Source::item(lot("A"))], &all, &plan)[0].suspects[0].p
    };
    assert_ne!(p(&["first"]), p(&["last"]));
    assert_eq!(p(&["first", "last"]), p(&["first"]));
    assert_eq!(p(&["last", "first"]), p(&["first"]));
}

/// A further round needs the corrected value, not the bare chance, to be small enough.
#[test]
fn a_round_follows_only_where_the_corrected_value_is_accepted() {
    let (lineage, orders) = eight_orders();
    let seen: Vec<Observation> = (0..)
        .zip(&orders)
        .map(|(n, item)| {
            let outcome = if n < 4 { Outcome::Defective } else { Outcome::Good };
            Observation { item: item.clone(), outcome, stratum: None }
        })
        .collect();
    let candidates = [Source::item(lot("A")), Source::item(lot("Z"))];
    // A: 1 in 70 ways, so q is 1 in 35 of two candidates.
    let rounds = |accept: &str| {
        let accept: Probability = accept.parse().unwrap();
        let plan = RankingPlan { rounds: 2, accept, ..RankingPlan::default() };
        lineage.rank(&candidates, &seen, &plan).len()
    };
    assert_eq!((rounds("0.02"), rounds("0.03")), (1, 2));
}

/// A candidate that no unit holds explains nothing, and is no test that others must be corrected for.
#[test]
fn what_no_unit_holds_is_never_tested() {
    let (lineage, orders) = eight_orders();
    let observations: Vec<Observation> = (0..8)
        .map(|n| Observation {
            item: orders[n].clone(),
            outcome: if n < 3 { Outcome::Defective } else { Outcome::Good },
            stratum: None,
        })
        .collect();
    let plan = RankingPlan { minimum_exposure: 0, ..RankingPlan::default() };
    let candidates = [Source::item(lot("A")), Source::item(lot("NOWHERE"))];
    let ranking = &lineage.rank(&candidates, &observations, &plan)[0];
    assert_eq!((ranking.tested, ranking.below_minimum), (1, 1));
}
