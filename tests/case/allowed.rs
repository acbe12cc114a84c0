//! What the screen offers: the buttons of each actor, at the moment they look.

use crate::support::{Desk, actor, case, line, pieces, sale, units};
use aftersale::case::Context;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::line::LineQuantity;
use aftersale::case::resolution::Resolution;
use aftersale::inspection::Disposition;
use aftersale::label::Coded;
use aftersale::preset::markets::{B2B, WECHAT_SHOP};

fn listed(desk: &Desk, role: Role) -> Vec<Command> {
    let context = Context { now: desk.now, rules: desk.rules };
    let allowed = desk.order.allowed(&context, &actor(role));
    allowed.into_iter().map(|allowed| allowed.command).collect()
}

/// One jacket under the practice of a market, asked back, seen at the moment its first timer is due.
fn overdue(market: &str, resolution: Resolution) -> Desk {
    let mut desk = Desk::under(crate::support::market(market), sale(&[("1", 1, 1, "59.90")]));
    desk.open_as("R-1", resolution, &[("1", 1)]).unwrap();
    desk.now = desk.order.next_wakeup().unwrap();
    desk
}

/// CAS-18: what is listed as allowed is accepted, and a role that may not act finds nothing [17].
#[test]
fn allowed_agrees_with_decide() {
    let mut desk = Desk::new(sale(&[("1", 2, 2, "10.00")]));
    desk.open("R-1", &[("1", 2)]).unwrap();
    let names = |role| -> Vec<String> {
        let tag = |command: &Command| {
            serde_json::to_value(command).unwrap()["type"].as_str().unwrap().to_owned()
        };
        listed(&desk, role).iter().map(tag).collect()
    };
    assert_eq!(names(Role::Customer), ["withdraw", "add_evidence", "open_dispute", "amend_case"]);
    let agent = names(Role::Agent);
    assert!(agent.contains(&"authorize".to_owned()) && agent.contains(&"offer".to_owned()));
    assert!(!agent.contains(&"refund".to_owned()));
    assert_eq!(names(Role::Finance), Vec::<String>::new());
}

/// Found by stories 900605 and 906270: the timer that is due acts first, and what it opens is offered.
#[test]
fn what_a_due_timer_opens_is_offered() {
    let refunded = overdue(WECHAT_SHOP, Resolution::RefundOnly);
    let pays = |command: &Command| matches!(command, Command::RecordPayment { .. });
    assert!(listed(&refunded, Role::Finance).iter().any(pays));

    let escalated = overdue(B2B, Resolution::ReturnAndRefund);
    let rules = |command: &Command| matches!(command, Command::RuleDispute { .. });
    assert!(listed(&escalated, Role::Platform).iter().any(rules));
}

/// Found by story 908815: of four jackets two are scrap for good; only the other two can be refused.
#[test]
fn what_is_scrapped_is_not_offered_for_the_way_home() {
    let mut desk = Desk::new(sale(&[("1", 4, 4, "10.00")]));
    desk.open("R-1", &[("1", 4)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 4)]).unwrap();
    desk.accept("R-1", &[("1", 4)]).unwrap();
    let two = LineQuantity { line: line("1"), quantity: pieces(2) };
    let (id, from, to) = (case("R-1"), None, Disposition::Scrap);
    let scrap = Command::SetDisposition { case: id, units: two, from, to };
    desk.give(Role::Warehouse, scrap).unwrap();
    let refused = |command: &Command| match command {
        Command::Reject { lines, .. } => Some(lines.clone()),
        _ => None,
    };
    let offered: Vec<_> = listed(&desk, Role::Inspector).iter().filter_map(refused).collect();
    assert_eq!(offered, [units(&[("1", 2)])]);
}

/// What is listed of one case is what the list of the order has of it, for everybody; of a case that is
/// not there, nothing.
#[test]
fn the_list_of_one_case_is_its_part_of_the_list_of_the_order() {
    let mut desk = Desk::under(crate::support::market(B2B), sale(&[("1", 3, 3, "10.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.open("R-2", &[("1", 1)]).unwrap();
    desk.now = desk.order.next_wakeup().unwrap(); // R-2 escalates now
    let context = Context { now: desk.now, rules: desk.rules };
    for &role in Role::ALL {
        let all = listed(&desk, role);
        for id in ["R-1", "R-2", "R-9"] {
            let own = desk.order.allowed_in(&context, &actor(role), &case(id));
            let own: Vec<Command> = own.into_iter().map(|allowed| allowed.command).collect();
            let part = all.iter().filter(|command| command.case() == Some(&case(id)));
            assert_eq!(own, part.cloned().collect::<Vec<_>>(), "{role}, {id}");
        }
    }
    assert!(!desk.order.allowed_in(&context, &actor(Role::Platform), &case("R-2")).is_empty());
}
