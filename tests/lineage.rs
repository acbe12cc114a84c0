//! Lineage against a slow, obvious model, on random worlds with splits, merges, loops, voids,
//! repeats, late events and cleanings; and each rule by name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};

use aftersale::id::{LotId, OrderId};
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::{TraceBreak, Violation};
use aftersale::lineage::event::{Entry, Event, EventId, EventKind, Item, Line, Units};
use aftersale::lineage::evidence::Point;
use aftersale::lineage::graph::NodeIndex;
use aftersale::lineage::graph::reach::Direction;
use aftersale::lineage::graph::timed::Suspicion;
use aftersale::lineage::source::Source;
use aftersale::quantity::{Quantity, Unit};
use aftersale::time::Instant;

// ---------------------------------------------------------------------------------------------
// Random worlds

/// SplitMix64: worlds are numbered, so a failure names its world.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len() as u64) as usize]
    }
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at as u64 + 1) as usize);
        }
    }
}

const LOTS: usize = 8;
const NODES: usize = 11;

#[derive(Clone, Debug)]
struct Ev {
    id: u64,
    t: i64,
    seq: u32,
    kind: EventKind,
    ins: Vec<(usize, i64)>,
    outs: Vec<(usize, i64)>,
}

#[derive(Clone, Debug)]
enum En {
    Event(Ev),
    Void(u64),
}

fn item(node: usize) -> Item {
    if node < LOTS {
        Item::Lot(LotId::new(format!("L{node}")).unwrap())
    } else {
        Item::Order(OrderId::new(format!("O{node:02}")).unwrap())
    }
}

fn number(item: &Item) -> usize {
    match item {
        Item::Lot(id) => id.as_str()[1..].parse().unwrap(),
        Item::Order(id) => id.as_str()[1..].parse().unwrap(),
        _ => unreachable!(),
    }
}

fn at(t: i64) -> Instant {
    Instant::from_timestamp(1_700_000_000 + t, 0).unwrap()
}

fn event_id(id: u64) -> EventId {
    EventId::new(format!("E{id:03}")).unwrap()
}

fn unit_of(node: usize, units: usize) -> Unit {
    Unit::known(["pcs", "kg", "l"][node % units]).unwrap()
}

fn entry(en: &En, units: usize) -> Entry {
    let ev = match en {
        En::Void(id) => return Entry::Void(event_id(*id)),
        En::Event(ev) => ev,
    };
    let line = |&(node, q): &(usize, i64)| {
        Line::new(item(node), Quantity::new(q, unit_of(node, units)).unwrap())
    };
    let mut draft = Event::new(event_id(ev.id), at(ev.t), ev.kind).sequence(ev.seq);
    draft.inputs = ev.ins.iter().map(line).collect();
    draft.outputs = ev.outs.iter().map(line).collect();
    Entry::Event(draft.check().unwrap())
}

/// Entries in order of arrival: mostly in time order, some late, some shuffled throughout.
fn world(number: u64, cleans: bool) -> Vec<En> {
    let mut dice = Dice(number.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let mut entries = Vec::new();
    for id in 0..5 + dice.roll(11) {
        let (mut ins, mut outs) = (Vec::new(), Vec::new());
        let lots = |dice: &mut Dice, most: u64| -> Vec<(usize, i64)> {
            let count = 1 + dice.roll(most);
            (0..count)
                .map(|_| (dice.roll(LOTS as u64) as usize, 1 + dice.roll(12) as i64))
                .collect()
        };
        let order = |dice: &mut Dice| {
            let node = LOTS + dice.roll((NODES - LOTS) as u64) as usize;
            vec![(node, 1 + dice.roll(6) as i64)]
        };
        let kind = match dice.roll(if cleans { 17 } else { 16 }) {
            0..=3 => {
                outs = lots(&mut dice, 2);
                EventKind::Receive
            }
            4..=9 => {
                (ins, outs) = (lots(&mut dice, 3), lots(&mut dice, 2));
                *dice.pick(&[EventKind::Make, EventKind::Rework, EventKind::Repack])
            }
            10..=12 => {
                (ins, outs) = (lots(&mut dice, 2), order(&mut dice));
                EventKind::Ship
            }
            13 => {
                (ins, outs) = (order(&mut dice), lots(&mut dice, 1));
                EventKind::Return
            }
            14 => {
                ins = lots(&mut dice, 1);
                EventKind::Scrap
            }
            15 => {
                if dice.roll(2) == 0 {
                    ins = lots(&mut dice, 1);
                } else {
                    outs = lots(&mut dice, 1);
                }
                EventKind::Adjust
            }
            _ => {
                ins = lots(&mut dice, 1);
                EventKind::Clean
            }
        };
        let t = if dice.roll(3) == 0 { dice.roll(12) as i64 } else { id as i64 };
        let ev = Ev { id, t, seq: dice.roll(3) as u32, kind, ins, outs };
        if dice.roll(12) == 0 {
            entries.push(En::Void(dice.roll(id + 3)));
        }
        if dice.roll(10) == 0 {
            let mut again = ev.clone();
            again.outs.iter_mut().for_each(|line| line.1 += 1);
            entries.push(En::Event(again));
        }
        entries.push(En::Event(ev));
    }
    if dice.roll(4) == 0 {
        dice.shuffle(&mut entries);
    }
    entries
}

fn recorded(entries: &[En], units: usize) -> Lineage {
    let mut lineage = Lineage::new(Units::default());
    for en in entries {
        lineage.apply(&entry(en, units)).unwrap();
    }
    lineage
}

// ---------------------------------------------------------------------------------------------
// The model

/// Rule 1: no voids, no voided ids, no later repeats; by time, sequence, arrival.
fn effective(entries: &[En]) -> Vec<Ev> {
    let voided: BTreeSet<u64> = entries
        .iter()
        .filter_map(|en| if let En::Void(id) = en { Some(*id) } else { None })
        .collect();
    let mut seen = BTreeSet::new();
    let mut events: Vec<Ev> = Vec::new();
    for en in entries {
        if let En::Event(ev) = en
            && !voided.contains(&ev.id)
            && seen.insert(ev.id)
        {
            events.push(ev.clone());
        }
    }
    events.sort_by_key(|ev| (ev.t, ev.seq));
    events
}

/// Rule 2: each input to each output, without self-pairs.
fn links(events: &[Ev]) -> BTreeSet<(usize, usize)> {
    let mut links = BTreeSet::new();
    for ev in events {
        for &(from, _) in &ev.ins {
            links.extend(ev.outs.iter().map(|&(to, _)| (from, to)).filter(|(a, b)| a != b));
        }
    }
    links
}

fn is_named(events: &[Ev], node: usize) -> bool {
    events.iter().any(|ev| ev.ins.iter().chain(&ev.outs).any(|line| line.0 == node))
}

/// Rule 3, with rule 10: distances by repeated relaxation.
fn model_distances(
    events: &[Ev],
    starts: &[usize],
    links: &BTreeSet<(usize, usize)>,
) -> BTreeMap<usize, u32> {
    let mut far: BTreeMap<usize, u32> =
        starts.iter().filter(|&&s| is_named(events, s)).map(|&s| (s, 0)).collect();
    for _ in 0..NODES {
        for (from, to) in links {
            if let Some(&d) = far.get(from) {
                let best = far.entry(*to).or_insert(u32::MAX);
                *best = (*best).min(d + 1);
            }
        }
    }
    far
}

/// Rule 4, with cleaning: it ends contamination and suspicion of its inputs.
fn model_forward(events: &[Ev], suspects: &[(usize, Option<i64>)]) -> BTreeSet<usize> {
    let (mut b, mut ever) = (BTreeSet::new(), BTreeSet::new());
    let mut acquitted: BTreeSet<(usize, Option<i64>)> = BTreeSet::new();
    for ev in events {
        let live: Vec<usize> = suspects
            .iter()
            .filter(|s| s.1.is_none_or(|since| ev.t >= since) && !acquitted.contains(s))
            .map(|s| s.0)
            .collect();
        let hit = ev.ins.iter().any(|(node, _)| b.contains(node) || live.contains(node));
        if hit {
            b.extend(ev.outs.iter().map(|line| line.0));
        }
        let named: BTreeSet<usize> = ev.ins.iter().chain(&ev.outs).map(|line| line.0).collect();
        b.extend(live.iter().filter(|node| named.contains(node)));
        ever.extend(b.iter().copied());
        if ev.kind == EventKind::Clean {
            for (node, _) in &ev.ins {
                b.remove(node);
                for s in suspects {
                    if s.0 == *node && s.1.is_none_or(|since| ev.t >= since) {
                        acquitted.insert(*s);
                    }
                }
            }
        }
    }
    ever
}

/// Rule 5, with cleaning: what was in a vessel before a cleaning does not matter after it.
fn model_backward(events: &[Ev], target: usize) -> BTreeSet<usize> {
    if !is_named(events, target) {
        return BTreeSet::new();
    }
    let mut w = BTreeSet::from([target]);
    let mut ever = w.clone();
    for ev in events.iter().rev() {
        if ev.kind == EventKind::Clean {
            w.retain(|node| *node == target || !ev.ins.iter().any(|line| line.0 == *node));
        }
        if ev.outs.iter().any(|(node, _)| w.contains(node)) {
            w.extend(ev.ins.iter().map(|line| line.0));
            ever.extend(w.iter().copied());
        }
    }
    ever
}

/// A fraction in lowest terms; `None` once it no longer fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frac(i128, i128);

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}

impl Frac {
    const ZERO: Self = Self(0, 1);
    fn of(n: i128, d: i128) -> Self {
        let g = gcd(n, d);
        Self(n / g, d / g)
    }
    fn add(self, o: Self) -> Option<Self> {
        let n = self.0.checked_mul(o.1)?.checked_add(o.0.checked_mul(self.1)?)?;
        Some(Self::of(n, self.1.checked_mul(o.1)?))
    }
    fn sub(self, o: Self) -> Option<Self> {
        self.add(Self(-o.0, o.1))
    }
    fn times(self, n: i64, d: i64) -> Option<Self> {
        let part = Self::of(n.into(), d.into());
        let (a, b) = (Self::of(self.0, part.1), Self::of(part.0, self.1));
        Some(Self::of(a.0.checked_mul(b.0)?, a.1.checked_mul(b.1)?))
    }
}

struct Book {
    hand: [i64; NODES],
    frac: [Frac; NODES],
    comp: [Frac; NODES],
    injected: Frac,
    scrapped: Frac,
    deficits: Vec<(u64, usize, i64)>,
}

/// Rule 7, in fractions.
fn model_ledger(events: &[Ev], suspects: &[usize]) -> Option<Book> {
    let mut book = Book {
        hand: [0; NODES],
        frac: [Frac::ZERO; NODES],
        comp: [Frac::ZERO; NODES],
        injected: Frac::ZERO,
        scrapped: Frac::ZERO,
        deficits: Vec::new(),
    };
    for ev in events {
        let (mut x_f, mut x_c, mut m_in) = (Frac::ZERO, Frac::ZERO, 0);
        for &(u, q) in &ev.ins {
            let hand = book.hand[u];
            let take = if ev.kind == EventKind::Clean { hand } else { q.min(hand) };
            if q > hand && ev.kind != EventKind::Clean {
                book.deficits.push((ev.id, u, q - hand));
            }
            if take == 0 {
                continue;
            }
            let (f, c) = (book.frac[u].times(take, hand)?, book.comp[u].times(take, hand)?);
            book.frac[u] = book.frac[u].sub(f)?;
            book.comp[u] = book.comp[u].sub(c)?;
            book.hand[u] -= take;
            x_f = x_f.add(f)?;
            x_c = x_c.add(c)?;
            m_in += take;
        }
        if ev.outs.is_empty() {
            book.scrapped = book.scrapped.add(x_f)?;
            continue;
        }
        let m_out: i64 = ev.outs.iter().map(|line| line.1).sum();
        for &(v, q) in &ev.outs {
            book.hand[v] += q;
            book.frac[v] = book.frac[v].add(x_f.times(q, m_out)?)?;
            if m_in > 0 {
                book.comp[v] = book.comp[v].add(x_c.times(q, m_in)?)?;
            }
        }
        for &(v, _) in &ev.outs {
            if suspects.contains(&v) {
                let whole = Frac(book.hand[v].into(), 1);
                book.comp[v] = whole;
                let gap = whole.sub(book.frac[v])?;
                if gap.0 > 0 {
                    book.frac[v] = whole;
                    book.injected = book.injected.add(gap)?;
                }
            }
        }
    }
    Some(book)
}

/// Rule 9.
fn model_violations(events: &[Ev], book: &Book) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut made, mut used) = ([0_i64; NODES], [0_i64; NODES]);
    let (mut is_made, mut is_used) = ([false; NODES], [false; NODES]);
    for ev in events {
        for &(u, q) in &ev.ins {
            is_used[u] = true;
            if ev.kind != EventKind::Clean {
                used[u] += q;
            }
        }
        for &(v, q) in &ev.outs {
            is_made[v] = true;
            made[v] += q;
        }
        let (i, o): (i64, i64) =
            (ev.ins.iter().map(|l| l.1).sum(), ev.outs.iter().map(|l| l.1).sum());
        if !ev.ins.is_empty() && !ev.outs.is_empty() && i != o {
            found.insert(format!("imbalance {} {i} {o}", event_id(ev.id)));
        }
    }
    for node in 0..NODES {
        if is_used[node] && !is_made[node] {
            found.insert(format!("no supply {node}"));
        }
        if used[node] > made[node] {
            found.insert(format!("over {node} {}", used[node] - made[node]));
        }
    }
    for (id, node, q) in &book.deficits {
        found.insert(format!("deficit {} {node} {q}", event_id(*id)));
    }
    found
}

// ---------------------------------------------------------------------------------------------
// Laws on random worlds

const WORLDS: u64 = 10_000;

fn numbers(items: &[Item]) -> BTreeSet<usize> {
    items.iter().map(number).collect()
}

fn suspects_of(dice: &mut Dice) -> Vec<(usize, Option<i64>)> {
    let count = 1 + dice.roll(2);
    (0..count)
        .map(|_| {
            let since = if dice.roll(2) == 0 { None } else { Some(dice.roll(12) as i64) };
            (dice.roll(LOTS as u64) as usize, since)
        })
        .collect()
}

fn sources(suspects: &[(usize, Option<i64>)]) -> Vec<Source> {
    let source = |&(node, since): &(usize, Option<i64>)| Source::Item {
        item: item(node),
        since: since.map(at),
    };
    suspects.iter().map(source).collect()
}

/// LIN-1: voided events, events of voided ids and later repeats leave no link.
/// LIN-2: the contact set is the plain reachability, forward and backward, with link distances.
/// LIN-3: the timed trace forward is the rule walked event by event.
/// LIN-4: the timed trace backward is the rule walked event by event.
#[test]
fn traces_equal_the_rules_on_random_worlds() {
    for n in 0..WORLDS {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n);
        let pairs = links(&events);
        let ours: BTreeSet<(usize, usize)> =
            lineage.links().map(|(from, to)| (number(from), number(to))).collect();
        assert_eq!(ours, pairs, "links of world {n}");

        let suspects = suspects_of(&mut dice);
        let starts: Vec<usize> = suspects.iter().map(|s| s.0).collect();
        let far = model_distances(&events, &starts, &pairs);
        let always: Vec<Source> = starts.iter().map(|&s| Source::item(item(s))).collect();
        let ours: BTreeMap<usize, u32> =
            lineage.distances(&always).iter().map(|(item, d)| (number(item), *d)).collect();
        assert_eq!(ours, far, "distances of world {n}");
        let back: BTreeSet<(usize, usize)> = pairs.iter().map(|&(a, b)| (b, a)).collect();
        let up: BTreeSet<usize> = model_distances(&events, &starts, &back).into_keys().collect();
        let contacts = lineage.contacts(&always, Direction::Backward);
        assert_eq!(numbers(&contacts.items), up, "backward contacts of world {n}");
        let nodes: Vec<NodeIndex> = starts.iter().filter_map(|&s| lineage.node(&item(s))).collect();
        let swept: Vec<Item> = lineage
            .graph()
            .sweep_forward(&nodes)
            .into_iter()
            .map(|node| lineage.item(node).unwrap().clone())
            .collect();
        assert_eq!(numbers(&swept), far.into_keys().collect(), "sweep of world {n}");

        let ours = lineage.forward(&sources(&suspects));
        let model = model_forward(&events, &suspects);
        assert_eq!(numbers(&ours.items), model, "timed forward of world {n} from {suspects:?}");

        let target = dice.roll(NODES as u64) as usize;
        let ours = lineage.backward(&[Source::item(item(target))]);
        let model = model_backward(&events, target);
        assert_eq!(numbers(&ours.items), model, "timed backward of world {n} from {target}");
    }
}

/// LIN-5: suspect material is conserved to the last part: held, scrapped or not allocated.
/// LIN-6: the ledger differs from exact fractions by no more than the roundings it reports.
/// LIN-7: imbalances, missing supply, over-consumption and deficits are those of the rule.
#[test]
fn the_ledger_equals_exact_fractions_on_random_worlds() {
    let (mut compared, mut exact) = (0, 0);
    for n in 0..WORLDS {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0xabcd);
        let suspects: Vec<usize> = suspects_of(&mut dice).into_iter().map(|s| s.0).collect();
        let nodes = suspects.iter().filter_map(|&s| lineage.node(&item(s)));
        let suspicion =
            Suspicion { nodes: nodes.map(|node| (node, None)).collect(), events: Vec::new() };
        let mixing = lineage.graph().mixing(&suspicion);
        let held: i64 = mixing.holdings.iter().map(|h| h.suspect_material).sum();
        assert_eq!(held + mixing.scrapped + mixing.unallocated, mixing.injected, "world {n}");
        assert_eq!(mixing.unallocated, 0);

        let Some(book) = model_ledger(&events, &suspects) else { continue };
        compared += 1;
        let scale = 1_i128 << mixing.shift;
        let slack = i128::from(mixing.roundings);
        let close = |ours: i64, model: Frac, slack: i128| {
            (i128::from(ours) * model.1 - model.0 * scale).abs() <= slack * model.1
        };
        for node in 0..NODES {
            let held = lineage.node(&item(node)).map(|i| mixing.holdings[i.0 as usize]);
            let held = held.unwrap_or_default();
            assert_eq!(held.hand, book.hand[node], "hand of {node} in world {n}");
            assert!(close(held.suspect_material, book.frac[node], slack), "{node} in world {n}");
            let slack = slack * i128::from(held.hand);
            assert!(close(held.suspect_content, book.comp[node], slack), "{node} in world {n}");
        }
        assert!(close(mixing.injected, book.injected, slack), "world {n}");
        assert!(close(mixing.scrapped, book.scrapped, slack), "world {n}");
        if mixing.roundings == 0 && mixing.injected > 0 {
            exact += 1;
        }

        let audit = lineage.audit_all();
        let mut ours: BTreeSet<String> = BTreeSet::new();
        for violation in &audit.violations {
            ours.insert(match violation {
                Violation::Imbalance { event, inputs, outputs } => {
                    format!("imbalance {event} {} {}", inputs.steps(), outputs.steps())
                }
                Violation::OverConsumed { item, missing } => {
                    format!("over {} {}", number(item), missing.steps())
                }
                Violation::Deficit { event, item, missing } => {
                    format!("deficit {event} {} {}", number(item), missing.steps())
                }
                other => panic!("{other:?}"),
            });
        }
        for found in &audit.breaks {
            if let TraceBreak::NoSupply { item } = found {
                ours.insert(format!("no supply {}", number(item)));
            }
        }
        assert_eq!(ours, model_violations(&events, &book), "violations of world {n}");
        let deficits: Vec<(u64, usize, i64)> = mixing
            .deficits
            .iter()
            .map(|d| {
                let event =
                    lineage.event_id(aftersale::lineage::graph::EventIndex(d.event)).unwrap();
                let item = lineage.item(NodeIndex(d.node)).unwrap();
                (event.as_str()[1..].parse().unwrap(), number(item), d.steps)
            })
            .collect();
        assert_eq!(deficits, book.deficits, "deficits in order, world {n}");
    }
    assert!(compared > WORLDS * 95 / 100, "only {compared} worlds fit in 128-bit fractions");
    assert!(exact > 1_000, "only {exact} worlds without rounding");
}

/// LIN-8: with units that cannot be summed, nothing is lost: what cannot be shared out is listed.
/// LIN-9: the mixed share lies between the bounds, and both are zero outside the contact set.
#[test]
fn bounds_hold_the_mixed_share_on_random_worlds() {
    let mut unallocated = 0;
    for n in 0..2_000 {
        let units = if n % 2 == 0 { 1 } else { 3 };
        let entries = world(n, n % 4 == 0);
        let lineage = recorded(&entries, units);
        let mut dice = Dice(n ^ 0x77);
        let suspects: Vec<usize> = suspects_of(&mut dice).into_iter().map(|s| s.0).collect();
        let nodes: Vec<NodeIndex> =
            suspects.iter().filter_map(|&s| lineage.node(&item(s))).collect();
        let suspicion =
            Suspicion { nodes: nodes.iter().map(|&node| (node, None)).collect(), events: vec![] };
        let mixing = lineage.graph().mixing(&suspicion);
        let bounds = lineage.graph().bounds(&suspicion);
        let held: i64 = mixing.holdings.iter().map(|h| h.suspect_material).sum();
        assert_eq!(held + mixing.scrapped + mixing.unallocated, mixing.injected, "world {n}");
        unallocated += usize::from(mixing.unallocated > 0);
        let contacts = lineage.graph().sweep_forward(&nodes);
        for (node, (holding, bounds)) in mixing.holdings.iter().zip(&bounds).enumerate() {
            assert_eq!(holding.hand, bounds.hand, "hand of {node} in world {n}");
            let slack = i128::from(mixing.roundings) * i128::from(holding.hand.max(1));
            let mixed = i128::from(holding.suspect_content);
            let scale = 1_i128 << mixing.shift;
            assert!(bounds.low <= bounds.high && bounds.high <= bounds.hand, "world {n}");
            assert!(i128::from(bounds.low) * scale <= mixed + slack, "low of {node}, world {n}");
            assert!(mixed <= i128::from(bounds.high) * scale + slack, "high of {node}, world {n}");
            if !contacts.contains(&NodeIndex(node as u32)) {
                assert_eq!((bounds.high, holding.suspect_material), (0, 0), "world {n}");
            }
        }
    }
    assert!(unallocated > 50, "{unallocated}");
}

/// LIN-10: the order of arrival changes no answer, nor does bulk loading.
#[test]
fn the_order_of_arrival_changes_nothing() {
    for n in 0..2_000 {
        let mut entries = world(n, n % 4 == 0);
        // One order of time for every arrival, and one content per id.
        for en in &mut entries {
            if let En::Event(ev) = en {
                ev.seq = ev.id as u32;
            }
        }
        let mut seen = BTreeSet::new();
        entries.retain(|en| !matches!(en, En::Event(ev) if !seen.insert(ev.id)));
        let first = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0x1234);
        dice.shuffle(&mut entries);
        let second = recorded(&entries, 1);
        let third = Lineage::load(Units::default(), entries.iter().map(|en| entry(en, 1))).unwrap();
        let sources = sources(&suspects_of(&mut dice));
        for other in [&second, &third] {
            assert_eq!(first.forward(&sources), other.forward(&sources), "world {n}");
            assert_eq!(first.backward(&sources), other.backward(&sources), "world {n}");
            assert_eq!(first.ledger(&sources), other.ledger(&sources), "world {n}");
            assert_eq!(first.evidence(&sources), other.evidence(&sources), "world {n}");
            assert_eq!(first.audit_all(), other.audit_all(), "world {n}");
            assert_eq!(first.cycles(), other.cycles(), "world {n}");
        }
    }
}

/// LIN-11: the timed trace never leaves the contact set, and every affected order has a chain of
/// events in order of time from a suspect, no longer than any other.
/// LIN-12: a point is common exactly when no affected order is reached without it.
#[test]
fn evidence_is_a_shortest_chain_and_common_points_are_unavoidable() {
    let mut points = 0;
    for n in 0..3_000 {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0x4242);
        let suspects = suspects_of(&mut dice);
        let from = sources(&suspects);
        let trace = lineage.forward(&from);
        let contacts = lineage.contacts(&from, Direction::Forward);
        assert!(trace.items.iter().all(|item| contacts.contains(item)), "world {n}");
        let evidence = lineage.evidence(&from);
        let place: BTreeMap<EventId, usize> =
            events.iter().enumerate().map(|(place, ev)| (event_id(ev.id), place)).collect();
        assert_eq!(
            evidence.paths.keys().collect::<Vec<_>>(),
            trace.orders().collect::<Vec<_>>(),
            "world {n}"
        );
        let fewest = model_fewest_events(&events, &suspects);
        for (order, path) in &evidence.paths {
            let node: usize = order.as_str()[1..].parse().unwrap();
            assert_eq!(Some(&path.len()), fewest.get(&node), "world {n} order {order}");
            assert!(suspects.iter().any(|s| path[0].from == Some(item(s.0))), "world {n}");
            for pair in path.windows(2) {
                assert_eq!(pair[1].from.as_ref(), Some(&pair[0].to), "world {n}");
                assert!(place[&pair[0].event] < place[&pair[1].event], "world {n}");
            }
        }
        if evidence.paths.is_empty() {
            assert!(evidence.common.is_empty());
            continue;
        }
        let reached = |events: &[Ev], barred: Option<usize>| {
            let events: Vec<Ev> = events
                .iter()
                .map(|ev| {
                    let mut ev = ev.clone();
                    if ev.kind != EventKind::Clean {
                        ev.ins.retain(|line| Some(line.0) != barred);
                    }
                    ev.outs.retain(|line| Some(line.0) != barred);
                    ev
                })
                .collect();
            model_forward(&events, &suspects).into_iter().any(|node| node >= LOTS)
        };
        for node in 0..NODES {
            let is_common = evidence.common.contains(&Point::Item(item(node)));
            assert_eq!(is_common, !reached(&events, Some(node)), "world {n} item {node}");
            points += usize::from(is_common);
        }
        for ev in events.iter().filter(|ev| ev.kind != EventKind::Clean) {
            let rest: Vec<Ev> = events.iter().filter(|other| other.id != ev.id).cloned().collect();
            let is_common = evidence.common.contains(&Point::Event(event_id(ev.id)));
            assert_eq!(is_common, !reached(&rest, None), "world {n} event {}", ev.id);
        }
    }
    assert!(points > 1_000, "{points}");
}

/// The fewest events from a suspect to each node, by order of time.
fn model_fewest_events(events: &[Ev], suspects: &[(usize, Option<i64>)]) -> BTreeMap<usize, usize> {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    let mut ever: BTreeMap<usize, usize> = BTreeMap::new();
    let mut acquitted = BTreeSet::new();
    for ev in events {
        let live = |node: usize| {
            suspects.iter().any(|s| {
                s.0 == node && s.1.is_none_or(|since| ev.t >= since) && !acquitted.contains(s)
            })
        };
        let way = |node: usize| if live(node) { Some(0) } else { best.get(&node).copied() };
        let far = ev.ins.iter().filter_map(|line| way(line.0)).min();
        if let Some(far) = far {
            for (node, _) in &ev.outs {
                for map in [&mut best, &mut ever] {
                    let held = map.entry(*node).or_insert(usize::MAX);
                    *held = (*held).min(far + 1);
                }
            }
        }
        if ev.kind == EventKind::Clean {
            for (node, _) in &ev.ins {
                best.remove(node);
                let hit = suspects
                    .iter()
                    .filter(|s| s.0 == *node && s.1.is_none_or(|since| ev.t >= since));
                acquitted.extend(hit.copied().collect::<Vec<_>>());
            }
        }
    }
    ever
}

/// LIN-13: loops are the sets of items that reach each other, as petgraph finds them on a copy.
#[test]
fn loops_and_petgraph_views_agree_with_a_copy() {
    for n in 0..1_000 {
        let lineage = recorded(&world(n, false), 1);
        let view = aftersale::lineage::view::Links::new(lineage.graph());
        let copy = view.to_petgraph();
        let mut theirs: Vec<Vec<Item>> = petgraph::algo::tarjan_scc(&copy)
            .into_iter()
            .filter(|component| component.len() > 1)
            .map(|component| {
                let mut items: Vec<Item> =
                    component.iter().map(|&i| lineage.item(copy[i]).unwrap().clone()).collect();
                items.sort();
                items
            })
            .collect();
        theirs.sort();
        assert_eq!(lineage.cycles(), theirs, "world {n}");
        assert_eq!(
            petgraph::algo::is_cyclic_directed(view),
            petgraph::algo::is_cyclic_directed(&copy)
        );
        let Some(node) = lineage.node(&item(0)) else { continue };
        let swept = lineage.graph().sweep_forward(&[node]);
        if swept.is_empty() {
            continue; // only voided events name it
        }
        let mut visits = Vec::new();
        let mut search = petgraph::visit::Dfs::new(view, node);
        while let Some(found) = search.next(view) {
            visits.push(found);
        }
        visits.sort();
        assert_eq!(visits, swept, "world {n}");
        let ours = petgraph::algo::dominators::simple_fast(view, node);
        let theirs = petgraph::algo::dominators::simple_fast(&copy, node.0.into());
        for other in 0..copy.node_count() as u32 {
            assert_eq!(
                ours.immediate_dominator(NodeIndex(other)).map(|d| d.0),
                theirs.immediate_dominator(other.into()).map(|d| d.index() as u32)
            );
        }
    }
}
