//! What a return cost, who bears it, what is claimed back, and the scorecards of it.

use std::collections::BTreeMap;

use crate::liability::{accepted, attribute, decided, liability, ratio, refund};
use crate::support::{Desk, case, line, obstacles, pounds, sale};
use aftersale::analytics::scorecard::Scorecards;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::duty::DutyAct;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::liability::Party;
use aftersale::case::recovery::{ClaimState, CostKind, RecoveryDemand, RecoveryResult};
use aftersale::case::refusal::Obstacle;
use aftersale::case::refusal::claim::ClaimObstacle;
use aftersale::case::{AfterSale, ReplayError};
use aftersale::label::Coded;
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::quantity::Unit;
use aftersale::sale::Sale;
use aftersale::settlement::recovery::{DebtorId, Recovery, RecoveryRefused};
use proptest::prelude::*;

fn demand(of: &str, party: Party, amount: Option<&str>) -> Command {
    let debtor = DebtorId::new(format!("{party}-1")).unwrap();
    let (amount, note) = (amount.map(pounds), "broken on arrival".to_owned());
    let demand = RecoveryDemand { line: line(of), party, debtor, amount, note };
    Command::OpenRecoveryClaim { case: case("R-1"), demand }
}

fn result(claim: u32, result: RecoveryResult) -> Command {
    Command::RecordRecovery { case: case("R-1"), claim, result }
}

fn cost(of: &str, kind: CostKind, amount: &str) -> Command {
    let (amount, note) = (pounds(amount), "invoice 7".to_owned());
    Command::RecordCost { case: case("R-1"), line: line(of), kind, amount, note }
}

/// A phone of 100.00 that came back broken and was refunded.
fn refunded() -> Desk {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "100.00")]));
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    desk
}

fn cost_of(desk: &Desk, of: &str) -> Money {
    desk.order.case(&case("R-1")).unwrap().cost_of(&line(of)).unwrap().unwrap()
}

/// CAS-74: a claim comes in by parts, is refused, or is given up, never beyond what is open of it.
#[test]
fn a_claim_ends_recovered_or_written_off() {
    let mut desk = refunded();
    desk.give(Role::Warehouse, cost("1", CostKind::ReturnFreight, "8.00")).unwrap();
    assert_eq!(cost_of(&desk, "1"), pounds("108.00"));
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 3, 4), (Party::Seller, 1, 4)])).unwrap();
    let opened = desk.give(Role::Finance, demand("1", Party::Carrier, None)).unwrap();
    let send = DutyAct::SendClaim {
        claim: 1,
        party: Party::Carrier,
        debtor: DebtorId::new("carrier-1").unwrap(),
        amount: pounds("81.00"),
    };
    assert_eq!(opened.duties[0].act, send);
    let came = |amount: &str| RecoveryResult::Recovered {
        amount: pounds(amount),
        reference: "credit note 3".into(),
    };
    desk.give(Role::Finance, result(1, came("50.00"))).unwrap();
    assert_eq!(
        obstacles(desk.give(Role::Finance, result(1, came("31.01")))),
        [Obstacle::Claim(ClaimObstacle::MoreThanClaimed {
            claim: 1,
            asked: pounds("31.01"),
            open: pounds("31.00")
        })]
    );
    let note = || "insured up to 50".to_owned();
    desk.give(Role::Finance, result(1, RecoveryResult::Refused { note: note() })).unwrap();
    desk.give(Role::Finance, result(1, came("1.00"))).unwrap();
    let given_up = result(1, RecoveryResult::WrittenOff { note: note() });
    let dropped = desk.give(Role::Supervisor, given_up).unwrap();
    assert_eq!(dropped.duties[0].act, DutyAct::DropClaim { claim: 1 });
    let state = ClaimState::WrittenOff;
    assert_eq!(
        obstacles(desk.give(Role::Finance, result(1, came("1.00")))),
        [Obstacle::Claim(ClaimObstacle::ClaimEnded { claim: 1, state })]
    );
    // What was given up may be claimed anew, and no more than that.
    let exceeds = obstacles(desk.give(Role::Finance, demand("1", Party::Carrier, Some("30.01"))));
    assert!(matches!(
        exceeds[0],
        Obstacle::Claim(ClaimObstacle::Recovery(RecoveryRefused::ExceedsCost { open, .. })) if open == pounds("30.00")
    ));
    desk.give(Role::Finance, demand("1", Party::Carrier, Some("30.00"))).unwrap();
    desk.give(Role::Finance, result(2, came("30.00"))).unwrap();
    let claims = &desk.order.case(&case("R-1")).unwrap().claims;
    assert_eq!(claims[1].state, ClaimState::Recovered);
}

/// CAS-75: a claim waits for a decision about liability that nobody objects to, and a later decision
/// stands only where what is claimed still fits.
#[test]
fn claims_wait_for_liability() {
    let mut desk = refunded();
    let carrier = || demand("1", Party::Carrier, Some("40.00"));
    let none = Obstacle::Claim(ClaimObstacle::NoLiability { line: line("1") });
    assert_eq!(obstacles(desk.give(Role::Finance, carrier())), [none]);
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 1, 2), (Party::Seller, 1, 2)])).unwrap();
    for party in [Party::Seller, Party::Buyer, Party::Undetermined] {
        let found = obstacles(desk.give(Role::Finance, demand("1", party, Some("1.00"))));
        assert!(
            found.contains(&Obstacle::Claim(ClaimObstacle::NotClaimable { party })),
            "{found:?}"
        );
    }
    let note = || "the carton was thin".to_owned();
    let appeal = Command::AppealLiability { case: case("R-1"), line: line("1"), note: note() };
    desk.give(Role::Agent, appeal).unwrap();
    let appealed = Obstacle::Claim(ClaimObstacle::LiabilityAppealed { line: line("1") });
    assert_eq!(obstacles(desk.give(Role::Finance, carrier())), [appealed]);
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 2, 5), (Party::Seller, 3, 5)])).unwrap();
    desk.give(Role::Finance, carrier()).unwrap();
    let less = || liability(&[(Party::Carrier, 1, 4), (Party::Seller, 3, 4)]);
    assert!(matches!(
        obstacles(attribute(&mut desk, "1", less()))[0],
        Obstacle::Claim(ClaimObstacle::Recovery(RecoveryRefused::ExceedsCost { .. }))
    ));
    assert!(matches!(
        obstacles(attribute(&mut desk, "1", liability(&[(Party::Seller, 1, 1)])))[0],
        Obstacle::Claim(ClaimObstacle::Recovery(RecoveryRefused::NotLiable { .. }))
    ));
    // So does a value of the goods that would leave less than what is claimed.
    let worth = obstacles(desk.give(Role::Agent, cost("1", CostKind::Salvage, "0.10")));
    assert!(matches!(worth[0], Obstacle::Claim(ClaimObstacle::Recovery(_))), "{worth:?}");
    desk.give(Role::Finance, result(1, RecoveryResult::WrittenOff { note: note() })).unwrap();
    desk.give(Role::Agent, cost("1", CostKind::Salvage, "20.00")).unwrap();
    assert_eq!(cost_of(&desk, "1"), pounds("80.00"));
    let more = Obstacle::Claim(ClaimObstacle::MoreThanCost {
        line: line("1"),
        asked: pounds("80.01"),
        cost: pounds("80.00"),
    });
    assert_eq!(obstacles(desk.give(Role::Agent, cost("1", CostKind::Salvage, "80.01"))), [more]);
    attribute(&mut desk, "1", less()).unwrap();
}

#[test]
fn a_cost_has_its_part_of_freight_and_of_what_was_kept_back() {
    let mut desk = accepted("QLT.WORKMANSHIP");
    attribute(&mut desk, "1", liability(&[(Party::Supplier, 3, 4), (Party::Buyer, 1, 4)])).unwrap();
    refund(&mut desk, decided("8.00", ""));
    // 60.00 of goods and 7.50 of freight, less 2.00 of the label.
    assert_eq!(cost_of(&desk, "1"), pounds("65.50"));
    let zero = pounds("0.00");
    let obstacle =
        Obstacle::Claim(ClaimObstacle::BadAmount { amount: zero, currency: Currency::GBP });
    assert_eq!(
        obstacles(desk.give(Role::Agent, cost("1", CostKind::Handling, "0.00"))),
        [obstacle]
    );
}

/// One random step about costs and claims.
#[derive(Clone, Debug)]
enum Step {
    Cost(usize, usize, i64),
    Attribute(usize, usize),
    Claim(usize, usize, Option<i64>),
    Result(u32, usize, i64),
    Refund,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize, 0..CostKind::ALL.len(), 1..2_000_i64)
            .prop_map(|(line, kind, amount)| Step::Cost(line, kind, amount)),
        2 => (0..2_usize, 0..SHARES.len()).prop_map(|(line, shares)| Step::Attribute(line, shares)),
        6 => (0..2_usize, 0..Party::ALL.len(), prop::option::of(1..3_000_i64))
            .prop_map(|(line, party, amount)| Step::Claim(line, party, amount)),
        4 => (1..6_u32, 0..3_usize, 1..2_000_i64).prop_map(|(c, r, a)| Step::Result(c, r, a)),
        1 => Just(Step::Refund),
    ];
    prop::collection::vec(step, 1..40)
}

const SHARES: &[&[(Party, i64, i64)]] = &[
    &[(Party::Carrier, 1, 3), (Party::Supplier, 1, 3), (Party::Seller, 1, 3)],
    &[(Party::Supplier, 6, 14), (Party::Manufacturer, 6, 14), (Party::Warehouse, 2, 14)],
    &[(Party::Platform, 1, 7), (Party::Carrier, 6, 7)],
    &[(Party::Supplier, 1, 1)],
];

/// The slow model: each amount shared out alone, the missing minor units one by one to the largest
/// fraction, the first party first.
fn shared(amount: i64, shares: &[(Party, i64, i64)]) -> BTreeMap<Party, i64> {
    let mut shares: Vec<_> = shares.to_vec();
    shares.sort();
    let mut parts: BTreeMap<Party, i64> =
        shares.iter().map(|(party, n, d)| (*party, amount * n / d)).collect();
    let fraction = |(_, n, d): &(Party, i64, i64)| ratio(amount * n % d, *d);
    let mut order: Vec<_> = shares.iter().collect();
    order.sort_by_key(|share| std::cmp::Reverse(fraction(share)));
    let missing = amount - parts.values().sum::<i64>();
    for (party, _, _) in order.iter().take(missing as usize) {
        *parts.get_mut(party).unwrap() += 1;
    }
    parts
}

#[derive(Default)]
struct Model {
    costs: [Vec<i64>; 2],
    salvage: [Vec<i64>; 2],
    shares: [Option<usize>; 2],
    /// Line, party, claimed, recovered, whether it was given up.
    claims: Vec<(usize, Party, i64, i64, bool)>,
}

impl Model {
    fn parts(&self, of: usize) -> BTreeMap<Party, i64> {
        let mut sum = BTreeMap::new();
        let Some(shares) = self.shares[of] else { return sum };
        for cost in &self.costs[of] {
            for (party, part) in shared(*cost, SHARES[shares]) {
                *sum.entry(party).or_insert(0) += part;
            }
        }
        for worth in &self.salvage[of] {
            for (party, part) in shared(*worth, SHARES[shares]) {
                let sum = sum.entry(party).or_insert(0);
                *sum = (*sum - part).max(0);
            }
        }
        sum
    }

    fn counted(&self, of: usize, party: Party) -> i64 {
        let own = self.claims.iter().filter(|claim| claim.0 == of && claim.1 == party);
        own.map(|claim| if claim.4 { claim.3 } else { claim.2 }).sum()
    }
}

fn check(desk: &Desk, model: &Model) {
    let found = desk.order.case(&case("R-1")).unwrap();
    for (of, id) in ["1", "2"].into_iter().enumerate() {
        let parts = model.parts(of);
        let recovery = found.recovery(&line(id)).unwrap();
        let own: BTreeMap<String, (i64, i64)> = recovery
            .iter()
            .flat_map(Recovery::parts)
            .filter(|part| !part.cost.is_zero())
            .map(|part| (part.debtor.to_string(), (part.cost.minor(), part.claimed.minor())))
            .collect();
        let wanted: BTreeMap<String, (i64, i64)> = parts
            .iter()
            .filter(|(_, part)| **part != 0)
            .map(|(party, part)| (party.to_string(), (*part, model.counted(of, *party))))
            .collect();
        assert_eq!(own, wanted);
        for &party in Party::ALL {
            let part = parts.get(&party).copied().unwrap_or(0);
            assert!(
                model.counted(of, party) <= part,
                "more claimed from the {party} than it bears"
            );
        }
        if model.salvage[of].is_empty() && model.shares[of].is_some() {
            let cost: i64 = model.costs[of].iter().sum();
            assert_eq!(parts.values().sum::<i64>(), cost, "the parts sum to the cost");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]
    /// CAS-72: what is claimed from a party is never more than its part of the cost, whatever happens [56].
    /// CAS-73: the parts of a cost sum to it exactly, and a growing cost lowers nobody's part.
    /// CAS-76: a history with costs and claims replays, through its wire form, to the same order.
    #[test]
    fn claims_stay_within_the_attributed_cost(steps in steps()) {
        let mut desk = Desk::new(sale(&[("1", 1, 1, "10.01"), ("2", 2, 2, "3.33")]));
        desk.open("R-1", &[("1", 1), ("2", 2)]).unwrap();
        desk.authorize("R-1").unwrap();
        desk.receive("R-1", &[("1", 1), ("2", 2)]).unwrap();
        desk.accept("R-1", &[("1", 1), ("2", 2)]).unwrap();
        let mut model = Model::default();
        let id = |of: usize| ["1", "2"][of];
        let money = |minor: i64| Money::new(minor, Currency::GBP);
        for step in steps {
            let before = [model.parts(0), model.parts(1)];
            let mut grows = None;
            match step {
                Step::Cost(of, kind, amount) => {
                    let kind = CostKind::ALL[kind];
                    let text = money(amount).amount().to_string();
                    let done = desk.give(Role::Agent, cost(id(of), kind, &text)).is_ok();
                    if kind == CostKind::Salvage {
                        let mut trial = model.salvage[of].clone();
                        trial.push(amount);
                        let known: i64 = model.costs[of].iter().sum();
                        let kept = core::mem::replace(&mut model.salvage[of], trial);
                        let whole = model.salvage[of].iter().sum::<i64>() <= known;
                        let parts = model.parts(of);
                        let fits = Party::ALL.iter().all(|party| {
                            model.counted(of, *party) <= parts.get(party).copied().unwrap_or(0)
                        });
                        prop_assert_eq!(done, whole && fits);
                        if !done {
                            model.salvage[of] = kept;
                        }
                    } else {
                        prop_assert!(done);
                        model.costs[of].push(amount);
                        grows = Some(of);
                    }
                }
                Step::Attribute(of, shares) => {
                    let before = model.shares[of].replace(shares);
                    let parts = model.parts(of);
                    let fits = Party::ALL.iter().all(|party| {
                        model.counted(of, *party) <= parts.get(party).copied().unwrap_or(0)
                    });
                    let done = attribute(&mut desk, id(of), liability(SHARES[shares])).is_ok();
                    prop_assert_eq!(done, fits);
                    if !done {
                        model.shares[of] = before;
                    }
                }
                Step::Claim(of, party, amount) => {
                    let party = Party::ALL[party];
                    let part = model.parts(of).get(&party).copied().unwrap_or(0);
                    let open = part - model.counted(of, party);
                    let asked = amount.unwrap_or(open);
                    let claimable = !matches!(party, Party::Seller | Party::Buyer | Party::Undetermined);
                    let fits = claimable && asked > 0 && asked <= open;
                    let text = amount.map(|minor| money(minor).amount().to_string());
                    let done = desk.give(Role::Finance, demand(id(of), party, text.as_deref()));
                    prop_assert_eq!(done.is_ok(), fits);
                    if fits {
                        model.claims.push((of, party, asked, 0, false));
                    }
                }
                Step::Result(claim, kind, amount) => {
                    let result_of = match kind {
                        0 => RecoveryResult::Recovered { amount: money(amount), reference: "r".into() },
                        1 => RecoveryResult::Refused { note: "no".into() },
                        _ => RecoveryResult::WrittenOff { note: "gone".into() },
                    };
                    let done = desk.give(Role::Finance, result(claim, result_of)).is_ok();
                    let own = model.claims.get_mut(claim as usize - 1);
                    let open = own.as_ref().map_or(0, |c| if c.4 { 0 } else { c.2 - c.3 });
                    prop_assert_eq!(done, open > 0 && (kind != 0 || amount <= open));
                    if let (true, Some(own)) = (done, own) {
                        match kind {
                            0 => own.3 += amount,
                            1 => {}
                            _ => own.4 = true,
                        }
                    }
                }
                Step::Refund => {
                    if desk.refund("R-1").is_ok() {
                        model.costs[0].push(1_001);
                        model.costs[1].push(666);
                    }
                }
            }
            check(&desk, &model);
            if let Some(of) = grows {
                let after = model.parts(of);
                prop_assert!(before[of].iter().all(|(party, part)| after[party] >= *part));
            }
        }
        let text = serde_json::to_string(&desk.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(AfterSale::replay(desk.sale.clone(), &events).unwrap(), desk.order);
    }
}

#[test]
fn a_forged_claim_does_not_replay() {
    let mut desk = refunded();
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 1, 2), (Party::Seller, 1, 2)])).unwrap();
    desk.give(Role::Finance, demand("1", Party::Carrier, None)).unwrap();
    let mut events = desk.events.clone();
    AfterSale::replay(desk.sale.clone(), &events).unwrap();
    let sequence = events.last().unwrap().sequence;
    if let EventFact::RecoveryClaimOpened { amount, .. } = &mut events.last_mut().unwrap().fact {
        *amount = pounds("50.01");
    }
    let refused = AfterSale::replay(desk.sale.clone(), &events);
    assert_eq!(refused, Err(ReplayError::DoesNotAddUp { sequence }));
}

/// CAS-79: scorecards of orders merge in any order to those of all, and show cost and recovery by debtor.
#[test]
fn scorecards_merge_in_any_order() {
    let order = |price: &str, came: &str| {
        let mut desk = Desk::new(sale(&[("1", 1, 1, price)]));
        desk.whole_return("R-1", &[("1", 1)]).unwrap();
        attribute(&mut desk, "1", liability(&[(Party::Carrier, 1, 3), (Party::Seller, 2, 3)]))
            .unwrap();
        desk.give(Role::Finance, demand("1", Party::Carrier, None)).unwrap();
        let (amount, reference) = (pounds(came), "bank".to_owned());
        desk.give(Role::Finance, result(1, RecoveryResult::Recovered { amount, reference }))
            .unwrap();
        let note = "enough".to_owned();
        desk.give(Role::Finance, result(1, RecoveryResult::WrittenOff { note })).unwrap();
        Scorecards::of(&desk.order)
    };
    let (a, b, c) = (order("10.00", "3.00"), order("20.00", "1.00"), order("0.10", "0.01"));
    let one = a.clone().merge(b.clone()).merge(c.clone());
    assert_eq!(one, c.merge(a.merge(b)));
    let carrier = &one.parties[&(Currency::GBP, Party::Carrier)];
    assert_eq!((carrier.cases, carrier.lines, carrier.cost), (3, 3, 333 + 667 + 3));
    assert_eq!(carrier.units[&Unit::PIECE], 3);
    assert_eq!(one.parties[&(Currency::GBP, Party::Seller)].cost, 667 + 1_333 + 7);
    let debtor = DebtorId::new("carrier-1").unwrap();
    let score = &one.debtors[&(Currency::GBP, Party::Carrier, debtor)];
    assert_eq!((score.cases, score.claims, score.refused), (3, 3, 0));
    assert_eq!((score.claimed, score.recovered, score.written_off), (1_003, 401, 602));
}

/// Freight of an order is shared out by what its lines were given, not by their number.
#[test]
fn a_dear_line_bears_more_of_the_freight() {
    let mut draft = sale(&[("1", 1, 1, "60.00"), ("2", 1, 1, "20.00")]).draft().clone();
    draft.charges = serde_json::from_str(
        r#"[{"id":"freight","kind":"freight","amount":{"amount":"8.00","currency":"GBP"}}]"#,
    )
    .unwrap();
    draft.tenders[0].captured = pounds("88.00");
    draft.total = pounds("88.00");
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    let lines = &[("1", 1), ("2", 1)];
    desk.open("R-1", lines).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", lines).unwrap();
    desk.accept("R-1", lines).unwrap();
    for id in ["1", "2"] {
        attribute(&mut desk, id, liability(&[(Party::Supplier, 1, 1)])).unwrap();
    }
    refund(&mut desk, decided("", ""));
    assert_eq!((cost_of(&desk, "1"), cost_of(&desk, "2")), (pounds("66.00"), pounds("22.00")));
}
