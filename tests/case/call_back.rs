//! Replacements called back on their way to the customer, and replacements lost on it.

use crate::support::{
    Desk, actor, at, case, item, line, obstacles, parcel, pieces, pounds, sale, units,
};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Ruling;
use aftersale::case::duty::{DutyAct, Notice};
use aftersale::case::event::EventFact;
use aftersale::case::ledger::Location;
use aftersale::case::open_matter::OpenMatter;
use aftersale::case::parcel::InterceptionOutcome;
use aftersale::case::refund::PaymentResult;
use aftersale::case::refusal::parcel::ParcelObstacle;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::replacement::{AdvanceEnd, ReplacementState};
use aftersale::case::resolution::Resolution;
use aftersale::case::{Context, Decision};
use aftersale::label::Coded;
use aftersale::sale::draft::{Tender, TenderKind};
use proptest::prelude::*;

fn of(desk: &Desk, id: &str, location: Location) -> i64 {
    desk.order.quantities().balance(&line(id)).unwrap().at(location)
}

/// A case of one jacket that is settled by goods: `R-1`, permitted, and for an exchange received.
fn desk_of(resolution: Resolution, price: Option<&str>) -> Desk {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "60.00")]));
    desk.open_as("R-1", resolution, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let (id, items) = (case("R-1"), vec![item("1b", "1", price)]);
    let sends = match resolution {
        Resolution::Exchange => {
            desk.receive("R-1", &[("1", 1)]).unwrap();
            desk.accept("R-1", &[("1", 1)]).unwrap();
            Command::Exchange { case: id, lines: vec![], items, terms: Box::default() }
        }
        Resolution::AdvanceReplacement => {
            Command::SendAdvance { case: id, items, charge_on: at("2026-03-20T00:00:00Z") }
        }
        Resolution::Reship => Command::Reship { case: id, items },
        other => panic!("{other} sends nothing"),
    };
    desk.give(Role::Agent, sends).unwrap();
    desk
}

fn ship(desk: &mut Desk, id: &str) -> Result<Decision, Refusal> {
    let (case, parcel) = (case("R-1"), parcel(id));
    desk.give(Role::Warehouse, Command::ShipReplacement { case, replacement: 1, parcel })
}

fn call(desk: &mut Desk, of: &str, id: &str) -> Result<Decision, Refusal> {
    let (case, parcel, lines) = (case(of), parcel(id), vec![]);
    desk.give(Role::Agent, Command::InterceptParcel { case, parcel, lines })
}

fn answer(desk: &mut Desk, id: &str, outcome: InterceptionOutcome) -> Result<Decision, Refusal> {
    let (case, parcel) = (case("R-1"), parcel(id));
    desk.give(Role::System, Command::RecordInterception { case, parcel, outcome })
}

fn lose(desk: &mut Desk, id: &str) -> Result<Decision, Refusal> {
    let (case, parcel) = (case("R-1"), parcel(id));
    desk.give(Role::Warehouse, Command::DeclareLost { case, parcel })
}

fn take_back(desk: &mut Desk) -> Result<Decision, Refusal> {
    let command = Command::TakeBackReplacement { case: case("R-1"), replacement: 1 };
    desk.give(Role::Warehouse, command)
}

fn cancel(desk: &mut Desk) -> Result<Decision, Refusal> {
    let command = Command::CancelReplacement { case: case("R-1"), replacement: 1 };
    desk.give(Role::Agent, command)
}

fn confirm(desk: &mut Desk) -> Result<Decision, Refusal> {
    let command = Command::ConfirmReplacement { case: case("R-1"), replacement: 1 };
    desk.give(Role::System, command)
}

fn state(desk: &Desk) -> ReplacementState {
    desk.order.case(&case("R-1")).unwrap().replacement(1).unwrap().state.clone()
}

/// CAS-61: a replacement called back is under way, on its way back or here again, as a whole; nothing is
/// paid by it, and its case does not end meanwhile [28, 38].
#[test]
fn an_exchange_called_back_is_refunded_once_it_is_here_again() {
    let mut desk = desk_of(Resolution::Exchange, None);
    ship(&mut desk, "OUT-2").unwrap();
    let asked = call(&mut desk, "R-1", "OUT-2").unwrap();
    assert_eq!(asked.duties[0].act, DutyAct::InterceptParcel { parcel: parcel("OUT-2") });
    assert_eq!(of(&desk, "1b", Location::Intercepting), 1);
    let open = || Obstacle::Parcel(ParcelObstacle::InterceptionOpen { parcel: parcel("OUT-2") });
    assert_eq!(obstacles(confirm(&mut desk)), [open()]);
    assert_eq!(obstacles(lose(&mut desk, "OUT-2")), [open()]);
    let again = Obstacle::Parcel(ParcelObstacle::ParcelKnown { parcel: parcel("OUT-2") });
    assert_eq!(obstacles(call(&mut desk, "R-1", "OUT-2")), vec![again.clone()]);
    let matters = obstacles(desk.close("R-1"));
    assert!(matters.contains(&Obstacle::StillOpen { open: OpenMatter::Interception }));
    assert_eq!(desk.status("R-1"), "awaiting_reshipment");

    let turned = answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted).unwrap();
    let told = DutyAct::Notify { notice: Notice::ParcelCalledBack };
    assert_eq!(turned.duties[0].act, told);
    assert!(matches!(state(&desk), ReplacementState::TurnedRound { .. }));
    assert_eq!(of(&desk, "1b", Location::InTransit), 1);
    let under_way = Obstacle::StillOpen { open: OpenMatter::ReplacementUnderWay };
    assert!(obstacles(desk.close("R-1")).contains(&under_way), "goods on their way back");
    assert!(cancel(&mut desk).is_err(), "it is not here yet");
    assert!(ship(&mut desk, "OUT-3").is_err());
    assert_eq!(desk.order.case(&case("R-1")).unwrap().obligations.len(), 1);

    let back = take_back(&mut desk).unwrap();
    let (line_1b, quantity) = (line("1b"), pieces(1));
    assert_eq!(back.duties[0].act, DutyAct::PutAway { line: line_1b, quantity });
    assert_eq!(of(&desk, "1b", Location::Stock), 0, "as if it had never left");
    assert_eq!(obstacles(ship(&mut desk, "OUT-2")), [again], "a parcel leaves once");
    cancel(&mut desk).unwrap();
    assert_eq!(desk.order.money().refunded(), pounds("60.00"));
    desk.pay("R-1", 2).unwrap();
    desk.close("R-1").unwrap();
    assert_eq!(desk.status("R-1"), "completed");
    desk.replays();
}

#[test]
fn a_replacement_that_came_back_is_sent_anew_and_its_period_runs_from_its_arrival() {
    let mut desk = desk_of(Resolution::Exchange, None);
    ship(&mut desk, "OUT-2").unwrap();
    call(&mut desk, "R-1", "OUT-2").unwrap();
    answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted).unwrap();
    take_back(&mut desk).unwrap();
    assert_eq!(desk.order.added(&line("1b")).unwrap().delivered_at, None);
    ship(&mut desk, "OUT-3").unwrap();
    let arrived = desk.now;
    confirm(&mut desk).unwrap();
    assert_eq!(desk.order.added(&line("1b")).unwrap().delivered_at, Some(arrived));
    assert_eq!(of(&desk, "1b", Location::Customer), 1);
    assert!(desk.order.money().refunded().is_zero(), "goods against goods");
    desk.close("R-1").unwrap();
    desk.whole_return("R-2", &[("1b", 1)]).unwrap();
    assert_eq!(desk.order.money().refunded(), pounds("60.00"));
    desk.replays();
}

#[test]
fn a_replacement_delivered_all_the_same_is_with_the_customer() {
    for (resolution, price) in
        [(Resolution::Exchange, None), (Resolution::AdvanceReplacement, None)]
    {
        let mut desk = desk_of(resolution, price);
        ship(&mut desk, "OUT-2").unwrap();
        call(&mut desk, "R-1", "OUT-2").unwrap();
        let arrived = desk.now;
        answer(&mut desk, "OUT-2", InterceptionOutcome::Failed).unwrap();
        assert_eq!(state(&desk), ReplacementState::Delivered { at: arrived });
        assert_eq!(of(&desk, "1b", Location::Customer), 1);
        assert_eq!(desk.order.added(&line("1b")).unwrap().delivered_at, Some(arrived));
        let twice = answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted);
        assert_eq!(
            obstacles(twice),
            [Obstacle::Parcel(ParcelObstacle::NotIntercepting { parcel: parcel("OUT-2") })]
        );
        desk.replays();
    }
}

/// CAS-62: the condition of an advance that is called back is resolved once: it is not charged while the
/// carrier is asked, and cancelled when it is here again and does not go out [37].
#[test]
fn an_advance_called_back_is_not_charged() {
    let mut desk = desk_of(Resolution::AdvanceReplacement, None);
    ship(&mut desk, "OUT-2").unwrap();
    call(&mut desk, "R-1", "OUT-2").unwrap();
    desk.now = at("2026-03-25T00:00:00Z");
    let charge = || Command::ChargeAdvance { case: case("R-1"), replacement: 1 };
    let open = || Obstacle::Parcel(ParcelObstacle::InterceptionOpen { parcel: parcel("OUT-2") });
    assert_eq!(obstacles(desk.give(Role::Finance, charge())), [open()]);
    let back = obstacles(take_back(&mut desk));
    assert!(back.contains(&open()), "{back:?}");
    answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted).unwrap();
    let turned = Obstacle::ReplacementState { replacement: 1, act: "charged" };
    assert_eq!(obstacles(desk.give(Role::Finance, charge())), vec![turned.clone()]);
    take_back(&mut desk).unwrap();
    assert_eq!(obstacles(desk.give(Role::Finance, charge())), [turned]);
    cancel(&mut desk).unwrap();
    let end = desk.order.case(&case("R-1")).unwrap().replacement(1).unwrap().advance.unwrap();
    assert_eq!(end.resolved, Some(AdvanceEnd::Cancelled));
    assert!(desk.order.money().refunded().is_zero());
    desk.close("R-1").unwrap();
    assert_eq!(of(&desk, "1", Location::Customer), 1, "the original can be asked back");
    desk.replays();
}

#[test]
fn a_missing_part_called_back_moves_no_unit() {
    let mut desk = desk_of(Resolution::Reship, None);
    ship(&mut desk, "OUT-2").unwrap();
    let asked = call(&mut desk, "R-1", "OUT-2").unwrap();
    assert!(asked.events[0].fact.postings().is_empty());
    let open = Obstacle::Parcel(ParcelObstacle::InterceptionOpen { parcel: parcel("OUT-2") });
    assert_eq!(obstacles(confirm(&mut desk)), [open]);
    answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted).unwrap();
    assert!(matches!(state(&desk), ReplacementState::TurnedRound { .. }));
    take_back(&mut desk).unwrap();
    ship(&mut desk, "OUT-3").unwrap();
    confirm(&mut desk).unwrap();
    desk.close("R-1").unwrap();
    assert_eq!(desk.status("R-1"), "completed");
    assert_eq!(of(&desk, "1", Location::Customer), 1);
    desk.replays();
}

/// CAS-63: a replacement lost on its way, out or back, is no dead end: it is sent anew or cancelled, and
/// waits for no decision about liability, because the customer never had it [31, 38].
#[test]
fn a_replacement_lost_on_its_way_is_sent_anew_or_cancelled() {
    for turned in [false, true] {
        for anew in [false, true] {
            let mut desk = desk_of(Resolution::Exchange, Some("70.00"));
            let (id, captured) = ("later".parse().unwrap(), pounds("10.00"));
            let tender = Box::new(Tender { id, kind: TenderKind::Card, captured, ..a_tender() });
            desk.report("R-1", 1, PaymentResult::Collected { tender }).unwrap();
            ship(&mut desk, "OUT-2").unwrap();
            if turned {
                call(&mut desk, "R-1", "OUT-2").unwrap();
                answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted).unwrap();
            }
            lose(&mut desk, "OUT-2").unwrap();
            assert_eq!(state(&desk), ReplacementState::Planned);
            assert_eq!(of(&desk, "1b", Location::Lost), 1);
            assert!(lose(&mut desk, "OUT-2").is_err(), "lost once");
            if anew {
                ship(&mut desk, "OUT-3").unwrap();
                confirm(&mut desk).unwrap();
                assert!(desk.order.money().refunded().is_zero());
            } else {
                cancel(&mut desk).unwrap();
                assert_eq!(desk.order.money().refunded(), pounds("70.00"), "what was paid in");
                let owed = desk.order.case(&case("R-1")).unwrap().obligations[1].clone();
                for payment in owed.payments.iter().map(|payment| payment.order.number) {
                    let result = PaymentResult::Paid { reference: "bank".to_owned() };
                    let (case, obligation) = (case("R-1"), 2);
                    let paid = Command::RecordPayment { case, obligation, payment, result };
                    desk.give(Role::System, paid).unwrap();
                }
            }
            desk.close("R-1").unwrap();
            desk.replays();
        }
    }
}

fn a_tender() -> Tender {
    let sale = sale(&[("1", 1, 1, "60.00")]);
    sale.draft().tenders[0].clone()
}

/// CAS-64: a replacement is called back by the case that sent it, and only while nobody else asks for
/// what is in the parcel [5, 9].
#[test]
fn a_replacement_is_called_back_by_its_own_case() {
    let mut desk = desk_of(Resolution::Exchange, None);
    ship(&mut desk, "OUT-2").unwrap();
    desk.open_as("R-2", Resolution::RefundOnly, &[("1b", 1)]).unwrap();
    let (sent, sender) = (parcel("OUT-2"), case("R-1"));
    let other = Obstacle::Parcel(ParcelObstacle::SentByCase { parcel: sent.clone(), case: sender });
    assert_eq!(obstacles(call(&mut desk, "R-2", "OUT-2")), [other]);
    let asked = obstacles(call(&mut desk, "R-1", "OUT-2"));
    assert!(matches!(asked[..], [Obstacle::NotEnough { .. }]), "{asked:?}");
    let gone = obstacles(lose(&mut desk, "OUT-2"));
    assert!(matches!(gone[..], [Obstacle::NotEnough { .. }]), "{gone:?}");
    desk.give(Role::Customer, Command::Withdraw { case: case("R-2") }).unwrap();
    let (id, lines) = (case("R-1"), units(&[("1b", 1)]));
    let part = Command::InterceptParcel { case: id, parcel: sent.clone(), lines };
    let whole = Obstacle::Parcel(ParcelObstacle::WholeReplacement { parcel: sent });
    assert_eq!(obstacles(desk.give(Role::Agent, part)), [whole]);
    call(&mut desk, "R-1", "OUT-2").unwrap();
    let taken = desk.open_as("R-3", Resolution::RefundOnly, &[("1b", 1)]);
    assert!(matches!(obstacles(taken)[..], [Obstacle::NotEnough { .. }]), "it is not there");
}

#[test]
fn two_replacements_in_one_parcel_turn_round_together() {
    let mut desk = Desk::new(sale(&[("1", 2, 2, "60.00")]));
    for (id, new) in [("R-1", "1b"), ("R-2", "1c")] {
        desk.open_as(id, Resolution::Exchange, &[("1", 1)]).unwrap();
        desk.authorize(id).unwrap();
        desk.receive(id, &[("1", 1)]).unwrap();
        desk.accept(id, &[("1", 1)]).unwrap();
        let (lines, items, terms) = (vec![], vec![item(new, "1", None)], Box::default());
        desk.give(Role::Agent, Command::Exchange { case: case(id), lines, items, terms }).unwrap();
        let (case, parcel) = (case(id), parcel("OUT-2"));
        let sent = Command::ShipReplacement { case, replacement: 1, parcel };
        desk.give(Role::Warehouse, sent).unwrap();
    }
    let asked = call(&mut desk, "R-1", "OUT-2").unwrap();
    let warned: Vec<String> = asked.findings.iter().map(ToString::to_string).collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("whole_parcel") && warned[0].contains("1c"), "{warned:?}");
    call(&mut desk, "R-2", "OUT-2").unwrap();
    assert_eq!(of(&desk, "1c", Location::Intercepting), 1);
    desk.replays();
}

#[test]
fn nothing_is_shipped_for_a_case_that_was_ruled_for_the_seller() {
    let mut desk = desk_of(Resolution::AdvanceReplacement, None);
    let note = || "disputed".to_owned();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let (id, ruling, appeal_until) = (case("R-1"), Ruling::ForSeller, None);
    let rule = Command::RuleDispute { case: id, ruling, appeal_until, note: note() };
    desk.give(Role::Platform, rule).unwrap();
    assert_eq!(desk.status("R-1"), "declined");
    let refused = obstacles(ship(&mut desk, "OUT-2"));
    assert!(matches!(refused[..], [Obstacle::WrongStatus { .. }]), "{refused:?}");
    cancel(&mut desk).unwrap();
    desk.close("R-1").unwrap();
    // One that has left already is called back all the same.
    let mut desk = desk_of(Resolution::AdvanceReplacement, None);
    ship(&mut desk, "OUT-2").unwrap();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let (id, ruling, appeal_until) = (case("R-1"), Ruling::ForSeller, None);
    let rule = Command::RuleDispute { case: id, ruling, appeal_until, note: note() };
    desk.give(Role::Platform, rule).unwrap();
    call(&mut desk, "R-1", "OUT-2").unwrap();
    answer(&mut desk, "OUT-2", InterceptionOutcome::Intercepted).unwrap();
    take_back(&mut desk).unwrap();
    cancel(&mut desk).unwrap();
    desk.close("R-1").unwrap();
    assert_eq!(of(&desk, "1", Location::Customer), 1);
}

/// What may happen to a replacement, by number.
fn act(number: u8, parcels: &mut u32) -> Command {
    let (id, replacement) = (case("R-1"), 1);
    let current = || parcel(&format!("OUT-{parcels}"));
    match number {
        0 => {
            *parcels += 1;
            let parcel = parcel(&format!("OUT-{parcels}"));
            Command::ShipReplacement { case: id, replacement, parcel }
        }
        1 => Command::InterceptParcel { case: id, parcel: current(), lines: vec![] },
        2 | 3 => {
            let outcome = InterceptionOutcome::ALL[usize::from(number) - 2];
            Command::RecordInterception { case: id, parcel: current(), outcome }
        }
        4 => Command::TakeBackReplacement { case: id, replacement },
        5 => Command::DeclareLost { case: id, parcel: current() },
        6 => Command::ConfirmReplacement { case: id, replacement },
        7 => Command::CancelReplacement { case: id, replacement },
        8 => Command::ChargeAdvance { case: id, replacement },
        _ => Command::Close { case: id },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// CAS-65: whatever happens to a replacement on its way, its units are at one place, it is paid for
    /// once, what is listed is what is accepted, and the history replays [1, 28, 37, 43].
    #[test]
    fn walks_of_a_replacement_keep_the_books(
        kind in 0..3_usize,
        acts in proptest::collection::vec(0..10_u8, 1..24),
    ) {
        let resolutions =
            [Resolution::Exchange, Resolution::AdvanceReplacement, Resolution::Reship];
        let mut desk = desk_of(resolutions[kind], None);
        desk.now = at("2026-03-25T00:00:00Z");
        let mut parcels = 1;
        for number in acts {
            let command = act(number, &mut parcels);
            let role = Role::Supervisor;
            let role = if number < 2 || number == 8 { role } else { Role::System };
            let role = if number == 4 { Role::Warehouse } else { role };
            let given = desk.give(role, command.clone());
            let case = desk.order.case(&case("R-1")).unwrap();
            let sent = case.replacement(1).unwrap();
            let context = Context { now: desk.now, rules: desk.rules };
            for allowed in desk.order.allowed(&context, &actor(role)) {
                let calls = matches!(allowed.command, Command::InterceptParcel { .. });
                prop_assert!(!calls || sent.under_way_in().is_some());
            }
            if kind == 2 {
                prop_assert!(desk.order.quantities().balance(&line("1b")).is_none());
                continue;
            }
            let balance = *desk.order.quantities().balance(&line("1b")).unwrap();
            let place = match &sent.state {
                ReplacementState::Planned | ReplacementState::Cancelled => None,
                ReplacementState::Shipped { .. } => {
                    let asked = case.interceptions.values().any(aftersale::case::parcel::Interception::is_open);
                    Some(if asked { Location::Intercepting } else { Location::Customer })
                }
                ReplacementState::TurnedRound { .. } => Some(Location::InTransit),
                ReplacementState::Delivered { .. } => Some(Location::Customer),
            };
            prop_assert_eq!(balance.total(), 0);
            for there in [Location::Intercepting, Location::Customer, Location::InTransit] {
                prop_assert_eq!(balance.at(there), i64::from(place == Some(there)), "{}", there);
            }
            let advance = sent.advance.and_then(|advance| advance.resolved);
            prop_assert!(case.obligations.len() <= 2);
            if advance == Some(AdvanceEnd::Charged) {
                prop_assert_eq!(case.obligations[0].settlement.due, pounds("60.00"));
            }
            if case.closing.is_some() {
                prop_assert!(!sent.is_pending());
            }
            let lost = given.iter().flat_map(|decision| &decision.events);
            let lost = lost.filter(|event| matches!(event.fact, EventFact::ReplacementLost { .. }));
            prop_assert_eq!(lost.count(), usize::from(number == 5 && given.is_ok()));
        }
        desk.replays();
    }
}
