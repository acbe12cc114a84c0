//! Serial numbers: which unit is in which case, and which one came back.

use crate::fixtures::{amend, exchanged, home, note, serials};
use crate::support::{Desk, case, line, obstacles, pieces, sale, wanted};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Ruling;
use aftersale::case::line::{ReceivedLine, RequestedLine};
use aftersale::case::parcel::{UnexpectedEnd, UnexpectedKind};
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::resolution::Resolution;
use aftersale::sale::Sale;

/// Jackets with the serial numbers S1 to S4, all delivered.
fn numbered() -> Desk {
    let mut draft = sale(&[("1", 4, 4, "60.00")]).draft().clone();
    draft.shipments[0].lines[0].serials = serials(&["S1", "S2", "S3", "S4"]);
    Desk::new(Sale::freeze(draft).unwrap())
}

fn named(count: i64, names: &[&str]) -> Vec<RequestedLine> {
    vec![RequestedLine { serials: serials(names), ..wanted("1", count) }]
}

fn open_named(desk: &mut Desk, id: &str, count: i64, names: &[&str]) -> Result<Decision, Refusal> {
    let (resolution, lines) = (Resolution::ReturnAndRefund, named(count, names));
    desk.give(Role::Customer, Command::OpenCase { case: case(id), resolution, lines })
}

fn read(desk: &mut Desk, id: &str, of: &str, names: &[&str]) -> Vec<UnexpectedKind> {
    let lines = vec![ReceivedLine {
        line: line(of),
        quantity: pieces(names.len().try_into().unwrap()),
        serials: serials(names),
        lots: Default::default(),
    }];
    let (owner, unexpected) = (case(id), Vec::new());
    let before = desk.order.case(&owner).unwrap().unexpected.len();
    desk.give(Role::Warehouse, Command::Receive { case: owner, parcel: None, lines, unexpected })
        .unwrap();
    let own = desk.order.case(&case(id)).unwrap();
    own.unexpected[before..].iter().map(|item| item.kind).collect()
}

#[test]
fn a_number_that_was_read_belongs_to_its_case_though_nobody_named_it() {
    let mut desk = numbered();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    assert_eq!(read(&mut desk, "R-1", "1", &["S1"]), []);
    let busy = Obstacle::SerialInUse { serial: "S1".parse().unwrap(), case: case("R-1") };
    assert_eq!(obstacles(open_named(&mut desk, "R-2", 1, &["S1"])), [busy]);
    open_named(&mut desk, "R-2", 1, &["S2"]).unwrap();
}

#[test]
fn a_number_of_a_refused_case_may_be_asked_for_again_and_an_amendment_keeps_its_own() {
    let mut desk = numbered();
    open_named(&mut desk, "R-0", 1, &["S1"]).unwrap();
    desk.give(Role::Agent, Command::Decline { case: case("R-0"), note: note() }).unwrap();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    amend(&mut desk, Resolution::Exchange, named(1, &["S1"])).unwrap();
}

#[test]
fn one_unit_does_not_come_back_twice_in_one_case() {
    let mut desk = numbered();
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    assert_eq!(read(&mut desk, "R-1", "1", &["S1"]), []);
    assert_eq!(read(&mut desk, "R-1", "1", &["S1"]), [UnexpectedKind::WrongSerial]);
    assert_eq!(read(&mut desk, "R-1", "1", &["S2"]), []);
}

/// A number that was in an earlier case and went home says nothing about which of two went home later.
#[test]
fn only_later_cases_say_which_of_two_units_went_home() {
    let mut desk = numbered();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    desk.authorize("R-1").unwrap();
    read(&mut desk, "R-1", "1", &["S1"]);
    desk.reject("R-1", &[("1", 1)]).unwrap();
    home(&mut desk, "R-1", 1);
    desk.close("R-1").unwrap();
    open_named(&mut desk, "R-2", 2, &["S1", "S2"]).unwrap();
    desk.authorize("R-2").unwrap();
    read(&mut desk, "R-2", "1", &["S1", "S2"]);
    desk.accept("R-2", &[("1", 1)]).unwrap();
    desk.reject("R-2", &[("1", 1)]).unwrap();
    home(&mut desk, "R-2", 1);
    desk.refund("R-2").unwrap();
    desk.pay("R-2", 1).unwrap();
    desk.close("R-2").unwrap();
    for either in ["S1", "S2"] {
        open_named(&mut desk.clone(), "R-3", 1, &[either]).unwrap();
    }
}

#[test]
fn numbers_of_goods_sent_in_exchange_are_believed() {
    let mut desk = exchanged("2026-03-11T09:00:00Z");
    desk.open("R-2", &[("1b", 1)]).unwrap();
    desk.authorize("R-2").unwrap();
    assert_eq!(read(&mut desk, "R-2", "1b", &["NEW-1"]), []);
    assert_eq!(desk.status("R-2"), "received");
}

/// A unit that was admitted under its own number has come back: its number is not free.
#[test]
fn the_number_of_an_admitted_unit_is_one_that_came_back() {
    let mut desk = numbered();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    desk.authorize("R-1").unwrap();
    assert_eq!(read(&mut desk, "R-1", "1", &["S2"]), [UnexpectedKind::WrongSerial]);
    let (owner, end) = (case("R-1"), UnexpectedEnd::Admitted);
    desk.give(Role::Supervisor, Command::ResolveUnexpected { case: owner, item: 1, end }).unwrap();
    let busy = Obstacle::SerialInUse { serial: "S2".parse().unwrap(), case: case("R-1") };
    assert_eq!(obstacles(open_named(&mut desk, "R-2", 1, &["S2"])), [busy]);
}

/// CAS-68: a case that comes to life again, opened again or by a ruling, takes no unit that another open
/// case has named meanwhile [5].
#[test]
fn a_case_that_comes_to_life_again_takes_no_unit_from_another() {
    let busy = [Obstacle::SerialInUse { serial: "S1".parse().unwrap(), case: case("R-2") }];
    let mut desk = numbered();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    let mut refused = desk.clone();
    desk.authorize("R-1").unwrap();
    desk.close("R-1").unwrap();
    open_named(&mut desk, "R-2", 1, &["S1"]).unwrap();
    let reopen = || Command::Reopen { case: case("R-1"), note: note() };
    assert_eq!(obstacles(desk.give(Role::Supervisor, reopen())), busy);
    desk.give(Role::Customer, Command::Withdraw { case: case("R-2") }).unwrap();
    desk.give(Role::Supervisor, reopen()).unwrap();

    refused.give(Role::Agent, Command::Decline { case: case("R-1"), note: note() }).unwrap();
    open_named(&mut refused, "R-2", 1, &["S1"]).unwrap();
    let open = Command::OpenDispute { case: case("R-1"), note: note() };
    refused.give(Role::Customer, open).unwrap();
    let (ruling, appeal_until) = (Ruling::ForCustomer, None);
    let rule = Command::RuleDispute { case: case("R-1"), ruling, appeal_until, note: note() };
    assert_eq!(obstacles(refused.give(Role::Platform, rule)), busy);
}
