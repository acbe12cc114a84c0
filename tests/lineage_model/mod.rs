//! Random worlds of lot events and the slow, obvious model of their rules, for the lineage tests.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

pub mod dairy;

use std::collections::{BTreeMap, BTreeSet};

use aftersale::id::{LotId, OrderId};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{Entry, Event, EventId, EventKind, Item, Line, Units};
use aftersale::quantity::{Quantity, Unit};
use aftersale::time::Instant;

// ---------------------------------------------------------------------------------------------
// Words for examples written by hand

pub fn lot(name: &str) -> Item {
    Item::Lot(LotId::new(name).unwrap())
}

pub fn order_id(name: &str) -> OrderId {
    OrderId::new(name).unwrap()
}

pub fn liters(amount: &str) -> Quantity {
    Quantity::parse(amount, Unit::known("l").unwrap()).unwrap()
}

/// Eight in the morning of a day in April.
pub fn day(day: u32) -> Instant {
    format!("2026-04-{day:02}T08:00:00Z").parse().unwrap()
}

// ---------------------------------------------------------------------------------------------
// Random worlds

/// SplitMix64: worlds are numbered, so a failure names its world.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len() as u64) as usize]
    }
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at as u64 + 1) as usize);
        }
    }
}

/// How many random worlds a test walks; the variable `LINEAGE_WORLDS` sets another number.
pub fn worlds(default: u64) -> u64 {
    std::env::var("LINEAGE_WORLDS").map_or(default, |text| text.parse().unwrap())
}

pub const LOTS: usize = 8;
pub const NODES: usize = 11;

#[derive(Clone, Debug)]
pub struct Ev {
    pub id: u64,
    pub t: i64,
    pub seq: u32,
    pub kind: EventKind,
    pub ins: Vec<(usize, i64)>,
    pub outs: Vec<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub enum En {
    Event(Ev),
    Void(u64),
}

pub fn item(node: usize) -> Item {
    if node < LOTS {
        Item::Lot(LotId::new(format!("L{node}")).unwrap())
    } else {
        Item::Order(OrderId::new(format!("O{node:02}")).unwrap())
    }
}

pub fn number(item: &Item) -> usize {
    match item {
        Item::Lot(id) => id.as_str()[1..].parse().unwrap(),
        Item::Order(id) => id.as_str()[1..].parse().unwrap(),
        _ => unreachable!(),
    }
}

pub fn at(t: i64) -> Instant {
    Instant::from_timestamp(1_700_000_000 + t, 0).unwrap()
}

pub fn event_id(id: u64) -> EventId {
    EventId::new(format!("E{id:03}")).unwrap()
}

pub fn unit_of(node: usize, units: usize) -> Unit {
    Unit::known(["pcs", "kg", "l"][node % units]).unwrap()
}

pub fn entry(en: &En, units: usize) -> Entry {
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
pub fn world(number: u64, cleans: bool) -> Vec<En> {
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

pub fn recorded(entries: &[En], units: usize) -> Lineage {
    let mut lineage = Lineage::new(Units::default());
    for en in entries {
        lineage.apply(&entry(en, units)).unwrap();
    }
    lineage
}

// ---------------------------------------------------------------------------------------------
// The model

/// Rule 1: no voids, no voided ids, no later repeats; by time, sequence, arrival.
pub fn effective(entries: &[En]) -> Vec<Ev> {
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
pub fn links(events: &[Ev]) -> BTreeSet<(usize, usize)> {
    let mut links = BTreeSet::new();
    for ev in events {
        for &(from, _) in &ev.ins {
            links.extend(ev.outs.iter().map(|&(to, _)| (from, to)).filter(|(a, b)| a != b));
        }
    }
    links
}

pub fn is_named(events: &[Ev], node: usize) -> bool {
    events.iter().any(|ev| ev.ins.iter().chain(&ev.outs).any(|line| line.0 == node))
}

/// Rule 3, with rule 10: distances by repeated relaxation.
pub fn model_distances(
    events: &[Ev],
    starts: &[usize],
    links: &BTreeSet<(usize, usize)>,
) -> BTreeMap<usize, u32> {
    let mut far: BTreeMap<usize, u32> =
        starts.iter().filter(|&&s| is_named(events, s)).map(|&s| (s, 0)).collect();
    loop {
        let before = far.clone();
        for (from, to) in links {
            if let Some(&d) = far.get(from) {
                let best = far.entry(*to).or_insert(u32::MAX);
                *best = (*best).min(d + 1);
            }
        }
        if far == before {
            return far;
        }
    }
}

/// The most that each vessel may hold when it counts as empty at a refill.
pub type Heels = BTreeMap<usize, i64>;

/// The refills (event id, vessel) that find their vessel emptied, walking all books in order of time.
pub fn model_emptyings(events: &[Ev], heels: &Heels) -> BTreeSet<(u64, usize)> {
    let mut found = BTreeSet::new();
    if heels.is_empty() {
        return found;
    }
    let (mut hand, mut sound, mut filled) = ([0; NODES], [true; NODES], [false; NODES]);
    for ev in events {
        for &(u, q) in &ev.ins {
            if ev.kind == EventKind::Clean {
                (hand[u], sound[u], filled[u]) = (0, true, false);
            } else if q > hand[u] {
                (hand[u], sound[u]) = (0, false);
            } else {
                hand[u] -= q;
            }
        }
        let outs: BTreeSet<usize> = ev.outs.iter().map(|line| line.0).collect();
        for &v in outs.iter().filter(|&v| ev.ins.iter().all(|line| line.0 != *v)) {
            if sound[v] && filled[v] && heels.get(&v).is_some_and(|&heel| hand[v] <= heel) {
                found.insert((ev.id, v));
            }
        }
        for &(v, q) in &ev.outs {
            hand[v] += q;
            filled[v] = true;
        }
    }
    found
}

/// Rule 4, with cleaning: it ends contamination and suspicion of its inputs.
pub fn model_forward(events: &[Ev], suspects: &[(usize, Option<i64>)]) -> BTreeSet<usize> {
    model_forward_with(events, suspects, &Heels::new())
}

/// The same with heels: a refill that finds its vessel emptied ends contamination, not suspicion.
pub fn model_forward_with(
    events: &[Ev],
    suspects: &[(usize, Option<i64>)],
    heels: &Heels,
) -> BTreeSet<usize> {
    let emptied = model_emptyings(events, heels);
    let (mut b, mut ever) = (BTreeSet::new(), BTreeSet::new());
    let mut acquitted: BTreeSet<(usize, Option<i64>)> = BTreeSet::new();
    for ev in events {
        let live: Vec<usize> = suspects
            .iter()
            .filter(|s| s.1.is_none_or(|since| ev.t >= since) && !acquitted.contains(s))
            .map(|s| s.0)
            .collect();
        let hit = ev.ins.iter().any(|(node, _)| b.contains(node) || live.contains(node));
        b.retain(|node| !emptied.contains(&(ev.id, *node)));
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
pub fn model_backward(events: &[Ev], target: usize) -> BTreeSet<usize> {
    model_backward_with(events, target, &Heels::new())
}

/// The same with heels.
pub fn model_backward_with(events: &[Ev], target: usize, heels: &Heels) -> BTreeSet<usize> {
    let emptied = model_emptyings(events, heels);
    if !is_named(events, target) {
        return BTreeSet::new();
    }
    let mut w = BTreeSet::from([target]);
    let mut ever = w.clone();
    for ev in events.iter().rev() {
        if ev.kind == EventKind::Clean {
            w.retain(|node| *node == target || !ev.ins.iter().any(|line| line.0 == *node));
        }
        let matters = ev.outs.iter().any(|(node, _)| w.contains(node));
        w.retain(|node| *node == target || !emptied.contains(&(ev.id, *node)));
        if matters {
            w.extend(ev.ins.iter().map(|line| line.0));
            ever.extend(w.iter().copied());
        }
    }
    ever
}

/// A fraction in lowest terms; `None` once it no longer fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frac(pub i128, pub i128);

pub fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}

impl Frac {
    pub const ZERO: Self = Self(0, 1);
    pub fn of(n: i128, d: i128) -> Self {
        let g = gcd(n, d);
        Self(n / g, d / g)
    }
    pub fn add(self, o: Self) -> Option<Self> {
        let n = self.0.checked_mul(o.1)?.checked_add(o.0.checked_mul(self.1)?)?;
        Some(Self::of(n, self.1.checked_mul(o.1)?))
    }
    pub fn sub(self, o: Self) -> Option<Self> {
        self.add(Self(-o.0, o.1))
    }
    pub fn times(self, n: i64, d: i64) -> Option<Self> {
        let part = Self::of(n.into(), d.into());
        let (a, b) = (Self::of(self.0, part.1), Self::of(part.0, self.1));
        Some(Self::of(a.0.checked_mul(b.0)?, a.1.checked_mul(b.1)?))
    }
}

pub struct Book {
    pub hand: [i64; NODES],
    pub frac: [Frac; NODES],
    pub comp: [Frac; NODES],
    pub injected: Frac,
    pub scrapped: Frac,
    pub neglected: Frac,
    pub deficits: Vec<(u64, usize, i64)>,
}

/// Rule 7, in fractions.
pub fn model_ledger(events: &[Ev], suspects: &[usize]) -> Option<Book> {
    model_ledger_with(events, suspects, &Heels::new())
}

/// The same with heels.
pub fn model_ledger_with(events: &[Ev], suspects: &[usize], heels: &Heels) -> Option<Book> {
    let emptied = model_emptyings(events, heels);
    let mut book = Book {
        hand: [0; NODES],
        frac: [Frac::ZERO; NODES],
        comp: [Frac::ZERO; NODES],
        injected: Frac::ZERO,
        scrapped: Frac::ZERO,
        neglected: Frac::ZERO,
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
        for v in (0..NODES).filter(|&v| emptied.contains(&(ev.id, v)) && !suspects.contains(&v)) {
            book.neglected = book.neglected.add(book.frac[v])?;
            (book.frac[v], book.comp[v]) = (Frac::ZERO, Frac::ZERO);
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
pub fn model_violations(events: &[Ev], book: &Book) -> BTreeSet<String> {
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

/// Gaussian elimination in whole numbers modulo a prime: `x = T x + b`. `None` when singular.
pub fn solve_modulo(mut rows: Vec<(Vec<u128>, u128)>, prime: u128) -> Option<Vec<u128>> {
    let n = rows.len();
    // From x = T x + b to (1 - T) x = b.
    for (i, (row, _)) in rows.iter_mut().enumerate() {
        for (j, t) in row.iter_mut().enumerate() {
            *t = (u128::from(i == j) + prime - *t) % prime;
        }
    }
    for k in 0..n {
        let pivot = (k..n).find(|&i| rows[i].0[k] != 0)?;
        rows.swap(k, pivot);
        let inverse = inverse_modulo(rows[k].0[k], prime);
        rows[k].0.iter_mut().for_each(|t| *t = *t * inverse % prime);
        rows[k].1 = rows[k].1 * inverse % prime;
        for i in (0..n).filter(|&i| i != k) {
            let factor = rows[i].0[k];
            for j in 0..n {
                let less = factor * rows[k].0[j] % prime;
                rows[i].0[j] = (rows[i].0[j] + prime - less) % prime;
            }
            let less = factor * rows[k].1 % prime;
            rows[i].1 = (rows[i].1 + prime - less) % prime;
        }
    }
    Some(rows.into_iter().map(|row| row.1).collect())
}

pub fn inverse_modulo(value: u128, prime: u128) -> u128 {
    let (mut power, mut exponent, mut result) = (value % prime, prime - 2, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * power % prime;
        }
        power = power * power % prime;
        exponent >>= 1;
    }
    result
}

/// The value of `"digits/digits"` modulo a prime.
pub fn fraction_modulo(text: &str, prime: u128) -> u128 {
    let (above, below) = text.split_once('/').unwrap();
    let value = |digits: &str| {
        digits.bytes().fold(0_u128, |sum, digit| (sum * 10 + u128::from(digit - b'0')) % prime)
    };
    value(above) * inverse_modulo(value(below), prime) % prime
}

/// Output, input, and the two shares whose product links them.
pub type Term = (usize, usize, [(i64, i64); 2]);

/// Rule 8 as coefficients `(part, whole)` and constants, by node: `flow` or else composition.
/// A coefficient is a product of two shares.
pub struct Rule8 {
    pub terms: Vec<Term>,
    pub constants: BTreeMap<usize, i64>,
}

pub fn rule_8(events: &[Ev], suspects: &[usize], flow: bool) -> Rule8 {
    let mut made = [0; NODES];
    for ev in events {
        ev.outs.iter().for_each(|&(v, q)| made[v] += q);
    }
    let mut rule = Rule8 { terms: Vec::new(), constants: BTreeMap::new() };
    for &s in suspects {
        rule.constants.insert(s, if flow { made[s] } else { 1 });
    }
    for ev in events {
        let m_in: i64 = ev.ins.iter().map(|line| line.1).sum();
        let m_out: i64 = ev.outs.iter().map(|line| line.1).sum();
        for &(v, q) in ev.outs.iter().filter(|line| !suspects.contains(&line.0)) {
            for &(u, w) in &ev.ins {
                let shares = match flow {
                    true => [(q, m_out), (w, made[u])],
                    false => [(q, made[v]), (w, m_in)],
                };
                if shares[1].1 > 0 {
                    rule.terms.push((v, u, shares));
                }
            }
        }
    }
    rule
}
