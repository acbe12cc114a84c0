//! Settlement against an exact-rational model, over random sales and random sequences of returns.
//!
//! The model knows nothing of the engine: it keeps the history of claims on one line as it was asked
//! for and computes what should have gone back in all, from scratch, with fractions.
//!
//! `AFTERSALE_CASES=10000000 cargo test --release --test settlement model` runs more cases.

use crate::sales::{Random, at, cases};
use aftersale::explain::RuleRef;
use aftersale::id::{OrderLineId, RuleId};
use aftersale::money::Money;
use aftersale::quantity::Quantity;
use aftersale::sale::draft::TenderKind;
use aftersale::sale::{Paid, Sale};
use aftersale::settlement::ledger::MoneyLedger;
use aftersale::settlement::request::{
    ChargeClaim, ChargeRefund, Claim, Deduction, DeductionAmount, DeductionKind, Excess,
    LineRefund, RefundRequest, Standing, TaxTreatment, TenderPolicy,
};
use aftersale::settlement::{Basis, EntryKind, Settlement, quote};

/// A fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fraction {
    above: i128,
    below: i128,
}

impl Fraction {
    fn new(above: i128, below: i128) -> Self {
        let (mut a, mut b) = (above.abs(), below.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self { above: above / a.max(1), below: below / a.max(1) }
    }

    /// The nearest whole number, halves up: the largest `n` with `n <= self + 1/2`.
    fn half_up(self) -> i128 {
        let moved = Self::new(2 * self.above + self.below, 2 * self.below);
        moved.above.div_euclid(moved.below)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Units(i64),
    Amount(i64),
}

/// One line or charge: what was paid, gross first and then every tax, and what was asked for so far.
struct Model {
    paid: Vec<i128>,
    units: i64,
    history: Vec<Asked>,
}

impl Model {
    fn new(paid: &Paid, units: i64) -> Self {
        let taxes = paid.taxes.iter().map(|tax| i128::from(tax.amount.minor()));
        let paid = std::iter::once(i128::from(paid.gross.minor())).chain(taxes).collect();
        Self { paid, units, history: vec![] }
    }

    /// What should have gone back in all: the history cut into runs of one kind; in every run each
    /// component has gone back in exact proportion to the units (or the money) of the run, out of
    /// what was left when it began, rounded once.
    fn back(&self) -> Vec<i128> {
        let mut back = vec![0_i128; self.paid.len()];
        let mut units_back = 0_i64;
        // Asking for nothing is no claim.
        let claims: Vec<Asked> = self
            .history
            .iter()
            .copied()
            .filter(|asked| !matches!(asked, Asked::Units(0) | Asked::Amount(0)))
            .collect();
        let mut rest = claims.as_slice();
        while let Some(first) = rest.first() {
            let is_units = matches!(first, Asked::Units(_));
            let length = rest
                .iter()
                .take_while(|asked| matches!(asked, Asked::Units(_)) == is_units)
                .count();
            let (run, later) = rest.split_at(length);
            rest = later;
            let sum: i64 = run
                .iter()
                .map(|asked| match asked {
                    Asked::Units(n) | Asked::Amount(n) => *n,
                })
                .sum();
            let whole =
                if is_units { i128::from(self.units - units_back) } else { self.paid[0] - back[0] };
            for (component, paid) in self.paid.iter().enumerate() {
                let left = paid - back[component];
                back[component] += Fraction::new(left * i128::from(sum), whole).half_up();
            }
            if is_units {
                units_back += sum;
            }
        }
        back
    }

    fn units_left(&self) -> i64 {
        let back: i64 =
            self.history.iter().map(|a| if let Asked::Units(n) = a { *n } else { 0 }).sum();
        self.units - back
    }

    fn gross_left(&self) -> i64 {
        (self.paid[0] - self.back()[0]) as i64
    }
}

/// Lines and charges with their models, and what the engine paid back of each.
struct Run {
    sale: Sale,
    ledger: MoneyLedger,
    lines: Vec<(OrderLineId, Model, Vec<i128>)>,
    charges: Vec<(aftersale::sale::draft::ChargeId, Model, Vec<i128>)>,
}

impl Run {
    fn new(sale: Sale) -> Self {
        let ledger = MoneyLedger::open(&sale);
        let lines = sale
            .lines()
            .map(|line| {
                let model = Model::new(&line.frozen.paid, line.ordered.quantity.steps());
                let back = vec![0; model.paid.len()];
                (line.ordered.id.clone(), model, back)
            })
            .collect();
        let charges = sale
            .charges()
            .map(|charge| {
                let model = Model::new(charge.paid, 0);
                let back = vec![0; model.paid.len()];
                (charge.charged.id.clone(), model, back)
            })
            .collect();
        Self { sale, ledger, lines, charges }
    }

    /// A request of units, money and charges that are all still there.
    fn request(&mut self, random: &mut Random) -> RefundRequest {
        let mut request = RefundRequest::new(at("2026-04-01T10:00:00Z"));
        request.tenders = policy(random, &self.ledger, &self.sale);
        let currency = self.sale.currency();
        for position in 0..self.lines.len() {
            if !random.chance(60) {
                continue;
            }
            let unit = self.sale.at(position).unwrap().ordered.quantity.unit();
            let (line, model, _) = &mut self.lines[position];
            let asked = if random.chance(75) {
                Asked::Units(random.within(0, model.units_left()))
            } else {
                Asked::Amount(random.within(0, model.gross_left()))
            };
            model.history.push(asked);
            let claim = match asked {
                Asked::Units(n) => Claim::Units(Quantity::new(n, unit).unwrap()),
                Asked::Amount(n) => Claim::Amount(Money::new(n, currency)),
            };
            request.lines.push(LineRefund { line: line.clone(), claim });
        }
        for (charge, model, _) in &mut self.charges {
            if random.chance(20) {
                let left = model.gross_left();
                let asked = if random.chance(50) { left } else { random.within(0, left) };
                model.history.push(Asked::Amount(asked));
                let claim = if asked == left {
                    ChargeClaim::Full
                } else {
                    ChargeClaim::Amount(Money::new(asked, currency))
                };
                request.charges.push(ChargeRefund { charge: charge.clone(), claim });
            }
        }
        request
    }

    /// Everything that is left of lines and charges.
    fn rest(&mut self) -> RefundRequest {
        let mut request = RefundRequest::new(at("2026-04-02T10:00:00Z"));
        for (position, (line, model, _)) in self.lines.iter_mut().enumerate() {
            let unit = self.sale.at(position).unwrap().ordered.quantity.unit();
            let n = model.units_left();
            model.history.push(Asked::Units(n));
            let claim = Claim::Units(Quantity::new(n, unit).unwrap());
            request.lines.push(LineRefund { line: line.clone(), claim });
        }
        for (charge, model, _) in &mut self.charges {
            let left = model.gross_left();
            model.history.push(Asked::Amount(left));
            request.charges.push(ChargeRefund { charge: charge.clone(), claim: ChargeClaim::Full });
        }
        request
    }

    fn settle(&mut self, request: &RefundRequest) -> Settlement {
        let settlement = quote(&self.sale, &self.ledger, request).unwrap();
        check_sums(&settlement);
        assert!(self.ledger.admits(&settlement));
        for entry in &settlement.entries {
            let amounts = std::iter::once(entry.gross)
                .chain(entry.taxes.iter().map(|tax| tax.amount))
                .map(|amount| i128::from(amount.minor()));
            let back = match &entry.target {
                aftersale::settlement::Target::Line(line) => {
                    self.lines.iter_mut().find(|known| known.0 == *line).map(|known| &mut known.2)
                }
                aftersale::settlement::Target::Charge(charge) => {
                    self.charges.iter_mut().find(|known| known.0 == *charge).map(|k| &mut k.2)
                }
                _ => None,
            };
            for (sum, amount) in back.unwrap().iter_mut().zip(amounts) {
                *sum += amount;
            }
            check_basis(entry);
        }
        self.ledger.apply(&settlement);
        settlement
    }

    fn agrees_with_model(&self) {
        for (line, model, back) in &self.lines {
            assert_eq!(&model.back(), back, "line {line}: {:?}", model.history);
            assert_eq!(self.ledger.left_on_line(line).unwrap().minor(), model.gross_left());
            assert_eq!(self.ledger.units_left(line).unwrap().steps(), model.units_left());
        }
        for (charge, model, back) in &self.charges {
            assert_eq!(&model.back(), back, "charge {charge}");
        }
    }
}

fn policy(random: &mut Random, ledger: &MoneyLedger, sale: &Sale) -> TenderPolicy {
    let _ = ledger;
    match random.within(0, 5) {
        0 => TenderPolicy::Sequential(vec![TenderKind::GiftCard, TenderKind::Card]),
        1 => TenderPolicy::LowestFirst,
        2 => TenderPolicy::LargestFirst,
        3 => TenderPolicy::SelectedThenSpill(vec![sale.tenders()[0].id.clone()]),
        4 => TenderPolicy::OriginalElseCredit { days: Some(14) },
        _ => TenderPolicy::Proportional,
    }
}

/// The entries sum to the total, and everything payable has a place.
fn check_sums(settlement: &Settlement) {
    let sum: i64 = settlement.entries.iter().map(|entry| entry.gross.minor()).sum();
    assert_eq!(sum, settlement.total.minor());
    let kinds: std::collections::BTreeSet<EntryKind> =
        settlement.entries.iter().map(|entry| entry.kind).collect();
    let by_kind: i64 = kinds.iter().map(|kind| settlement.sum_of(*kind).unwrap().minor()).sum();
    assert_eq!(by_kind, sum);
    let net: i64 = settlement.entries.iter().map(|entry| entry.net().unwrap().minor()).sum();
    assert_eq!(net + settlement.tax().unwrap().minor(), sum);
    let placed: i64 = settlement
        .allocations
        .iter()
        .map(|part| part.amount.minor() + part.rounding.map_or(0, Money::minor))
        .sum();
    assert_eq!(placed + settlement.shortfall.minor(), settlement.total.minor());
    assert!(settlement.total.minor() >= 0 && settlement.due.minor() >= 0);
    assert!(settlement.total.is_zero() || settlement.due.is_zero());
    assert!(settlement.shortfall.minor() >= 0);
    assert!(settlement.allocations.iter().all(|part| part.amount.minor() > 0));
}

/// The numbers of an explanation give the amount again.
fn check_basis(entry: &aftersale::settlement::Entry) {
    let again = match &entry.basis {
        Basis::Units { from, to, of, value } => {
            let rung = |n: i64| {
                let exact =
                    Fraction::new(i128::from(value.minor()) * i128::from(n), (*of).max(1).into());
                exact.half_up()
            };
            rung(*to) - rung(*from)
        }
        Basis::Stated { asked, limit } => {
            i128::from(limit.map_or(asked.minor(), |limit| asked.minor().min(limit.minor())))
        }
        other => panic!("no such basis here: {other:?}"),
    };
    assert_eq!(again, i128::from(entry.gross.minor()), "{entry:?}");
}

fn each_case(usual: u64, salt: u64, mut test: impl FnMut(&mut Random)) {
    for case in 0..cases(usual) {
        let seed = case.wrapping_mul(0x0100_0003).wrapping_add(salt);
        let failed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&mut Random(seed))));
        if let Err(cause) = failed {
            eprintln!("failed with seed {seed}");
            std::panic::resume_unwind(cause);
        }
    }
}

/// SET-1: the entries of a settlement sum to its total, gross, net and tax.
/// SET-2: what went back in all equals the exact-rational model after every step.
/// SET-3: returning everything gives back exactly what was paid, whatever came before.
/// SET-4: no line, charge or tender gives back more than was paid on it.
/// SET-5: allocations, credit and shortfall sum to the total.
/// SET-26: the numbers of an explanation give the amount again.
#[test]
fn any_sequence_of_returns_follows_the_exact_model() {
    each_case(60_000, 1, |random| {
        let mut run = Run::new(crate::sales::sale(random));
        for _ in 0..random.within(1, 4) {
            let request = run.request(random);
            let _ = run.settle(&request);
            run.agrees_with_model();
        }
        let rest = run.rest();
        let _ = run.settle(&rest);
        run.agrees_with_model();
        for (_, model, back) in run.lines.iter().chain(&[]) {
            // Money credited after the last unit came back is not owed again.
            assert_eq!(&model.paid, back);
        }
        for (_, model, back) in &run.charges {
            assert_eq!(&model.paid, back);
        }
        assert_eq!(run.ledger.refunded(), run.sale.total());
        for tender in run.sale.tenders() {
            assert_eq!(run.ledger.refunded_on_tender(&tender.id), Some(tender.captured));
        }
    });
}

/// The amounts that units `from..to` of every line refund, one settlement each time.
fn in_batches(sale: &Sale, random: &mut Random) -> Vec<Vec<(i64, i64)>> {
    let mut ledger = MoneyLedger::open(sale);
    let mut points: Vec<Vec<(i64, i64)>> = sale.lines().map(|_| vec![(0, 0)]).collect();
    let all: Vec<Quantity> = sale.lines().map(|line| line.ordered.quantity).collect();
    loop {
        let mut request = RefundRequest::new(at("2026-04-01T10:00:00Z"));
        let mut moved = vec![];
        for (position, points) in points.iter().enumerate() {
            let (units, _) = *points.last().unwrap();
            let left = all[position].steps() - units;
            if left > 0 && random.chance(50) {
                let n =
                    if left > 60 { random.within(left / 4, left) } else { random.within(1, left) };
                let units = Quantity::new(n, all[position].unit()).unwrap();
                let line = crate::sales::line_id(position);
                request.lines.push(LineRefund { line, claim: Claim::Units(units) });
                moved.push((position, n));
            }
        }
        let settlement = quote(sale, &ledger, &request).unwrap();
        for ((position, n), entry) in moved.iter().zip(&settlement.entries) {
            assert!(entry.gross.minor() >= 0, "one more unit never lowers the refund");
            let (units, money) = *points[*position].last().unwrap();
            points[*position].push((units + n, money + entry.gross.minor()));
        }
        ledger.apply(&settlement);
        let done =
            |(points, all): (&Vec<(i64, i64)>, &Quantity)| points.last().unwrap().0 == all.steps();
        if points.iter().zip(&all).all(done) {
            return points;
        }
    }
}

/// SET-6: the k-th cumulative refund of units depends only on k, not on order or batching.
/// SET-7: a cumulative refund never falls when one more unit is returned.
#[test]
fn the_way_to_a_count_of_units_does_not_matter() {
    each_case(20_000, 2, |random| {
        let sale = crate::sales::sale(random);
        let (one, other) = (in_batches(&sale, random), in_batches(&sale, random));
        for (position, line) in sale.lines().enumerate() {
            let all = line.ordered.quantity.steps();
            for (units, money) in &one[position] {
                if let Some((_, same)) = other[position].iter().find(|point| point.0 == *units) {
                    assert_eq!(money, same, "line {position} at {units} units");
                }
            }
            assert_eq!(one[position].last(), Some(&(all, line.frozen.paid.gross.minor())));
        }
    });
}

fn fee(random: &mut Random, run: &Run, request: &RefundRequest) -> Deduction {
    let currency = run.sale.currency();
    let kinds = [
        DeductionKind::DiminishedValue,
        DeductionKind::UseCompensation,
        DeductionKind::RestockingFee,
        DeductionKind::Unreturned,
        DeductionKind::ReturnLabel,
        DeductionKind::CardFee,
    ];
    let line =
        request.lines.first().filter(|_| random.chance(50)).map(|refund| refund.line.clone());
    let amount = if random.chance(50) {
        DeductionAmount::Flat(Money::new(random.within(0, 5_000), currency))
    } else {
        DeductionAmount::Share(rust_share(random.within(0, 100)))
    };
    let cap = random.chance(30).then(|| Money::new(random.within(0, 2_000), currency));
    let tax = match random.within(0, 2) {
        0 => TaxTreatment::Outside,
        1 => TaxTreatment::SeparateSupply {
            code: aftersale::sale::draft::TaxCode::new("VAT").unwrap(),
            rate: "0.19".parse().unwrap(),
        },
        _ => TaxTreatment::ReducesBase,
    };
    Deduction {
        kind: random.pick(&kinds),
        line,
        amount,
        cap,
        tax,
        standing: if random.chance(10) { Standing::Waived } else { Standing::Applies },
        excess: if random.chance(20) { Excess::Charge } else { Excess::Forgive },
        rule: RuleRef::new(RuleId::new("fee").unwrap()),
    }
}

fn rust_share(percent: i64) -> aftersale::number::Exact {
    aftersale::number::Exact::new(rust_decimal::Decimal::from_i128_with_scale(percent.into(), 2))
}

/// What the customer gets, a debt as a negative amount.
fn position(settlement: &Settlement) -> i64 {
    settlement.total.minor() - settlement.due.minor()
}

/// SET-8: increasing a fee never raises a refund, and a waived fee is zero.
/// SET-9: nobody is paid a negative amount: a debt is an entry and an amount due, and a deduction
/// that is forgiven in excess never pushes a refund below zero.
/// SET-10: a preview equals the settlement: same input, same output, also after a round trip.
#[test]
fn a_higher_fee_never_raises_a_refund() {
    each_case(20_000, 3, |random| {
        let mut run = Run::new(crate::sales::sale(random));
        let mut request = run.request(random);
        for _ in 0..random.within(1, 3) {
            let fee = fee(random, &run, &request);
            request.deductions.push(fee);
        }
        let lower = quote(&run.sale, &run.ledger, &request).unwrap();
        check_sums(&lower);
        assert_eq!(Ok(&lower), quote(&run.sale, &run.ledger, &request).as_ref());
        if request.deductions.iter().all(|fee| fee.excess == Excess::Forgive) {
            assert!(lower.due.is_zero());
        }
        if random.chance(5) {
            let text = serde_json::to_string(&lower).unwrap();
            assert_eq!(serde_json::from_str::<Settlement>(&text).unwrap(), lower);
            let (mut live, mut read) = (run.ledger.clone(), run.ledger.clone());
            live.apply(&lower);
            read.apply(&serde_json::from_str(&text).unwrap());
            let ledger = serde_json::to_string(&live).unwrap();
            assert_eq!(serde_json::from_str::<MoneyLedger>(&ledger).unwrap(), read);
        }
        let changed = random.within(0, request.deductions.len() as i64 - 1) as usize;
        let fee = &mut request.deductions[changed];
        fee.amount = match &fee.amount {
            DeductionAmount::Flat(amount) => {
                let more = Money::new(random.within(1, 500), amount.currency());
                DeductionAmount::Flat(amount.checked_add(more).unwrap())
            }
            _ => DeductionAmount::Share(rust_share(100)),
        };
        let waived = fee.standing == Standing::Waived;
        let higher = quote(&run.sale, &run.ledger, &request).unwrap();
        assert!(position(&higher) <= position(&lower), "{request:?}");
        if waived {
            assert_eq!(higher, lower);
        }
        let mut without = request.clone();
        without.deductions.clear();
        let most = quote(&run.sale, &run.ledger, &without).unwrap();
        assert!(position(&higher) <= position(&most));
    });
}
