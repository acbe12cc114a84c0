//! Laws of return cases, over random sales and random sequences of commands, against a slow model in
//! which every unit is an object of its own.

use std::collections::BTreeMap;

use crate::support::{Desk, case, line, sale, units};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ledger::Location;
use aftersale::case::refund::PaymentResult;
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, Decision};
use aftersale::id::{OrderLineId, ParcelId};
use aftersale::sale::Sale;
use proptest::prelude::*;

const CASES: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    Open(usize, Resolution, Vec<(usize, i64)>),
    Authorize(usize),
    Decline(usize),
    Withdraw(usize),
    SendBack(usize, usize, i64),
    Receive(usize, usize, i64),
    Accept(usize, usize, i64),
    Reject(usize, usize, i64),
    Home(usize, usize, i64),
    Refund(usize),
    Reduce(usize, usize, i64),
    Pay(usize, u32),
    Fail(usize, u32),
    Retry(usize, u32),
    Close(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Unshipped,
    Customer,
    HeldBack,
    Requested,
    Transit,
    Received,
    Accepted,
    Rejected,
    Settled,
    Kept,
    Cancelled,
    Ahead,
    Recovered,
}

#[derive(Clone, Copy, Debug)]
struct Unit {
    line: usize,
    place: Place,
    case: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paying {
    Due,
    Failed,
    Paid,
}

#[derive(Clone, Debug)]
struct ModelCase {
    resolution: Resolution,
    lines: Vec<usize>,
    approved: Option<bool>,
    closed: bool,
    payments: Vec<Paying>,
    /// Money refunded without goods, in pence, by line.
    settlements: usize,
}

/// Every unit by itself, and what was paid and refunded on each line in pence.
struct Model {
    units: Vec<Unit>,
    cases: BTreeMap<usize, ModelCase>,
    paid: Vec<i64>,
    refunded: Vec<i64>,
}

impl Model {
    fn new(lines: &[(i64, i64, i64)]) -> Self {
        let mut units = Vec::new();
        for (index, &(ordered, shipped, _)) in lines.iter().enumerate() {
            for unit in 0..ordered {
                let place = if unit < shipped { Place::Customer } else { Place::Unshipped };
                units.push(Unit { line: index, place, case: None });
            }
        }
        let paid: Vec<i64> = lines.iter().map(|line| line.0 * line.2).collect();
        Self { units, cases: BTreeMap::new(), refunded: vec![0; paid.len()], paid }
    }

    fn count(&self, line: usize, place: Place, case: Option<usize>) -> i64 {
        let here = |unit: &&Unit| {
            unit.line == line && unit.place == place && (case.is_none() || unit.case == case)
        };
        self.units.iter().filter(here).count() as i64
    }

    fn shift(
        &mut self,
        line: usize,
        from: Place,
        owner: Option<usize>,
        to: Place,
        case: Option<usize>,
        count: i64,
    ) {
        let mut left = count;
        for unit in &mut self.units {
            if left > 0 && unit.line == line && unit.place == from && unit.case == owner {
                unit.place = to;
                unit.case = case;
                left -= 1;
            }
        }
        assert_eq!(left, 0, "the model moved units that are not there");
    }

    fn release(&mut self, case: usize) {
        for unit in &mut self.units {
            if unit.case == Some(case) {
                match unit.place {
                    Place::Requested => (unit.place, unit.case) = (Place::Customer, None),
                    Place::HeldBack => (unit.place, unit.case) = (Place::Unshipped, None),
                    _ => {}
                }
            }
        }
    }

    /// Units of a case at one of several places, from the first to the last, to another place.
    fn drain(&mut self, case: usize, line: usize, from: &[Place], to: Place, count: i64) -> bool {
        let there: i64 = from.iter().map(|place| self.count(line, *place, Some(case))).sum();
        if count > there {
            return false;
        }
        let mut left = count;
        for place in from {
            let part = left.min(self.count(line, *place, Some(case)));
            let owner = if to == Place::Customer { None } else { Some(case) };
            self.shift(line, *place, Some(case), to, owner, part);
            left -= part;
        }
        true
    }

    fn ready(&self, case: usize) -> bool {
        self.cases.get(&case).is_some_and(|case| !case.closed && case.approved == Some(true))
    }

    fn has_line(&self, case: usize, line: usize) -> bool {
        self.cases.get(&case).is_some_and(|case| case.lines.contains(&line))
    }

    /// Carries out a command by the rules a clerk would tell; `None` when it is refused.
    fn apply(&mut self, op: &Op) -> Option<()> {
        use Place::{
            Accepted, Ahead, Cancelled, Customer, HeldBack, Kept, Received, Recovered, Rejected,
            Requested, Settled, Transit, Unshipped,
        };
        let yes = |truth: bool| truth.then_some(());
        match op {
            Op::Open(id, resolution, lines) => {
                yes(!self.cases.contains_key(id) && !lines.is_empty())?;
                let unshipped = *resolution == Resolution::RefundOnly;
                for &(line, count) in lines {
                    let free = self.count(line, Customer, None)
                        + if unshipped { self.count(line, Unshipped, None) } else { 0 };
                    yes(lines.iter().filter(|other| other.0 == line).count() == 1)?;
                    yes(count > 0 && count <= free)?;
                }
                for &(line, count) in lines {
                    let held =
                        if unshipped { count.min(self.count(line, Unshipped, None)) } else { 0 };
                    self.shift(line, Unshipped, None, HeldBack, Some(*id), held);
                    self.shift(line, Customer, None, Requested, Some(*id), count - held);
                }
                let opened = ModelCase {
                    resolution: *resolution,
                    lines: lines.iter().map(|line| line.0).collect(),
                    approved: None,
                    closed: false,
                    payments: vec![],
                    settlements: 0,
                };
                self.cases.insert(*id, opened);
                Some(())
            }
            Op::Authorize(id) => {
                let case = self.cases.get_mut(id)?;
                yes(!case.closed && case.approved.is_none())?;
                case.approved = Some(true);
                Some(())
            }
            Op::Decline(id) => {
                let case = self.cases.get_mut(id)?;
                yes(!case.closed && case.approved.is_none())?;
                case.approved = Some(false);
                self.release(*id);
                Some(())
            }
            Op::Withdraw(id) => {
                let case = self.cases.get(id)?;
                yes(!case.closed && case.settlements == 0)?;
                let idle = |unit: &Unit| matches!(unit.place, Requested | HeldBack);
                yes(self.units.iter().all(|unit| unit.case != Some(*id) || idle(unit)))?;
                self.release(*id);
                self.cases.get_mut(id)?.closed = true;
                Some(())
            }
            Op::SendBack(id, line, count) => {
                yes(self.ready(*id) && self.has_line(*id, *line) && *count > 0)?;
                yes(self.cases[id].resolution.needs_return())?;
                yes(self.drain(*id, *line, &[Requested], Transit, *count))
            }
            Op::Receive(id, line, count) => {
                let case = self.cases.get(id)?;
                yes(case.approved == Some(true) && self.has_line(*id, *line) && *count > 0)?;
                let here = |place| self.count(*line, place, Some(*id));
                let arriving = (*count).min(here(Transit) + here(Requested));
                let recovered = (count - arriving).min(here(Ahead) + here(Kept));
                self.drain(*id, *line, &[Transit, Requested], Received, arriving);
                self.drain(*id, *line, &[Ahead, Kept], Recovered, recovered);
                Some(())
            }
            Op::Accept(id, line, count) => {
                yes(self.ready(*id) && self.has_line(*id, *line) && *count > 0)?;
                yes(self.drain(*id, *line, &[Received, Rejected], Accepted, *count))
            }
            Op::Reject(id, line, count) => {
                yes(self.ready(*id) && self.has_line(*id, *line) && *count > 0)?;
                yes(self.drain(*id, *line, &[Received, Accepted], Rejected, *count))
            }
            Op::Home(id, line, count) => {
                yes(self.ready(*id) && self.has_line(*id, *line) && *count > 0)?;
                yes(self.drain(*id, *line, &[Rejected], Customer, *count))
            }
            Op::Refund(id) => {
                yes(self.ready(*id))?;
                let case = self.cases[id].clone();
                let ways: &[(Place, Place)] = match case.resolution {
                    Resolution::RefundOnly => {
                        &[(Accepted, Settled), (HeldBack, Cancelled), (Requested, Kept)]
                    }
                    Resolution::InstantRefund => &[
                        (Accepted, Settled),
                        (Received, Recovered),
                        (Transit, Ahead),
                        (Requested, Ahead),
                    ],
                    _ => &[(Accepted, Settled)],
                };
                let mut settled = 0;
                for line in case.lines {
                    for &(from, to) in ways {
                        let count = self.count(line, from, Some(*id));
                        self.shift(line, from, Some(*id), to, Some(*id), count);
                        settled += count;
                    }
                }
                yes(settled > 0)?;
                self.cases.get_mut(id)?.settlements += 1;
                Some(())
            }
            Op::Reduce(id, line, pence) => {
                yes(self.ready(*id) && self.has_line(*id, *line))?;
                yes(self.cases[id].resolution == Resolution::PartialRefund)?;
                yes(*pence <= self.paid[*line] - self.refunded[*line])?;
                self.cases.get_mut(id)?.settlements += 1;
                Some(())
            }
            Op::Pay(id, obligation) | Op::Fail(id, obligation) => {
                let result = if matches!(op, Op::Pay(..)) { Paying::Paid } else { Paying::Failed };
                let index = (*obligation as usize).checked_sub(1)?;
                let payment = self.cases.get_mut(id)?.payments.get_mut(index)?;
                yes(*payment != Paying::Paid)?;
                *payment = result;
                Some(())
            }
            Op::Retry(id, obligation) => {
                let index = (*obligation as usize).checked_sub(1)?;
                let payment = self.cases.get_mut(id)?.payments.get_mut(index)?;
                yes(*payment == Paying::Failed)?;
                *payment = Paying::Due;
                Some(())
            }
            Op::Close(id) => {
                let case = self.cases.get(id)?;
                yes(!case.closed && case.approved.is_some())?;
                yes(case.payments.iter().all(|payment| *payment == Paying::Paid))?;
                let busy =
                    |unit: &Unit| matches!(unit.place, Transit | Received | Accepted | Rejected);
                yes(!self.units.iter().any(|unit| unit.case == Some(*id) && busy(unit)))?;
                self.release(*id);
                self.cases.get_mut(id)?.closed = true;
                Some(())
            }
        }
    }
}

fn op(lines: usize) -> impl Strategy<Value = Op> {
    let id = 0..CASES;
    let of = 0..lines;
    let count = 1..4_i64;
    let resolution = prop_oneof![
        4 => Just(Resolution::ReturnAndRefund),
        2 => Just(Resolution::RefundOnly),
        1 => Just(Resolution::InstantRefund),
        2 => Just(Resolution::PartialRefund),
    ];
    let wanted = prop::collection::vec((of.clone(), count.clone()), 1..3);
    let part = (id.clone(), of, count);
    let owed = (id.clone(), 1..4_u32);
    prop_oneof![
        3 => (id.clone(), resolution, wanted).prop_map(|(a, b, c)| Op::Open(a, b, c)),
        3 => id.clone().prop_map(Op::Authorize),
        1 => id.clone().prop_map(Op::Decline),
        1 => id.clone().prop_map(Op::Withdraw),
        2 => part.clone().prop_map(|(a, b, c)| Op::SendBack(a, b, c)),
        4 => part.clone().prop_map(|(a, b, c)| Op::Receive(a, b, c)),
        4 => part.clone().prop_map(|(a, b, c)| Op::Accept(a, b, c)),
        1 => part.clone().prop_map(|(a, b, c)| Op::Reject(a, b, c)),
        1 => part.clone().prop_map(|(a, b, c)| Op::Home(a, b, c)),
        4 => id.clone().prop_map(Op::Refund),
        1 => part.prop_map(|(a, b, c)| Op::Reduce(a, b, c * 7)),
        3 => owed.clone().prop_map(|(a, b)| Op::Pay(a, b)),
        1 => owed.clone().prop_map(|(a, b)| Op::Fail(a, b)),
        1 => owed.prop_map(|(a, b)| Op::Retry(a, b)),
        2 => id.prop_map(Op::Close),
    ]
}

/// The way of a case that goes well, step by step, for one line.
fn good_way(id: usize, lines: usize) -> impl Strategy<Value = Vec<Op>> {
    let resolution = prop_oneof![
        3 => Just(Resolution::ReturnAndRefund),
        2 => Just(Resolution::RefundOnly),
        1 => Just(Resolution::InstantRefund),
    ];
    (resolution, 0..lines, 1..4_i64, 1..4_i64).prop_map(move |(resolution, line, count, part)| {
        vec![
            Op::Open(id, resolution, vec![(line, count)]),
            Op::Authorize(id),
            Op::Receive(id, line, part),
            Op::Accept(id, line, part),
            Op::Refund(id),
            Op::Pay(id, 1),
            Op::Close(id),
        ]
    })
}

/// Lines as (ordered, shipped, price in pence), and commands: the ways of three cases, each in its
/// order, and other commands, all mixed at random.
fn stories() -> impl Strategy<Value = (Vec<(i64, i64, i64)>, Vec<Op>)> {
    let one = (1..5_i64).prop_flat_map(|ordered| (Just(ordered), 0..=ordered, 1..9_999_i64));
    prop::collection::vec(one, 1..3).prop_flat_map(|lines| {
        let count = lines.len();
        let ways: Vec<_> = (0..CASES)
            .map(|id| (good_way(id, count), prop::collection::vec(any::<u16>(), 7)))
            .collect();
        let others = prop::collection::vec((op(count), any::<u16>()), 0..20);
        (Just(lines), ways, others).prop_map(|(lines, ways, others)| {
            let mut mixed: Vec<(u16, Op)> = others.into_iter().map(|(op, key)| (key, op)).collect();
            for (way, mut keys) in ways {
                keys.sort_unstable();
                mixed.extend(keys.into_iter().zip(way));
            }
            mixed.sort_by_key(|(key, _)| *key);
            (lines, mixed.into_iter().map(|(_, op)| op).collect())
        })
    })
}

fn sold(lines: &[(i64, i64, i64)]) -> Sale {
    let named: Vec<(String, i64, i64, String)> = lines
        .iter()
        .enumerate()
        .map(|(index, &(ordered, shipped, pence))| {
            (index.to_string(), ordered, shipped, format!("{}.{:02}", pence / 100, pence % 100))
        })
        .collect();
    let specs: Vec<crate::support::LineSpec<'_>> =
        named.iter().map(|(id, a, b, price)| (id.as_str(), *a, *b, price.as_str())).collect();
    sale(&specs)
}

fn give(
    desk: &mut Desk,
    op: &Op,
    step: usize,
) -> Result<Decision, aftersale::case::refusal::Refusal> {
    let name = |id: &usize| format!("R-{id}");
    let own = |line: &usize, count: &i64| vec![(line.to_string(), *count)];
    fn refs(lines: &[(String, i64)]) -> Vec<(&str, i64)> {
        lines.iter().map(|(id, count)| (id.as_str(), *count)).collect()
    }
    match op {
        Op::Open(id, resolution, lines) => {
            let lines: Vec<(String, i64)> =
                lines.iter().map(|(line, count)| (line.to_string(), *count)).collect();
            desk.open_as(&name(id), *resolution, &refs(&lines))
        }
        Op::Authorize(id) => desk.authorize(&name(id)),
        Op::Decline(id) => {
            let note = "no".to_owned();
            desk.give(Role::Agent, Command::Decline { case: case(&name(id)), note })
        }
        Op::Withdraw(id) => desk.give(Role::Customer, Command::Withdraw { case: case(&name(id)) }),
        Op::SendBack(id, of, count) => {
            let parcel = ParcelId::new(format!("BACK-{step}")).unwrap();
            let (case, lines) = (case(&name(id)), units(&refs(&own(of, count))));
            desk.give(Role::Customer, Command::SendBack { case, parcel, lines })
        }
        Op::Receive(id, of, count) => desk.receive(&name(id), &refs(&own(of, count))),
        Op::Accept(id, of, count) => desk.accept(&name(id), &refs(&own(of, count))),
        Op::Reject(id, of, count) => desk.reject(&name(id), &refs(&own(of, count))),
        Op::Home(id, of, count) => {
            let (case, lines) = (case(&name(id)), units(&refs(&own(of, count))));
            desk.give(Role::Warehouse, Command::ReturnToCustomer { case, lines })
        }
        Op::Refund(id) => desk.refund(&name(id)),
        Op::Reduce(id, of, pence) => {
            let amount = format!("{}.{:02}", pence / 100, pence % 100);
            desk.refund_amount(&name(id), &of.to_string(), &amount)
        }
        Op::Pay(id, obligation) => desk.pay(&name(id), *obligation),
        Op::Fail(id, obligation) => {
            let error = "declined".to_owned();
            desk.report(&name(id), *obligation, PaymentResult::Failed { error })
        }
        Op::Retry(id, obligation) => {
            let (case, obligation) = (case(&name(id)), *obligation);
            desk.give(Role::Finance, Command::RetryPayment { case, obligation, payment: 1 })
        }
        Op::Close(id) => desk.close(&name(id)),
    }
}

/// Runs a story on the engine and on the model side by side, checking after every step.
fn run(lines: &[(i64, i64, i64)], ops: &[Op]) -> (Desk, Model) {
    let mut desk = Desk::new(sold(lines));
    let mut model = Model::new(lines);
    for (step, op) in ops.iter().enumerate() {
        let before = desk.order.clone();
        let answer = give(&mut desk, op, step);
        let predicted = model.apply(op).is_some();
        assert_eq!(answer.is_ok(), predicted, "step {step} {op:?}: {answer:?}");
        match answer {
            Err(_) => assert_eq!(desk.order, before, "a refusal changed something"),
            Ok(decision) => note_money(&mut model, op, &decision),
        }
        compare(&desk, &model);
    }
    (desk, model)
}

/// Takes over from the decision what only the settlement knows: amounts and payments.
fn note_money(model: &mut Model, op: &Op, decision: &Decision) {
    for event in &decision.events {
        if let EventFact::RefundPlanned { settlement, .. } = &event.fact {
            let (Op::Refund(id) | Op::Reduce(id, ..)) = op else { panic!("a refund by {op:?}") };
            let zero = settlement.total.is_zero();
            let state = if zero { Paying::Paid } else { Paying::Due };
            model.cases.get_mut(id).unwrap().payments.push(state);
            for entry in &settlement.entries {
                if let aftersale::settlement::Target::Line(line) = &entry.target {
                    let index: usize = line.as_str().parse().unwrap();
                    model.refunded[index] += entry.gross.minor();
                }
            }
        }
    }
}

fn compare(desk: &Desk, model: &Model) {
    const SAME: &[(Location, Place)] = &[
        (Location::Unshipped, Place::Unshipped),
        (Location::HeldBack, Place::HeldBack),
        (Location::Cancelled, Place::Cancelled),
        (Location::Customer, Place::Customer),
        (Location::Requested, Place::Requested),
        (Location::InTransit, Place::Transit),
        (Location::Received, Place::Received),
        (Location::Accepted, Place::Accepted),
        (Location::Rejected, Place::Rejected),
        (Location::Settled, Place::Settled),
        (Location::Kept, Place::Kept),
        (Location::Ahead, Place::Ahead),
        (Location::Recovered, Place::Recovered),
    ];
    for (index, balance) in desk.order.quantities().balances().enumerate() {
        for &(location, place) in SAME {
            assert_eq!(balance.at(location), model.count(index, place, None), "{location}");
        }
        let ordered = model.units.iter().filter(|unit| unit.line == index).count() as i64;
        assert_eq!(balance.total(), ordered, "a unit was lost or made");
        let id = OrderLineId::new(index.to_string()).unwrap();
        assert_eq!(
            desk.order.money().refunded_on_line(&id).unwrap().minor(),
            model.refunded[index]
        );
        assert!((0..=model.paid[index]).contains(&model.refunded[index]), "refunded too much");
        let settled =
            [Place::Settled, Place::Kept, Place::Cancelled, Place::Ahead, Place::Recovered];
        let settled: i64 = settled.iter().map(|place| model.count(index, *place, None)).sum();
        if settled == ordered {
            assert_eq!(model.refunded[index], model.paid[index], "all came back, not all was paid");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// CAS-1: every unit is at exactly one place, and no unit is returned twice [1, 2, 3, 9, 10].
    /// CAS-2: no line, tender or order is refunded beyond what was paid [11, 12, 13].
    /// CAS-3: when every unit of a line is settled, exactly what was paid is refunded [14].
    #[test]
    fn ledgers_agree_with_a_model_of_single_units((lines, ops) in stories()) {
        let (desk, model) = run(&lines, &ops);
        let total: i64 = model.refunded.iter().sum();
        prop_assert!(total <= desk.sale.total().minor());
        prop_assert_eq!(desk.order.money().refunded().minor(), total);
    }

    /// CAS-4: replaying the stored events, through their wire form, gives the live order [43].
    #[test]
    fn replay_equals_the_live_order((lines, ops) in stories()) {
        let (desk, _) = run(&lines, &ops);
        let text = serde_json::to_string(&desk.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&text).unwrap();
        let replayed = AfterSale::replay(desk.sale.clone(), &events);
        prop_assert_eq!(replayed, Ok(desk.order));
    }

    /// CAS-5: sequence numbers have no gaps; every event has actor, cause and rules version [50].
    #[test]
    fn events_are_numbered_without_gaps((lines, ops) in stories()) {
        let (desk, _) = run(&lines, &ops);
        for (place, event) in desk.events.iter().enumerate() {
            prop_assert_eq!(event.sequence, place as u64 + 1);
            prop_assert_eq!(event.rules_version, 1);
            prop_assert!(!event.cause.command.as_str().is_empty());
        }
        prop_assert_eq!(desk.order.version(), desk.events.len() as u64);
    }

    /// CAS-11: one unit at a time or all together, in any order of cases, refunds the same sum [15].
    #[test]
    fn batches_do_not_matter(count in 1..6_i64, pence in 1..9_999_i64, split in 0..6_i64) {
        let lines = [(count, count, pence)];
        let first = split.min(count);
        let mut desk = Desk::new(sold(&lines));
        for (id, part) in [("R-1", first), ("R-2", count - first)] {
            if part > 0 {
                desk.whole_return(id, &[("0", part)]).unwrap();
            }
        }
        let refunded = desk.order.money().refunded_on_line(&line("0")).unwrap();
        prop_assert_eq!(refunded.minor(), count * pence);
        let mut again = Desk::new(sold(&lines));
        if first > 0 {
            again.whole_return("R-1", &[("0", first)]).unwrap();
            let one = again.order.money().refunded_on_line(&line("0")).unwrap().minor();
            prop_assert_eq!(one, first * pence);
        }
    }
}
