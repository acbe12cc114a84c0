//! Shares without times against elimination modulo primes, against repeating the rule until nothing
//! changes, and against the ledger.

use std::collections::{BTreeMap, BTreeSet};

use crate::lineage_model::*;
use aftersale::id::SupplierId;
use aftersale::lineage::Lineage;
use aftersale::lineage::composition::{CompositionError, MAX_LOOP};
use aftersale::lineage::event::EventFacts;
use aftersale::lineage::event::{Event, EventId, EventKind, Line, Units};
use aftersale::lineage::fraction::{Fraction, MAX_BITS};
use aftersale::lineage::graph::timed::Suspicion;
use aftersale::lineage::source::Source;
use aftersale::quantity::{Quantity, Unit};

const PRIMES: [u128; 2] = [(1 << 61) - 1, 18_446_744_073_709_551_557];

/// Repeats the rule in floats, twice as often each time; none when it grows without end.
fn repeated(rule: &Rule8, suspects: &[usize]) -> Option<[f64; NODES]> {
    let mut sum = [0.0; NODES];
    for (&node, &value) in &rule.constants {
        sum[node] = value as f64;
    }
    let mut power = [[0.0; NODES]; NODES];
    let set = touched(rule); // a loop without end that gets nothing holds nothing
    for &(v, u, [a, b]) in &rule.terms {
        if !suspects.contains(&v) && set.contains(&u) {
            power[v][u] += (a.0 as f64 / a.1 as f64) * (b.0 as f64 / b.1 as f64);
        }
    }
    let row_by = |row: &[f64; NODES], x: &dyn Fn(usize) -> f64| -> f64 {
        row.iter().enumerate().map(|(u, share)| share * x(u)).sum()
    };
    for _ in 0..64 {
        let more: [f64; NODES] = std::array::from_fn(|v| row_by(&power[v], &|u| sum[u]));
        power =
            std::array::from_fn(|v| std::array::from_fn(|w| row_by(&power[v], &|u| power[u][w])));
        for (sum, more) in sum.iter_mut().zip(&more) {
            *sum += more;
        }
        if sum.iter().any(|x| *x > 1e12) {
            return None;
        }
        if more.iter().zip(&sum).all(|(more, sum)| *more <= 1e-16 * sum) {
            return Some(sum);
        }
    }
    None
}

fn float(fraction: &Fraction) -> f64 {
    fraction.to_decimal(20).parse().unwrap()
}

/// The nodes that the rule gives anything, by growing the set until it stands.
fn touched(rule: &Rule8) -> BTreeSet<usize> {
    let mut set: BTreeSet<usize> =
        rule.constants.iter().filter(|(_, value)| **value > 0).map(|(node, _)| *node).collect();
    for _ in 0..NODES {
        for &(v, u, _) in &rule.terms {
            if set.contains(&u) {
                set.insert(v);
            }
        }
    }
    set
}

fn exact_modulo(rule: &Rule8, set: &BTreeSet<usize>, prime: u128) -> Vec<(usize, u128)> {
    let places: BTreeMap<usize, usize> = set.iter().enumerate().map(|(i, &v)| (v, i)).collect();
    let mut rows = vec![(vec![0; set.len()], 0); set.len()];
    for (node, &value) in &rule.constants {
        if let Some(&i) = places.get(node) {
            rows[i].1 = value as u128 % prime;
        }
    }
    for &(v, u, shares) in &rule.terms {
        if let (Some(&i), Some(&j)) = (places.get(&v), places.get(&u)) {
            let product = shares.iter().fold(1, |product, &(part, whole)| {
                product * (part as u128) % prime * inverse_modulo(whole as u128, prime) % prime
            });
            rows[i].0[j] = (rows[i].0[j] + product) % prime;
        }
    }
    let solved = solve_modulo(rows, prime).expect("regular");
    set.iter().copied().zip(solved).collect()
}

/// LIN-27: composition and flow solve the equations of their rule exactly, loops and all, and list
/// what is above zero.
/// LIN-28: a flow that never ends is an error, and only that.
#[test]
fn composition_and_flow_solve_their_equations() {
    let (mut solved, mut looped, mut endless) = (0, 0, 0);
    for n in 0..worlds(800) {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0x8888);
        let suspects: Vec<usize> =
            (0..1 + dice.roll(2)).map(|_| dice.roll(LOTS as u64) as usize).collect();
        let suspects: Vec<usize> = suspects.into_iter().filter(|&s| is_named(&events, s)).collect();
        let from: Vec<Source> = suspects.iter().map(|&s| Source::item(item(s))).collect();
        for flow in [false, true] {
            let rule = rule_8(&events, &suspects, flow);
            let ours = if flow { lineage.flow(&from) } else { lineage.composition(&from) };
            let floats = repeated(&rule, &suspects);
            let ours = match ours {
                Ok(ours) => ours,
                Err(CompositionError::Endless { items }) => {
                    assert!(flow && floats.is_none(), "world {n}: {items:?} {floats:?}");
                    endless += 1;
                    continue;
                }
                Err(other) => panic!("world {n}: {other}"),
            };
            let floats = floats.unwrap_or_else(|| panic!("world {n}, flow {flow}: {ours:?}"));
            let set = touched(&rule);
            let listed: BTreeSet<usize> = ours.keys().map(number).collect();
            assert_eq!(listed, set, "world {n}, flow {flow}");
            for (found, value) in &ours {
                let model = floats[number(found)];
                assert!((float(value) - model).abs() <= 1e-9 * model, "world {n}: {found} {value}");
                assert!(flow || *value <= Fraction::ONE, "world {n}");
            }
            for prime in PRIMES {
                for (node, value) in exact_modulo(&rule, &set, prime) {
                    let ours = fraction_modulo(&ours[&item(node)].to_string(), prime);
                    assert_eq!(ours, value, "world {n}, flow {flow}, item {node}");
                }
            }
            solved += 1;
            looped += usize::from(!lineage.cycles().is_empty());
        }
    }
    let least = worlds(800) as usize;
    assert!(
        solved > least && looped > least / 8 && endless > least / 300,
        "{solved} {looped} {endless}"
    );
}

/// A world in time order in which each lot is made by one event, of lots made before.
fn tree_world(n: u64) -> Vec<En> {
    let mut dice = Dice(n ^ 0x7a7a);
    let mut left = [0_i64; NODES];
    let mut entries = Vec::new();
    for node in 0..LOTS {
        let mut ins: Vec<(usize, i64)> = Vec::new();
        for _ in 0..dice.roll(4) {
            let from = if node > 0 { dice.roll(node as u64) as usize } else { break };
            if left[from] > 0 {
                let q = 1 + dice.roll(left[from] as u64) as i64;
                left[from] -= q;
                ins.push((from, q));
            }
        }
        let q = 5 + dice.roll(20) as i64;
        left[node] = q;
        let kind = if ins.is_empty() { EventKind::Receive } else { EventKind::Make };
        let (id, t) = (node as u64, node as i64);
        entries.push(En::Event(Ev { id, t, seq: 0, kind, ins, outs: vec![(node, q)] }));
    }
    entries
}

/// LIN-29: where each lot is made by one event and nothing is short, composition is the share of the
/// exact ledger, and of ours within its roundings.
#[test]
fn composition_is_the_share_of_the_ledger_where_lots_are_made_once() {
    let mut checks = 0;
    for n in 0..3_000 {
        let entries = tree_world(n);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let suspect = Dice(n).roll(4) as usize;
        let composition = lineage.composition(&[Source::item(item(suspect))]).unwrap();
        let suspicion = Suspicion {
            nodes: vec![(lineage.node(&item(suspect)).unwrap(), None)],
            events: vec![],
        };
        let mixing = lineage.graph().mixing(&suspicion);
        assert!(mixing.deficits.is_empty());
        let book = model_ledger(&events, &[suspect]);
        for node in 0..LOTS {
            let ours = composition.get(&item(node)).cloned().unwrap_or(Fraction::ZERO);
            let holding = mixing.holdings[lineage.node(&item(node)).unwrap().0 as usize];
            if holding.hand == 0 {
                continue;
            }
            if let Some(book) = &book {
                let share = book.comp[node];
                let model = Frac::of(share.0, share.1 * i128::from(book.hand[node]));
                assert_eq!(ours.to_string(), format!("{}/{}", model.0, model.1), "world {n}");
                checks += 1;
            }
            let share = holding.suspect_content as f64
                / (holding.hand as f64 * (1_u64 << mixing.shift) as f64);
            let slack = mixing.roundings as f64 / (1_u64 << mixing.shift) as f64 + 1e-12;
            assert!((float(&ours) - share).abs() <= slack, "world {n}: {ours} {share}");
        }
    }
    assert!(checks > 10_000, "{checks}");
}

fn record(lineage: &mut Lineage, id: &str, ins: &[(&str, &str)], outs: &[(&str, &str)]) {
    let line = |&(name, quantity): &(&str, &str)| {
        let (amount, unit) = quantity.split_once(' ').unwrap();
        Line::new(lot(name), Quantity::parse(amount, Unit::known(unit).unwrap()).unwrap())
    };
    let kind = if ins.is_empty() { EventKind::Receive } else { EventKind::Rework };
    let mut draft = Event::new(EventId::new(id).unwrap(), at(0), kind);
    draft.inputs = ins.iter().map(line).collect();
    draft.outputs = outs.iter().map(line).collect();
    if ins.is_empty() {
        let supplier = Some(SupplierId::new("Alm").unwrap());
        draft = draft.facts(EventFacts { supplier, ..EventFacts::default() });
    }
    lineage.record(&draft.check().unwrap()).unwrap();
}

#[test]
fn a_supplier_is_a_source_of_what_it_delivered() {
    let mut lineage = Lineage::new(Units::default());
    record(&mut lineage, "R", &[], &[("MILK", "30 kg")]);
    record(&mut lineage, "M1", &[("WATER", "10 kg")], &[("MILK", "10 kg")]);
    record(&mut lineage, "M2", &[("MILK", "20 kg")], &[("WHEY", "5 kg"), ("CHEESE", "3 kg")]);
    let from = [Source::Supplier { supplier: SupplierId::new("Alm").unwrap(), window: None }];
    let share = lineage.composition(&from).unwrap();
    assert_eq!(share[&lot("CHEESE")].to_string(), "3/4");
    assert_eq!(share[&lot("CHEESE")].to_ratio().unwrap().denominator(), 4);
    let flow = lineage.flow(&from).unwrap();
    // 30 of 40 kg; half of it was used, and three eighths of that went into cheese.
    assert_eq!(float(&flow[&lot("MILK")]), 30_000.0);
    assert_eq!(float(&flow[&lot("CHEESE")]), 30_000.0 / 2.0 * 3.0 / 8.0);
}

#[test]
fn quantities_that_cannot_be_summed_are_named() {
    let mut lineage = Lineage::new(Units::default());
    record(&mut lineage, "M", &[("CLOTH", "2 m"), ("ZIP", "1 pcs")], &[("JACKET", "1 pcs")]);
    record(&mut lineage, "N", &[("JACKET", "1 pcs")], &[("REWORKED", "1 pcs"), ("RAG", "1 kg")]);
    let event = |id: &str| CompositionError::NotSummable { event: EventId::new(id).unwrap() };
    let from = |name| [Source::item(lot(name))];
    assert_eq!(lineage.composition(&from("CLOTH")).unwrap_err(), event("M"));
    assert_eq!(lineage.composition(&from("JACKET")).unwrap().len(), 3);
    assert_eq!(lineage.flow(&from("JACKET")).unwrap_err(), event("N"));
}

/// LIN-28: what cannot be solved names the items that stand in the way.
#[test]
fn loops_without_end_or_measure_are_named() {
    let mut lineage = Lineage::new(Units::default());
    record(&mut lineage, "R", &[], &[("A", "10 kg")]);
    record(&mut lineage, "M1", &[("A", "1 kg")], &[("B", "1 kg")]);
    record(&mut lineage, "M2", &[("B", "5 kg"), ("C", "5 kg")], &[("C", "5 kg")]);
    let error = lineage.flow(&[Source::item(lot("A"))]).unwrap_err();
    assert_eq!(error, CompositionError::Endless { items: vec![lot("C")] });
    assert_eq!(lineage.composition(&[Source::item(lot("A"))]).unwrap()[&lot("C")], Fraction::ONE);

    for size in [MAX_LOOP, MAX_LOOP + 1] {
        let mut lineage = Lineage::new(Units::default());
        record(&mut lineage, "R", &[], &[("S", "9 kg")]);
        for n in 0..size {
            let (this, next) = (format!("L{n:02}"), format!("L{:02}", (n + 1) % size));
            let ins = [("S", "1 kg"), (this.as_str(), "1 kg"), ("W", "1 kg")];
            record(&mut lineage, &format!("M{n}"), &ins, &[(next.as_str(), "3 kg")]);
        }
        let shares = lineage.composition(&[Source::item(lot("S"))]);
        if size == MAX_LOOP {
            let half = Fraction::new(1, 2).unwrap();
            assert!((0..size).all(|n| shares.as_ref().unwrap()[&lot(&format!("L{n:02}"))] == half));
        } else {
            let Err(CompositionError::LoopTooLarge { items }) = shares else { panic!() };
            assert_eq!(items.len(), size);
        }
    }
}

#[test]
fn shares_too_fine_to_hold_are_refused_by_name() {
    let mut lineage = Lineage::new(Units::default());
    record(&mut lineage, "R", &[], &[("L0000", "1000000 kg")]);
    // Each step multiplies the denominator by a number of about twenty bits.
    for n in 0..400 {
        let (this, next) = (format!("L{n:04}"), format!("L{:04}", n + 1));
        let water = format!("{} kg", 999_983 - 2 * n);
        record(
            &mut lineage,
            &format!("M{n}"),
            &[(this.as_str(), "1 kg"), ("WATER", water.as_str())],
            &[(next.as_str(), "5 kg")],
        );
    }
    let Err(CompositionError::TooFine { items }) =
        lineage.composition(&[Source::item(lot("L0000"))])
    else {
        panic!("{MAX_BITS} bits are not passed")
    };
    assert_eq!(items.len(), 1);
    let shallow = lineage.composition(&[Source::item(lot("L0250"))]);
    assert!(matches!(shallow, Err(CompositionError::TooFine { .. }) | Ok(_)));
}

#[test]
fn long_chains_of_lots_do_not_exhaust_the_stack() {
    let mut lineage = Lineage::new(Units::default());
    for n in 0..100_000 {
        let (this, next) = (format!("L{n}"), format!("L{}", n + 1));
        record(&mut lineage, &format!("M{n}"), &[(&this, "1 kg")], &[(&next, "1 kg")]);
    }
    assert!(lineage.cycles().is_empty());
    let shares = lineage.composition(&[Source::item(lot("L0"))]).unwrap();
    assert_eq!(shares[&lot("L100000")], Fraction::ONE);
}

/// LIN-30: fractions of any size keep the rules of arithmetic, and their text is their value.
#[test]
fn fractions_keep_the_rules_of_arithmetic() {
    let mut dice = Dice(30);
    for round in 0..2_000 {
        let mut fraction = || {
            let mut value = Fraction::ONE;
            for _ in 0..1 + dice.roll(1 + round % 24) {
                let part = match dice.roll(4) {
                    0 => u64::MAX - dice.roll(3),
                    1 => 1 << dice.roll(64),
                    _ => 1 + dice.roll(1 << 40),
                };
                let factor = Fraction::new(part, 1 + dice.roll(u64::MAX)).unwrap();
                value = value.checked_mul(&factor).unwrap();
            }
            value
        };
        let (a, b, c) = (fraction(), fraction(), fraction());
        let sum = a.checked_add(&b).unwrap();
        assert_eq!(sum.checked_sub(&b).unwrap(), a);
        let product = a.checked_mul(&b).unwrap();
        assert_eq!(product.checked_div(&b).unwrap(), a);
        if let Some(left) = sum.checked_mul(&c) {
            let right = a.checked_mul(&c).unwrap().checked_add(&b.checked_mul(&c).unwrap());
            assert_eq!(Some(left), right);
        }
        assert_eq!(sum > a, !b.is_zero());
        assert_eq!(a.checked_sub(&b).is_some(), a >= b);
        for prime in PRIMES {
            let of = |value: &Fraction| fraction_modulo(&value.to_string(), prime);
            assert_eq!(of(&sum), (of(&a) + of(&b)) % prime);
            assert_eq!(of(&product), of(&a) * of(&b) % prime);
        }
        let (whole, places) =
            a.to_decimal(30).split_once('.').map(|(w, p)| (w.len(), p.len())).unwrap();
        assert!(whole >= 1 && places == 30);
    }
    let third = Fraction::new(1, 3).unwrap();
    assert_eq!(third.to_decimal(3), "0.333");
    assert_eq!(Fraction::new(7, 2).unwrap().to_decimal(0), "3");
    assert!(Fraction::new(1, 0).is_none() && third.checked_div(&Fraction::ZERO).is_none());
    assert_eq!(Fraction::new(6, 4).unwrap().to_ratio().unwrap().to_string(), "3/2");
    assert_eq!(Fraction::new(u64::MAX, 2).unwrap().to_ratio(), None);
}
