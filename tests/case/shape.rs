//! Requests that change their shape: amended before a decision, split while something is open.

use std::collections::BTreeSet;

use crate::support::{Desk, case, line, obstacles, pieces, sale, wanted};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Offer;
use aftersale::case::duty::DutyAct;
use aftersale::case::event::EventFact;
use aftersale::case::ground::Ground;
use aftersale::case::ledger::Location;
use aftersale::case::liability::{Liability, Party};
use aftersale::case::line::{RequestedLine, SplitOff};
use aftersale::case::recovery::CostKind;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, Decision, ReplayError};
use aftersale::id::SerialId;
use aftersale::money::Money;
use aftersale::number::Ratio;
use aftersale::preset::markets::WECHAT_SHOP;
use aftersale::sale::Sale;
use aftersale::time::add_seconds;
use proptest::prelude::*;

fn of(desk: &Desk, id: &str, location: Location) -> i64 {
    desk.order.quantities().balance(&line(id)).unwrap().at(location)
}

fn held(desk: &Desk, id: &str, of: &str, location: Location) -> i64 {
    let own = desk.order.case(&case(id)).unwrap();
    own.line(&line(of)).map_or(0, |line| line.held.at(location))
}

fn split_with(
    desk: &mut Desk,
    id: &str,
    into: &str,
    lines: &[(&str, i64, &[&str])],
) -> Result<Decision, Refusal> {
    let part = |(of, count, serials): &(&str, i64, &[&str])| SplitOff {
        line: line(of),
        quantity: pieces(*count),
        serials: serials.iter().map(|serial| SerialId::new(serial).unwrap()).collect(),
    };
    let lines = lines.iter().map(part).collect();
    desk.give(Role::Agent, Command::Split { case: case(id), into: case(into), lines })
}

fn split(
    desk: &mut Desk,
    id: &str,
    into: &str,
    lines: &[(&str, i64)],
) -> Result<Decision, Refusal> {
    let lines: Vec<_> = lines.iter().map(|(of, count)| (*of, *count, &[][..])).collect();
    split_with(desk, id, into, &lines)
}

fn amend(
    desk: &mut Desk,
    id: &str,
    resolution: Resolution,
    lines: Vec<RequestedLine>,
) -> Result<Decision, Refusal> {
    desk.give(Role::Customer, Command::AmendCase { case: case(id), resolution, lines })
}

/// Five jackets with serial numbers S1 to S5, all delivered.
fn numbered() -> Desk {
    let mut draft = sale(&[("1", 5, 5, "60.00")]).draft().clone();
    draft.shipments[0].lines[0].serials =
        (1..=5).map(|n| SerialId::new(format!("S{n}")).unwrap()).collect();
    Desk::new(Sale::freeze(draft).unwrap())
}

fn named(id: &str, count: i64, serials: &[&str]) -> RequestedLine {
    let serials = serials.iter().map(|serial| SerialId::new(serial).unwrap()).collect();
    RequestedLine { serials, ..wanted(id, count) }
}

#[test]
fn the_received_half_is_settled_while_the_rest_goes_on_as_a_case_of_its_own() {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "89.99"), ("2", 1, 1, "5.00")]));
    desk.open("R-1", &[("1", 3), ("2", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let decision = split(&mut desk, "R-1", "R-1b", &[("1", 2), ("2", 1)]).unwrap();
    assert!(decision.events[0].fact.postings().is_empty(), "no unit moves");
    desk.refund("R-1").unwrap();
    desk.pay("R-1", 1).unwrap();
    desk.close("R-1").unwrap();
    assert_eq!(desk.status("R-1"), "completed");
    let rest = desk.order.case(&case("R-1b")).unwrap();
    assert_eq!(rest.split_from, Some(case("R-1")));
    assert_eq!(
        (rest.resolution, rest.ground.clone()),
        (Resolution::ReturnAndRefund, Some(Ground::Policy))
    );
    assert!(rest.lines.iter().all(|line| line.verdict.is_entitled()));
    assert_eq!(rest.lines[0].reasons.assertions().len(), 1);
    assert_eq!(desk.status("R-1b"), "awaiting_return");
    desk.receive("R-1b", &[("1", 2), ("2", 1)]).unwrap();
    desk.accept("R-1b", &[("1", 2), ("2", 1)]).unwrap();
    desk.refund("R-1b").unwrap();
    assert_eq!(desk.order.money().refunded(), desk.sale.total());
    desk.replays();
}

#[test]
fn what_has_left_or_is_tied_to_the_whole_is_not_split() {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00")]));
    desk.open("R-1", &[("1", 3)]).unwrap();
    assert_eq!(obstacles(split(&mut desk, "R-1", "R-2", &[("1", 3)])), [Obstacle::NothingLeft]);
    assert_eq!(
        obstacles(split(&mut desk, "R-1", "R-1", &[("1", 1)])),
        [Obstacle::CaseExists { case: case("R-1") }]
    );
    let twice = split(&mut desk, "R-1", "R-2", &[("1", 1), ("1", 1)]);
    assert_eq!(obstacles(twice), [Obstacle::LineTwice { line: line("1") }]);
    let zero = split(&mut desk, "R-1", "R-2", &[("1", 0)]);
    assert_eq!(obstacles(zero), [Obstacle::ZeroQuantity { line: line("1") }]);
    assert_eq!(obstacles(split(&mut desk, "R-1", "R-2", &[])), [Obstacle::NoLines]);
    desk.authorize("R-1").unwrap();
    let (parcel, lines) = ("BACK-1".parse().unwrap(), crate::support::units(&[("1", 2)]));
    desk.give(Role::Customer, Command::SendBack { case: case("R-1"), parcel, lines }).unwrap();
    let gone = Obstacle::NotEnough {
        line: line("1"),
        asked: pieces(2),
        available: pieces(1),
        location: Location::Requested,
    };
    assert_eq!(obstacles(split(&mut desk, "R-1", "R-2", &[("1", 2)])), [gone]);
    split(&mut desk, "R-1", "R-2", &[("1", 1)]).unwrap();
    // An amount agreed for the case as a whole, and an answer that is awaited.
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00")]));
    desk.open("R-1", &[("1", 3)]).unwrap();
    let agreed = Money::parse("30.00", desk.sale.currency()).unwrap();
    let offer =
        Offer { resolution: Resolution::PartialRefund, amount: Some(agreed), note: "keep".into() };
    desk.give(Role::Agent, Command::Offer { case: case("R-1"), offer }).unwrap();
    assert!(matches!(
        obstacles(split(&mut desk, "R-1", "R-2", &[("1", 1)]))[0],
        Obstacle::WrongStatus { .. }
    ));
    desk.give(Role::Customer, Command::AcceptOffer { case: case("R-1") }).unwrap();
    let refused = obstacles(split(&mut desk, "R-1", "R-2", &[("1", 1)]));
    assert_eq!(refused, [Obstacle::AmountAgreed { agreed }]);
}

#[test]
fn costs_and_liability_stay_unless_the_line_goes_as_a_whole() {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00"), ("2", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 3), ("2", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    for of in ["1", "2"] {
        let (case, line) = (case("R-1"), line(of));
        let amount = Money::parse("4.00", desk.sale.currency()).unwrap();
        let (kind, note) = (CostKind::ReturnFreight, "label".to_owned());
        let cost = Command::RecordCost { case, line, kind, amount, note };
        desk.give(Role::Finance, cost).unwrap();
        let (case, line) = (crate::support::case("R-1"), crate::support::line(of));
        let liability = Liability::new([(Party::Carrier, Ratio::ONE)], "scan", []).unwrap();
        let attribute = Command::AttributeLiability { case, line, liability };
        desk.give(Role::Supervisor, attribute).unwrap();
    }
    split(&mut desk, "R-1", "R-2", &[("1", 1), ("2", 1)]).unwrap();
    let recorded = |id: &str, of: &str| {
        let line = desk.order.case(&case(id)).unwrap().line(&line(of));
        line.map(|line| (line.costs.len(), line.liability.is_some()))
    };
    assert_eq!(recorded("R-1", "1"), Some((1, true)));
    assert_eq!(recorded("R-2", "1"), Some((0, false)), "one cost is recorded once");
    assert_eq!(recorded("R-1", "2"), None);
    assert_eq!(recorded("R-2", "2"), Some((1, true)), "the line went as a whole");
    desk.replays();
}

#[test]
fn serial_numbers_go_with_their_units() {
    let mut desk = numbered();
    let lines = vec![named("1", 4, &["S1", "S2", "S3"])];
    let resolution = Resolution::ReturnAndRefund;
    desk.give(Role::Customer, Command::OpenCase { case: case("R-1"), resolution, lines }).unwrap();
    let unclear = obstacles(split(&mut desk, "R-1", "R-2", &[("1", 2)]));
    assert!(matches!(unclear[0], Obstacle::TooManySerials { serials: 3, .. }), "{unclear:?}");
    let foreign = obstacles(split_with(&mut desk, "R-1", "R-2", &[("1", 2, &["S4"])]));
    let not_awaited = Obstacle::SerialNotAwaited { line: line("1"), serial: "S4".parse().unwrap() };
    assert!(foreign.contains(&not_awaited));
    split_with(&mut desk, "R-1", "R-2", &[("1", 2, &["S3"])]).unwrap();
    let names = |desk: &Desk, id: &str| -> BTreeSet<String> {
        let own = desk.order.case(&case(id)).unwrap();
        own.lines[0].serials.iter().map(ToString::to_string).collect()
    };
    assert_eq!(names(&desk, "R-1"), ["S1".to_owned(), "S2".to_owned()].into());
    assert_eq!(names(&desk, "R-2"), ["S3".to_owned()].into());
    // Both sides are still taken: neither number can be asked for again.
    for serial in ["S1", "S3"] {
        let lines = vec![named("1", 1, &[serial])];
        let open = Command::OpenCase { case: case("R-3"), resolution, lines };
        assert!(matches!(
            obstacles(desk.give(Role::Customer, open))[0],
            Obstacle::SerialInUse { .. }
        ));
    }
    desk.replays();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// CAS-47: over any splits of a line, at any moment, the parts are together what was there before:
    /// asked for, promised, on the way and received [4, 9, 10].
    /// CAS-48: splits change no amount: the refunds of the parts sum to that of the whole [4, 14, 15].
    #[test]
    fn splits_conserve_units_and_money(
        count in 2..9_i64,
        unshipped in 0..3_i64,
        pence in 1..9_999_i64,
        early in 0..3_i64,
        parts in proptest::collection::vec((any::<proptest::sample::Index>(), 1..5_i64), 1..6),
        decide_first in any::<bool>(),
    ) {
        let price = format!("{}.{:02}", pence / 100, pence % 100);
        let specs = [("1", count, (count - unshipped).max(0), price.as_str())];
        let mut desk = Desk::new(sale(&specs));
        let resolution =
            if unshipped > 0 { Resolution::RefundOnly } else { Resolution::ReturnAndRefund };
        desk.open_as("R", resolution, &[("1", count)]).unwrap();
        if decide_first {
            desk.authorize("R").unwrap();
            if early > 0 && unshipped == 0 {
                desk.receive("R", &[("1", early.min(count - 1))]).unwrap();
            }
        }
        let before = *desk.order.quantities().balance(&line("1")).unwrap();
        let mut family = vec!["R".to_owned()];
        for (number, (which, steps)) in parts.into_iter().enumerate() {
            let source = family[which.index(family.len())].clone();
            let into = format!("P-{number}");
            let own = desk.order.case(&case(&source)).unwrap().lines[0].clone();
            let open = own.held.over(&[Location::Requested, Location::HeldBack]);
            let fits = steps <= open && steps < own.requested.steps();
            let result = split(&mut desk, &source, &into, &[("1", steps)]);
            prop_assert_eq!(result.is_ok(), fits, "{:?}", result);
            if fits {
                family.push(into);
            }
        }
        prop_assert_eq!(desk.order.quantities().balance(&line("1")).unwrap(), &before);
        let sum = |at: Location| family.iter().map(|id| held(&desk, id, "1", at)).sum::<i64>();
        for at in [Location::Requested, Location::HeldBack, Location::Received] {
            prop_assert_eq!(sum(at), before.at(at), "{}", at);
        }
        let asked: i64 = family
            .iter()
            .map(|id| desk.order.case(&case(id)).unwrap().lines[0].requested.steps())
            .sum();
        prop_assert_eq!(asked, count);
        for id in &family {
            let own = desk.order.case(&case(id)).unwrap();
            prop_assert_eq!(own.lines[0].held.total(), 0, "a case only moves what is there");
            if !decide_first {
                desk.authorize(id).unwrap();
            }
            let waiting = held(&desk, id, "1", Location::Requested);
            if waiting > 0 && resolution == Resolution::ReturnAndRefund {
                desk.receive(id, &[("1", waiting)]).unwrap();
            }
            let received = held(&desk, id, "1", Location::Received);
            if received > 0 {
                desk.accept(id, &[("1", received)]).unwrap();
            }
            desk.refund(id).unwrap();
        }
        prop_assert_eq!(desk.order.money().refunded(), desk.sale.total());
        desk.replays();
    }

    /// CAS-50: an amended request stands as if it had been asked for in that way: the same promises,
    /// reasons that only grow, and no way to more than is returnable [1, 2, 41].
    #[test]
    fn an_amended_request_equals_one_asked_for_that_way(
        first in (1..4_i64, 0..4_i64, any::<bool>()),
        changes in proptest::collection::vec((0..5_i64, 0..5_i64, any::<bool>(), any::<bool>()), 1..4),
    ) {
        let start = || Desk::new(sale(&[("1", 4, 3, "60.00"), ("2", 3, 3, "10.00")]));
        let request = |one: i64, two: i64, other: bool| -> Vec<RequestedLine> {
            let reason = |mut line: RequestedLine| {
                if other {
                    line.reason = "FIT.TOO_SMALL".parse().unwrap();
                }
                line
            };
            let lines = [("1", one), ("2", two)].into_iter().filter(|(_, count)| *count > 0);
            lines.map(|(id, count)| reason(wanted(id, count))).collect()
        };
        let resolution = |refund_only: bool| {
            if refund_only { Resolution::RefundOnly } else { Resolution::ReturnAndRefund }
        };
        let open = |desk: &mut Desk, resolution, lines| {
            desk.give(Role::Customer, Command::OpenCase { case: case("R-1"), resolution, lines })
        };
        let mut desk = start();
        let (one, two, refund_only) = first;
        if open(&mut desk, resolution(refund_only), request(one.min(3), two.min(3), false)).is_err() {
            return Ok(());
        }
        let mut amendments = 0;
        for (one, two, refund_only, other) in changes {
            let (resolution, lines) = (resolution(refund_only), request(one, two, other));
            let before = desk.order.clone();
            let result = amend(&mut desk, "R-1", resolution, lines.clone());
            let mut fresh = start();
            let direct = open(&mut fresh, resolution, lines.clone());
            prop_assert_eq!(result.is_ok(), direct.is_ok(), "{:?} {:?}", result, direct);
            if result.is_err() {
                prop_assert_eq!(&desk.order, &before);
                continue;
            }
            amendments += 1;
            prop_assert_eq!(desk.order.quantities(), fresh.order.quantities());
            let (own, asked) = (
                desk.order.case(&case("R-1")).unwrap(),
                fresh.order.case(&case("R-1")).unwrap(),
            );
            prop_assert_eq!(own.lines.len(), asked.lines.len());
            for line in &asked.lines {
                let own = own.line(&line.line).unwrap();
                prop_assert_eq!(own.requested, line.requested);
                for at in [Location::Requested, Location::HeldBack] {
                    prop_assert_eq!(own.held.at(at), line.held.at(at));
                }
                let said = own.reasons.assertions();
                prop_assert_eq!(&said.last().unwrap().code, &line.reasons.assertions()[0].code);
            }
            prop_assert_eq!(own.earlier_requests.len(), amendments);
            // No unit is freed and taken in one go: what goes out is never let go for a moment.
            for event in result.unwrap().events {
                let moved: Vec<_> =
                    event.fact.postings().iter().map(|part| (&part.line, part.to)).collect();
                let opposed = event.fact.postings().iter().any(|part| {
                    moved.contains(&(&part.line, part.from))
                });
                prop_assert!(!opposed, "{:?}", event.fact);
            }
        }
        desk.replays();
    }
}

#[test]
fn an_amendment_is_for_requests_that_nobody_decided_and_nothing_left() {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00"), ("2", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 2)]).unwrap();
    let too_much = amend(&mut desk, "R-1", Resolution::ReturnAndRefund, vec![wanted("1", 4)]);
    assert!(matches!(obstacles(too_much)[0], Obstacle::NotEnough { .. }));
    let decision =
        amend(&mut desk, "R-1", Resolution::Exchange, vec![wanted("1", 3), wanted("2", 1)])
            .unwrap();
    assert!(!decision.findings.is_empty(), "it is judged anew");
    let own = desk.order.case(&case("R-1")).unwrap();
    assert_eq!(own.resolution, Resolution::Exchange);
    assert_eq!(own.earlier_requests[0].resolution, Resolution::ReturnAndRefund);
    assert_eq!(own.earlier_requests[0].lines[0].quantity, pieces(2));
    // Dropping a line frees it for another case.
    amend(&mut desk, "R-1", Resolution::ReturnAndRefund, vec![wanted("2", 1)]).unwrap();
    assert_eq!(of(&desk, "1", Location::Customer), 3);
    desk.open("R-2", &[("1", 3)]).unwrap();
    desk.authorize("R-1").unwrap();
    let decided = amend(&mut desk, "R-1", Resolution::RefundOnly, vec![wanted("2", 1)]);
    assert!(matches!(obstacles(decided)[0], Obstacle::WrongStatus { .. }));
    let by_warehouse = Command::AmendCase {
        case: case("R-2"),
        resolution: Resolution::RefundOnly,
        lines: vec![wanted("1", 1)],
    };
    assert!(desk.give(Role::Warehouse, by_warehouse).is_err());
    desk.replays();
}

#[test]
fn unshipped_units_stay_held_back_through_an_amendment() {
    let mut desk = Desk::new(sale(&[("1", 4, 2, "60.00")]));
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 2)]).unwrap();
    assert_eq!(of(&desk, "1", Location::HeldBack), 2);
    let decision = amend(&mut desk, "R-1", Resolution::RefundOnly, vec![wanted("1", 3)]).unwrap();
    let releases =
        decision.duties.iter().any(|duty| matches!(duty.act, DutyAct::ReleaseShipment { .. }));
    assert!(!releases, "nothing is let go that is wanted still");
    let shipping = amend(&mut desk, "R-1", Resolution::ReturnAndRefund, vec![wanted("1", 1)]);
    let released = |act: &DutyAct| matches!(act, DutyAct::ReleaseShipment { .. });
    assert!(shipping.unwrap().duties.iter().any(|duty| released(&duty.act)));
    assert_eq!((of(&desk, "1", Location::HeldBack), of(&desk, "1", Location::Requested)), (0, 1));
}

#[test]
fn what_was_asked_for_in_time_stays_in_time_and_more_of_it_does_not() {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00")]));
    desk.now = crate::support::at("2026-04-01T09:00:00Z"); // within 30 days of 3 March
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.now = crate::support::at("2026-04-20T09:00:00Z"); // after them
    amend(&mut desk, "R-1", Resolution::Exchange, vec![wanted("1", 1)]).unwrap();
    let entitled =
        |desk: &Desk| desk.order.case(&case("R-1")).unwrap().lines[0].verdict.is_entitled();
    assert!(entitled(&desk));
    amend(&mut desk, "R-1", Resolution::Exchange, vec![wanted("1", 2)]).unwrap();
    assert!(!entitled(&desk), "the second jacket was asked for too late");
}

/// The rules of WeChat's shop: 48 hours to decide, 7 days for the waybill.
fn timed(sale: Sale) -> Desk {
    Desk::under(crate::support::market(WECHAT_SHOP), sale)
}

/// CAS-49: a part that is split off is decided and timed as the case it comes from, its deadline is not
/// moved, and it is no application of its own [4, 41, 47].
#[test]
fn a_part_takes_the_running_clock_along() {
    let mut desk = timed(sale(&[("1", 4, 4, "60.00")]));
    desk.open("R-1", &[("1", 4)]).unwrap();
    desk.authorize("R-1").unwrap();
    let authorized_at = add_seconds(desk.now, -60).unwrap();
    let due = add_seconds(authorized_at, 7 * 86_400).unwrap();
    desk.now = add_seconds(desk.now, 3 * 86_400).unwrap();
    split(&mut desk, "R-1", "R-2", &[("1", 1)]).unwrap();
    let timers = |desk: &Desk, id: &str| {
        let own = desk.order.case(&case(id)).unwrap();
        own.timers.iter().map(|timer| (timer.rule.to_string(), timer.due)).collect::<Vec<_>>()
    };
    assert_eq!(timers(&desk, "R-2"), [("buyer_waybill".to_owned(), due)]);
    assert_eq!(timers(&desk, "R-1"), timers(&desk, "R-2"));
    // Sent back as a whole, what is left in transit gets the other clock; a part gets the old one anew.
    let (parcel, lines) = ("BACK-1".parse().unwrap(), crate::support::units(&[("1", 2)]));
    desk.give(Role::Customer, Command::SendBack { case: case("R-1"), parcel, lines }).unwrap();
    let now = desk.now;
    split(&mut desk, "R-1", "R-3", &[("1", 1)]).unwrap();
    let anew = add_seconds(now, 7 * 86_400).unwrap();
    assert_eq!(timers(&desk, "R-3"), [("buyer_waybill".to_owned(), anew)]);
    assert_eq!(timers(&desk, "R-1")[0].0, "merchant_receipt");
    // Five applications are allowed for a line; these three cases are one.
    for id in ["A-2", "A-3", "A-4", "A-5"] {
        desk.open(id, &[("1", 1)]).expect_err("all four are asked for");
    }
    desk.now = due;
    desk.give(Role::System, Command::Tick).unwrap();
    assert_eq!(desk.status("R-2"), "expired");
    for id in ["A-2", "A-3", "A-4", "A-5"] {
        desk.open(id, &[("1", 1)]).unwrap();
        desk.give(Role::Customer, Command::Withdraw { case: case(id) }).unwrap();
    }
    let sixth = obstacles(desk.open("A-6", &[("1", 1)]));
    assert!(matches!(sixth[0], Obstacle::TooManyApplications { found: 5, .. }), "{sixth:?}");
    desk.replays();
}

#[test]
fn an_amended_request_gets_the_clock_of_what_is_asked_now() {
    let mut desk = timed(sale(&[("1", 2, 2, "60.00")]));
    desk.open("R-1", &[("1", 2)]).unwrap();
    let rule = |desk: &Desk| {
        let timers = &desk.order.case(&case("R-1")).unwrap().timers;
        (timers[0].rule.to_string(), timers[0].due)
    };
    assert_eq!(rule(&desk).0, "merchant_return");
    desk.now = add_seconds(desk.now, 3_600).unwrap();
    let now = desk.now;
    amend(&mut desk, "R-1", Resolution::RefundOnly, vec![wanted("1", 1)]).unwrap();
    assert_eq!(rule(&desk), ("merchant_refund".to_owned(), add_seconds(now, 48 * 3_600).unwrap()));
    assert_eq!(desk.order.next_wakeup(), Some(rule(&desk).1));
    desk.replays();
}

#[test]
fn forged_splits_and_amendments_are_found_on_replay() {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00"), ("2", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 2)]).unwrap();
    split(&mut desk, "R-1", "R-2", &[("1", 1)]).unwrap();
    amend(&mut desk, "R-2", Resolution::ReturnAndRefund, vec![wanted("2", 1)]).unwrap();
    desk.replays();
    let forged = |forge: &dyn Fn(&mut EventFact)| {
        let mut events = desk.events.clone();
        events.iter_mut().for_each(|event| forge(&mut event.fact));
        AfterSale::replay(desk.sale.clone(), &events).unwrap_err()
    };
    let more = forged(&|fact| {
        if let EventFact::CaseSplit { lines, .. } = fact {
            lines[0].quantity = pieces(3);
        }
    });
    assert_eq!(more, ReplayError::Unknown { sequence: 2 });
    let elsewhere = forged(&|fact| {
        if let EventFact::CaseSplit { lines, .. } = fact {
            lines[0].location = Location::Received;
        }
    });
    assert_eq!(elsewhere, ReplayError::Unknown { sequence: 2 });
    let again = forged(&|fact| {
        if let EventFact::CaseSplit { into, .. } = fact {
            *into = case("R-1");
        }
    });
    assert_eq!(again, ReplayError::Unknown { sequence: 2 });
    let more_than_promised = forged(&|fact| {
        if let EventFact::CaseAmended { lines, .. } = fact {
            lines[0].quantity = pieces(2);
        }
    });
    assert_eq!(more_than_promised, ReplayError::DoesNotAddUp { sequence: 3 });
    let left_behind = forged(&|fact| {
        if let EventFact::CaseAmended { postings, .. } = fact {
            postings.retain(|posting| posting.to == Location::Requested);
        }
    });
    assert_eq!(left_behind, ReplayError::DoesNotAddUp { sequence: 3 });
}
