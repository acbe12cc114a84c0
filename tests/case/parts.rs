//! What a part that is split off takes along, and what stays with the rest, field by field.

use std::collections::BTreeSet;

use crate::fixtures::claim_from_supplier;
use crate::reviews::{feedback, reviewed_rules};
use crate::support::{Desk, case, line, obstacles, parcel, pieces, sale, units, wanted};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::ledger::Location;
use aftersale::case::line::{LineQuantity, ReceivedLine, RequestedLine, SplitOff};
use aftersale::case::parcel::{UnexpectedItem, UnexpectedKind};
use aftersale::case::refusal::review::ReviewObstacle;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::replacement::ReplacementItem;
use aftersale::case::resolution::Resolution;
use aftersale::case::state::ReturnCase;
use aftersale::feedback::survey::{Answer, QuestionId, SurveyId};
use aftersale::id::SerialId;
use aftersale::inspection::{Disposition, Grade, Inspection};
use aftersale::sale::Sale;

fn serials(names: &[&str]) -> BTreeSet<SerialId> {
    names.iter().map(|name| SerialId::new(*name).unwrap()).collect()
}

/// Six jackets with the numbers S1 to S6, and a scarf; a survey may be answered.
fn numbered() -> Desk {
    let mut draft = sale(&[("1", 6, 6, "60.00"), ("2", 1, 1, "10.00")]).draft().clone();
    draft.shipments[0].lines[0].serials = serials(&["S1", "S2", "S3", "S4", "S5", "S6"]);
    let rules = crate::support::rules().clone().with_feedback(feedback());
    Desk::under(rules, Sale::freeze(draft).unwrap())
}

fn split_as(
    desk: &mut Desk,
    role: Role,
    (from, into): (&str, &str),
    lines: &[(&str, i64)],
) -> Result<Decision, Refusal> {
    let (from, into) = (case(from), case(into));
    let part = |(id, count): &(&str, i64)| SplitOff {
        line: line(id),
        quantity: pieces(*count),
        serials: Default::default(),
    };
    let lines = lines.iter().map(part).collect();
    desk.give(role, Command::Split { case: from, into, lines })
}

fn split(desk: &mut Desk, ids: (&str, &str), lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
    split_as(desk, Role::Agent, ids, lines)
}

fn own<'d>(desk: &'d Desk, id: &str) -> &'d ReturnCase {
    desk.order.case(&case(id)).unwrap()
}

/// Everything that can happen to a case happens to two units of six; then two others go on alone.
fn full_life() -> Desk {
    let mut desk = numbered();
    let owner = || case("R-1");
    desk.open_as("R-1", Resolution::Exchange, &[("1", 5)]).unwrap();
    let (resolution, lines) = (Resolution::Exchange, vec![wanted("1", 6)]);
    let amend = Command::AmendCase { case: owner(), resolution, lines };
    desk.give(Role::Customer, amend).unwrap();
    desk.authorize("R-1").unwrap();
    let back =
        Command::SendBack { case: owner(), parcel: parcel("BACK-1"), lines: units(&[("1", 2)]) };
    desk.give(Role::Customer, back).unwrap();
    let lines = vec![ReceivedLine {
        line: line("1"),
        quantity: pieces(2),
        serials: serials(&["S1", "S2"]),
        lots: ["L1".parse().unwrap()].into(),
    }];
    let unexpected = vec![UnexpectedItem {
        sku: Some("SHOE".parse().unwrap()),
        quantity: pieces(1),
        serial: None,
        kind: UnexpectedKind::WrongItem,
        line: None,
    }];
    let parcel_id = Some(parcel("BACK-1"));
    let receive = Command::Receive { case: owner(), parcel: parcel_id, lines, unexpected };
    desk.give(Role::Warehouse, receive).unwrap();
    let two = || LineQuantity { line: line("1"), quantity: pieces(2) };
    let (findings, evidence) = Default::default();
    let inspection = Inspection { grade: Grade::AsNew, findings, evidence };
    desk.give(Role::Inspector, Command::Inspect { case: owner(), units: two(), inspection })
        .unwrap();
    desk.accept("R-1", &[("1", 2)]).unwrap();
    let (from, to) = (None, Disposition::Restock);
    let dispose = Command::SetDisposition { case: owner(), units: two(), from, to };
    desk.give(Role::Warehouse, dispose).unwrap();
    let items = vec![ReplacementItem {
        line: line("1b"),
        replaces: line("1"),
        sku: "OTHER".parse().unwrap(),
        quantity: pieces(2),
        price: None,
    }];
    let terms = Box::default();
    desk.give(Role::Agent, Command::Exchange { case: owner(), lines: vec![], items, terms })
        .unwrap();
    let (replacement, sent) = (1, parcel("OUT-2"));
    let ship = Command::ShipReplacement { case: owner(), replacement, parcel: sent };
    desk.give(Role::Warehouse, ship).unwrap();
    desk.give(Role::Customer, Command::ConfirmReplacement { case: owner(), replacement }).unwrap();
    let answers = [(QuestionId::new("overall").unwrap(), Answer::Number(4))].into();
    let survey = SurveyId::new("after_return").unwrap();
    desk.give(Role::Customer, Command::RecordSurvey { case: owner(), survey, answers }).unwrap();
    claim_from_supplier(&mut desk);
    desk
}

/// CAS-49: what happened to the rest stays with the rest; the part has its request and nothing else.
#[test]
fn a_part_begins_with_nothing_that_happened_to_the_rest() {
    let mut desk = full_life();
    split(&mut desk, ("R-1", "R-2"), &[("1", 2)]).unwrap();
    let (rest, part) = (own(&desk, "R-1"), own(&desk, "R-2"));
    // What the rest has, so that the part could have it by mistake.
    assert!(!rest.parcels.is_empty() && !rest.unexpected.is_empty());
    assert!(!rest.obligations.is_empty() && !rest.replacements.is_empty());
    assert!(!rest.claims.is_empty() && !rest.surveys.is_empty());
    assert!(!rest.earlier_requests.is_empty());
    let of = &rest.lines[0];
    assert!(!of.received_serials.is_empty() && !of.received_lots.is_empty());
    assert!(!of.inspections.is_empty() && !of.disposed.is_empty() && of.liability.is_some());
    // And what the part has.
    assert!(part.parcels.is_empty() && part.unexpected.is_empty());
    assert!(part.interceptions.is_empty() && part.unexpected_ends.is_empty());
    assert!(part.obligations.is_empty() && part.replacements.is_empty());
    assert!(part.claims.is_empty() && part.surveys.is_empty());
    assert!(part.earlier_requests.is_empty());
    let of = &part.lines[0];
    assert!(of.received_serials.is_empty() && of.received_lots.is_empty());
    assert!(of.inspections.is_empty() && of.disposed.is_empty());
    assert!(of.liability.is_none() && of.costs.is_empty());
    assert_eq!((part.lines.len(), of.requested), (1, pieces(2)));
    assert_eq!((part.opened_at, &part.ground), (rest.opened_at, &rest.ground));
    // A part of a part comes from that part.
    split(&mut desk, ("R-2", "R-3"), &[("1", 1)]).unwrap();
    assert_eq!(own(&desk, "R-3").split_from, Some(case("R-2")));
    assert_eq!(own(&desk, "R-2").split_from, Some(case("R-1")));
    desk.replays();
}

/// A part of a repair of which nothing came back has repaired nothing, and ends closed.
#[test]
fn a_part_of_a_repair_has_repaired_nothing() {
    let mut desk = numbered();
    desk.open_as("R-1", Resolution::Repair, &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let repaired = Command::ReturnRepaired { case: case("R-1"), lines: units(&[("1", 1)]) };
    desk.give(Role::Warehouse, repaired).unwrap();
    split(&mut desk, ("R-1", "R-2"), &[("1", 1)]).unwrap();
    for (id, status) in [("R-1", "completed"), ("R-2", "closed")] {
        desk.close(id).unwrap();
        assert_eq!(desk.status(id), status);
    }
}

/// A claim is about a line of its case: the line does not leave it as a whole.
#[test]
fn a_line_with_a_claim_stays() {
    let mut desk = numbered();
    desk.open("R-1", &[("1", 2), ("2", 1)]).unwrap();
    claim_from_supplier(&mut desk);
    let whole = split(&mut desk, ("R-1", "R-2"), &[("1", 2)]);
    assert!(matches!(obstacles(whole)[..], [Obstacle::WrongStatus { .. }]));
    split(&mut desk, ("R-1", "R-2"), &[("1", 1)]).unwrap();
    split(&mut desk, ("R-1", "R-3"), &[("2", 1)]).unwrap();
}

/// All that is awaited goes over with its numbers, and none of what has arrived.
#[test]
fn the_awaited_numbers_go_over_and_the_others_stay() {
    let mut desk = numbered();
    let asked = RequestedLine { serials: serials(&["S1", "S2", "S3"]), ..wanted("1", 3) };
    let (resolution, lines) = (Resolution::ReturnAndRefund, vec![asked]);
    desk.give(Role::Customer, Command::OpenCase { case: case("R-1"), resolution, lines }).unwrap();
    desk.authorize("R-1").unwrap();
    let lines = vec![ReceivedLine {
        line: line("1"),
        quantity: pieces(1),
        serials: serials(&["S1"]),
        lots: Default::default(),
    }];
    let (owner, unexpected) = (case("R-1"), vec![]);
    desk.give(Role::Warehouse, Command::Receive { case: owner, parcel: None, lines, unexpected })
        .unwrap();
    split(&mut desk, ("R-1", "R-2"), &[("1", 2)]).unwrap();
    assert_eq!(own(&desk, "R-2").lines[0].serials, serials(&["S2", "S3"]));
    assert_eq!(own(&desk, "R-1").lines[0].serials, serials(&["S1"]));
}

/// Unshipped units go over last: they are the first to be cancelled.
#[test]
fn shipped_units_go_over_first() {
    let mut desk = Desk::new(sale(&[("1", 2, 1, "60.00")]));
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 2)]).unwrap();
    split(&mut desk, ("R-1", "R-2"), &[("1", 1)]).unwrap();
    assert_eq!(own(&desk, "R-2").lines[0].held.at(Location::Requested), 1);
    assert_eq!(own(&desk, "R-1").lines[0].held.at(Location::HeldBack), 1);
}

/// What people are deciding about keeps its shape until they have decided.
#[test]
fn a_case_under_review_is_not_split() {
    let mut desk = Desk::under(reviewed_rules(), sale(&[("1", 2, 2, "60.00")]));
    let vip = aftersale::id::FactName::new("vip").unwrap();
    let facts = [(vip, aftersale::explain::Fact::Flag(false))].into_iter().collect();
    let directory = Default::default();
    let roster = aftersale::case::review::Roster { directory: &directory, facts: &facts };
    let (resolution, lines) = (Resolution::ReturnAndRefund, vec![wanted("1", 2)]);
    let open = Command::OpenCase { case: case("R-1"), resolution, lines };
    let envelope = desk.envelope(Role::Customer, open);
    desk.send_among(&roster, &envelope).unwrap();
    assert!(own(&desk, "R-1").review.is_some());
    let refused = obstacles(split(&mut desk, ("R-1", "R-2"), &[("1", 1)]));
    assert!(matches!(refused[..], [Obstacle::Review(ReviewObstacle::UnderReview { .. })]));
}

/// Goods that are to go out belong to the case as a whole: it is split once they arrived.
#[test]
fn a_case_is_not_split_while_goods_are_to_go_out() {
    let mut desk = numbered();
    desk.open_as("R-1", Resolution::AdvanceReplacement, &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    let items = vec![crate::support::item("1b", "1", None)];
    let charge_on = crate::support::at("2026-03-25T00:00:00Z");
    desk.give(Role::Agent, Command::SendAdvance { case: case("R-1"), items, charge_on }).unwrap();
    let refused = obstacles(split(&mut desk, ("R-1", "R-2"), &[("1", 1)]));
    assert!(matches!(refused[..], [Obstacle::WrongStatus { .. }]));
}
