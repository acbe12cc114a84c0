//! Edges of disputes and offers: what a small slip of the engine would change, one named example each.

use crate::fixtures::{dispute, home, jackets, note, offer, serials};
use crate::support::{Desk, case, line, obstacles, parcel, pieces, pounds, sale, units};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::{Offer, Ruling};
use aftersale::case::duty::DutyAct;
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::line::{LineQuantity, SplitOff};
use aftersale::case::refusal::Obstacle;
use aftersale::case::refusal::claim::ClaimObstacle;
use aftersale::case::refusal::parcel::ParcelObstacle;
use aftersale::case::resolution::Resolution;
use aftersale::inspection::{Grade, Inspection};
use aftersale::label::Coded;
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::sale::Sale;
use aftersale::time::{Instant, add_seconds};

#[test]
fn units_are_accepted_by_a_ruling_only_where_there_is_one() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let accept = || {
        let (lines, basis) = (units(&[("1", 1)]), AcceptanceBasis::Ruling);
        Command::Accept { case: case("R-1"), lines, basis }
    };
    assert_eq!(obstacles(desk.give(Role::Supervisor, accept())), [Obstacle::NoRuling]);
    dispute(&mut desk, Ruling::ForCustomer);
    desk.give(Role::Supervisor, accept()).unwrap();
}

#[test]
fn a_dispute_shows_before_a_hold() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    assert_eq!(desk.status("R-1"), "on_hold");
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    assert_eq!(desk.status("R-1"), "disputed");
}

/// One appeal of a ruling, in a window that is not over when it begins; what an appeal is ruled is final.
#[test]
fn a_window_for_appeals_lies_ahead_and_there_is_one() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let rule = |until: Instant| {
        let (case, ruling, appeal_until) = (case("R-1"), Ruling::ForCustomer, Some(until));
        Command::RuleDispute { case, ruling, appeal_until, note: note() }
    };
    let now = desk.now;
    let over = [Obstacle::AppealOver { until: now }];
    assert_eq!(obstacles(desk.give(Role::Platform, rule(now))), over);
    let until = add_seconds(now, 86_400).unwrap();
    desk.give(Role::Platform, rule(until)).unwrap();
    let appeal = Command::AppealRuling { case: case("R-1"), note: note() };
    desk.give(Role::Customer, appeal).unwrap();
    let over = [Obstacle::AppealOver { until }];
    assert_eq!(obstacles(desk.give(Role::Platform, rule(until))), over);
    let (owner, ruling, appeal_until) = (case("R-1"), Ruling::ForCustomer, None);
    let last = Command::RuleDispute { case: owner, ruling, appeal_until, note: note() };
    desk.give(Role::Platform, last).unwrap();
    // What is ruled is appealed or accepted; a new dispute about it is not opened.
    let again = Command::OpenDispute { case: case("R-1"), note: note() };
    assert!(matches!(obstacles(desk.give(Role::Agent, again))[..], [Obstacle::WrongStatus { .. }]));
}

/// Goods that have moved are not refused by a ruling for the seller: they go home like any others.
#[test]
fn a_ruling_for_the_seller_releases_nothing_that_has_moved() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    dispute(&mut desk, Ruling::ForSeller);
    let own = desk.order.case(&case("R-1")).unwrap();
    assert_eq!(own.approval, aftersale::case::state::Approval::Authorized);
    assert_eq!(own.lines[0].held.at(aftersale::case::ledger::Location::Requested), 1);
    desk.reject("R-1", &[("1", 1)]).unwrap();
    home(&mut desk, "R-1", 1);
    desk.close("R-1").unwrap();
}

/// A permitted return has its label already: a ruling for the customer sends no second one.
#[test]
fn a_ruling_about_a_permitted_return_sends_no_second_label() {
    let labels = |decision: &Decision| {
        let acts = decision.duties.iter().map(|duty| &duty.act);
        acts.filter(|act| matches!(act, DutyAct::SendReturnInstructions { .. })).count()
    };
    for (permitted, expected) in [(true, 0), (false, 1)] {
        let mut desk = jackets();
        desk.open("R-1", &[("1", 1)]).unwrap();
        if permitted {
            assert_eq!(labels(&desk.authorize("R-1").unwrap()), 1);
        }
        let open = Command::OpenDispute { case: case("R-1"), note: note() };
        desk.give(Role::Customer, open).unwrap();
        let (case, ruling, appeal_until) = (case("R-1"), Ruling::ForCustomer, None);
        let rule = Command::RuleDispute { case, ruling, appeal_until, note: note() };
        assert_eq!(labels(&desk.give(Role::Platform, rule).unwrap()), expected);
    }
}

#[test]
fn an_offer_is_answered_before_the_case_is_closed() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    offer(&mut desk, "20.00");
    assert!(matches!(obstacles(desk.close("R-1"))[..], [Obstacle::WrongStatus { .. }]));
}

/// An offer that nobody took limits nothing: a ruling permits what was asked for.
#[test]
fn an_offer_that_was_not_taken_limits_nothing() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::PartialRefund, &[("1", 1)]).unwrap();
    offer(&mut desk, "20.00");
    dispute(&mut desk, Ruling::ForCustomer);
    assert_eq!(desk.order.case(&case("R-1")).unwrap().ground, Some(Ground::Ruling));
    desk.refund_amount("R-1", "1", "25.00").unwrap();
}

#[test]
fn an_offer_is_no_amount_below_zero_and_an_inspection_is_of_what_is_here() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    let offer = |amount: &str| {
        let (resolution, amount) = (Resolution::PartialRefund, Some(pounds(amount)));
        Command::Offer { case: case("R-1"), offer: Offer { resolution, amount, note: note() } }
    };
    for nothing in ["-0.01", "0.00"] {
        let (amount, currency) = (pounds(nothing), Currency::GBP);
        let refused = [Obstacle::Claim(ClaimObstacle::BadAmount { amount, currency })];
        assert_eq!(obstacles(desk.give(Role::Agent, offer(nothing))), refused);
    }
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let inspect = |count| {
        let (findings, evidence) = Default::default();
        let inspection = Inspection { grade: Grade::Used, findings, evidence };
        let units = LineQuantity { line: line("1"), quantity: pieces(count) };
        Command::Inspect { case: case("R-1"), units, inspection }
    };
    let refused = obstacles(desk.give(Role::Inspector, inspect(2)));
    assert!(matches!(refused[..], [Obstacle::NotEnough { .. }]));
    desk.give(Role::Inspector, inspect(1)).unwrap();
}

/// Nobody knows yet where goods are that are called back: an offer waits for the carrier's answer.
#[test]
fn no_offer_is_made_while_a_parcel_is_called_back() {
    let mut draft = sale(&[("1", 1, 1, "60.00")]).draft().clone();
    draft.shipments[0].delivered_at = None;
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", 1)]).unwrap();
    let call =
        Command::InterceptParcel { case: case("R-1"), parcel: parcel("OUT-1"), lines: vec![] };
    desk.give(Role::Agent, call).unwrap();
    let (resolution, amount) = (Resolution::PartialRefund, Some(pounds("5.00")));
    let offer =
        Command::Offer { case: case("R-1"), offer: Offer { resolution, amount, note: note() } };
    let open = ParcelObstacle::InterceptionOpen { parcel: parcel("OUT-1") };
    assert_eq!(obstacles(desk.give(Role::Agent, offer)), [Obstacle::Parcel(open)]);
}

/// An offer that was refused is gone: nothing was agreed for the case as a whole.
#[test]
fn a_refused_offer_is_gone() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    offer(&mut desk, "20.00");
    desk.give(Role::Customer, Command::RefuseOffer { case: case("R-1") }).unwrap();
    assert_eq!(desk.order.case(&case("R-1")).unwrap().offer, None);
    let lines = vec![SplitOff { line: line("1"), quantity: pieces(1), serials: serials(&[]) }];
    let split = Command::Split { case: case("R-1"), into: case("R-2"), lines };
    desk.give(Role::Agent, split).unwrap();
}

/// An amount goes with a resolution by which the customer keeps the goods; with another one it would say
/// less than what is paid.
#[test]
fn an_amount_is_offered_only_where_it_is_what_is_paid() {
    for &resolution in Resolution::ALL {
        let mut desk = jackets();
        desk.open("R-1", &[("1", 1)]).unwrap();
        let offer = Offer { resolution, amount: Some(pounds("20.00")), note: note() };
        let made = desk.give(Role::Agent, Command::Offer { case: case("R-1"), offer });
        match resolution {
            Resolution::PartialRefund | Resolution::PriceProtection => {
                made.unwrap();
                desk.give(Role::Customer, Command::AcceptOffer { case: case("R-1") }).unwrap();
                desk.refund_amount("R-1", "1", "20.00").unwrap();
            }
            _ => assert_eq!(obstacles(made), [Obstacle::AmountNotOfIt { resolution }]),
        }
    }
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    let amount = Money::parse("20.00", Currency::EUR).unwrap();
    let (resolution, currency) = (Resolution::PartialRefund, Currency::GBP);
    let offer = Offer { resolution, amount: Some(amount), note: note() };
    let made = desk.give(Role::Agent, Command::Offer { case: case("R-1"), offer });
    let refused = Obstacle::Claim(ClaimObstacle::BadAmount { amount, currency });
    assert_eq!(obstacles(made), [refused]);
}
