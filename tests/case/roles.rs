//! Who may give which command, and which commands a hold or a dispute freezes: the whole table.

use std::collections::BTreeSet;

use crate::support::{Desk, actor, case, sale};
use aftersale::case::actor::Role;
use aftersale::case::command::{Command, Envelope};
use aftersale::case::refusal::Obstacle;
use aftersale::case::refusal::Refusal;
use aftersale::label::Coded;
use serde_json::Value;

/// C customer, A agent, S supervisor, W warehouse, I inspector, F finance, P marketplace, Y system.
const PERMITTED: &str = "
    open_case CASPY            withdraw CAS               authorize ASPY
    decline ASP                send_back CASWY            receive WISY
    accept ISPY                reject ISP                 return_to_customer WASY
    refund ASFPY               record_payment FY          retry_payment FSY
    request_info ASP           add_evidence CASWIP        offer AS
    accept_offer C             refuse_offer C             hold ASPY
    release ASPY               open_dispute CAS           rule_dispute P
    appeal_ruling CAS          declare_lost ASWY          intercept_parcel ASPY
    record_interception ASWY   update_tracking ASWPY      record_shortage WIS
    amend_case CAS             split ASY                  attribute_liability SIP
    appeal_liability CASW      record_cost ASWIFY         open_recovery_claim ASFY
    record_recovery SFY        assign ASPY                reassign SPY
    record_survey CASY         review CASWIFP             migrate_review SPY
    inspect IWS                set_disposition IWSY       exchange ASFY
    send_advance AS            charge_advance FSY         reship AS
    ship_replacement WSY       confirm_replacement CASY   cancel_replacement ASWY
    take_back_replacement WS   return_repaired WS         reopen SP
    close ASPY                 assert_reason CASWIPY      tick ASPY
    amend_sale ASY             resolve_unexpected ASW     admit SP";

/// What a hold and an open dispute freeze: deciding, settling and ending; goods and facts go on.
const FROZEN: &str = "withdraw authorize decline offer accept_offer refund exchange send_advance \
    charge_advance cancel_replacement reship amend_case split review migrate_review close";

/// One command of each kind about case R-1, as it is stored.
fn commands() -> Vec<(String, Command)> {
    let text = include_str!("../golden/case/commands.json");
    let samples: Value = serde_json::from_str(text).unwrap();
    let mut commands = Vec::new();
    for (name, sample) in samples.as_object().unwrap() {
        let mut command = sample["command"].clone();
        if command.get("case").is_some() {
            command["case"] = "R-1".into();
        }
        let mut add = |name: &str, command: Value| {
            commands.push((name.to_owned(), serde_json::from_value(command).unwrap()));
        };
        if name == "resolve_unexpected" {
            command["end"] = "admitted".into();
            add("admit", command.clone());
            command["end"] = "disposed".into();
        }
        add(name, command);
    }
    commands
}

fn obstacles_of(desk: &Desk, role: Role, command: &Command) -> Vec<Obstacle> {
    let mut desk = desk.clone();
    let envelope = desk.envelope(role, command.clone());
    let (id, actor) = (envelope.id, actor(role));
    let envelope = Envelope { id, expected_version: None, actor, command: command.clone() };
    desk.send(&envelope).map_or_else(|Refusal { obstacles }| obstacles, |_| Vec::new())
}

/// CAS-129: whoever is not in the table is refused, whatever the case; who is in it is not refused for
/// the role [29].
#[test]
fn every_command_is_for_its_roles_and_no_others() {
    let table: Vec<&str> = PERMITTED.split_whitespace().collect();
    let letter = |role| match role {
        Role::Customer => 'C',
        Role::Agent => 'A',
        Role::Supervisor => 'S',
        Role::Warehouse => 'W',
        Role::Inspector => 'I',
        Role::Finance => 'F',
        Role::Platform => 'P',
        Role::System => 'Y',
    };
    let desk = Desk::new(sale(&[("1", 1, 1, "60.00")]));
    let commands = commands();
    assert_eq!(commands.len(), table.len() / 2, "a kind of command is not in the table");
    for (name, command) in &commands {
        let row = table.chunks(2).find(|row| row[0] == name);
        let permitted = row.unwrap_or_else(|| panic!("{name} is not in the table"))[1];
        for &role in Role::ALL {
            let found = obstacles_of(&desk, role, command);
            let refused = found.iter().any(|o| matches!(o, Obstacle::NotPermitted { .. }));
            assert_eq!(refused, !permitted.contains(letter(role)), "{name} by {role}: {found:?}");
        }
    }
}

/// CAS-140: a hold and a dispute freeze the commands of the table and no others [40].
#[test]
fn a_hold_and_a_dispute_freeze_what_they_name() {
    let frozen: BTreeSet<&str> = FROZEN.split_whitespace().collect();
    let mut desk = Desk::new(sale(&[("1", 1, 1, "60.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let (mut held, mut disputed) = (desk.clone(), desk);
    let note = || "looked into".to_owned();
    held.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    disputed
        .give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() })
        .unwrap();
    for (name, command) in commands() {
        let asked = |desk: &Desk, of: fn(&Obstacle) -> bool| {
            Role::ALL.iter().any(|&role| obstacles_of(desk, role, &command).iter().any(of))
        };
        let stopped = frozen.contains(name.as_str());
        let on_hold = asked(&held, |found| matches!(found, Obstacle::OnHold { .. }));
        assert_eq!(on_hold, stopped || name == "hold", "{name} on hold");
        let in_dispute = asked(&disputed, |found| matches!(found, Obstacle::InDispute { .. }));
        assert_eq!(in_dispute, stopped, "{name} in dispute");
    }
}
