//! Recall campaigns: notices, answers, recovered goods, checks, and the end.

use crate::lineage_model::{Dice, day, liters, order_id};
use aftersale::id::OrderId;
use aftersale::label::Coded;
use aftersale::lineage::campaign::recovery::RecoveryId;
use aftersale::lineage::campaign::{
    Answer, Campaign, CampaignCommand, CampaignEvent, CampaignPlan, CampaignRefusal, CheckFinding,
    CheckLevel, DueNotice, OrderProgress,
};
use aftersale::number::Ratio;
use aftersale::time::Instant;

const REMINDERS: u32 = 2;

fn plan(check_level: CheckLevel) -> CampaignPlan {
    CampaignPlan {
        notify_within_seconds: 86_400,
        remind_after_seconds: 3 * 86_400,
        reminders: REMINDERS,
        check_level,
    }
}

fn is_settled(progress: &OrderProgress) -> bool {
    progress.answer.is_some() || progress.given_up.is_some()
}

/// The checks that a level still asks for: an order that was given up needs none.
fn unchecked(campaign: &Campaign, level: CheckLevel) -> usize {
    let is_checked = |p: &&OrderProgress| {
        let answered = p
            .checks
            .iter()
            .any(|finding| matches!(finding, CheckFinding::Effective | CheckFinding::NotFollowed));
        p.given_up.is_some() || answered
    };
    let checked = campaign.orders().values().filter(is_checked).count();
    level.required(campaign.orders().len()).saturating_sub(checked)
}

/// The next notice of each open order: a day after the opening, then three after the latest.
fn due(campaign: &Campaign) -> Vec<DueNotice> {
    let next = |(id, progress): (&OrderId, &OrderProgress)| {
        let sent = progress.notices.len() as u32;
        let (from, days) = match progress.notices.iter().max() {
            None => (day(1), 1),
            Some(&latest) => (latest, 3),
        };
        let seconds = from.timestamp() + days * 86_400;
        let at = Instant::from_timestamp(seconds, 0).unwrap();
        (!is_settled(progress) && sent <= REMINDERS).then(|| DueNotice {
            at,
            order: id.clone(),
            reminder: sent,
        })
    };
    let is_open = campaign.closed_at().is_none();
    let mut due: Vec<DueNotice> =
        campaign.orders().iter().filter(|_| is_open).filter_map(next).collect();
    due.sort();
    due
}

#[test]
fn notices_fall_due_are_repeated_and_then_a_person_must_look() {
    let id = order_id("SO-1");
    let mut campaign =
        Campaign::new([(id.clone(), vec![liters("5")])], plan(CheckLevel::All), day(1));
    let notice = |campaign: &mut Campaign, on| {
        let command = CampaignCommand::RecordNotice { order: id.clone() };
        for event in campaign.decide(&command, day(on)).unwrap() {
            campaign.evolve(&event);
        }
    };
    assert_eq!(campaign.next_wakeup(), Some(day(2)));
    notice(&mut campaign, 2);
    assert_eq!(campaign.next_wakeup(), Some(day(5)));
    assert_eq!(campaign.silent_orders().count(), 0);
    notice(&mut campaign, 5);
    assert_eq!(campaign.next_wakeup(), Some(day(8)));
    notice(&mut campaign, 8);
    assert_eq!(campaign.next_wakeup(), None);
    assert_eq!(campaign.silent_orders().count(), 1);
}

#[test]
fn check_levels_round_up() {
    for (level, orders, required) in [
        (CheckLevel::All, 7, 7),
        (CheckLevel::Half, 7, 4),
        (CheckLevel::Tenth, 11, 2),
        (CheckLevel::Tenth, 10, 1),
        (CheckLevel::Fiftieth, 51, 2),
        (CheckLevel::Fiftieth, 0, 0),
        (CheckLevel::None, 100, 0),
    ] {
        assert_eq!(level.required(orders), required);
    }
}

/// LIN-23: a campaign closes only when all have answered or were given up and the checks are done;
/// no more is recovered than was out there; replay gives the same campaign.
#[test]
fn a_campaign_keeps_its_promises_under_any_commands() {
    let mut closed = 0;
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let names = ["SO-1", "SO-2", "SO-3"];
        let level = *dice.pick(&[CheckLevel::All, CheckLevel::Tenth, CheckLevel::None]);
        let fresh = Campaign::new(
            names.map(|name| (order_id(name), vec![liters("5")])),
            plan(level),
            day(1),
        );
        let mut campaign = fresh.clone();
        let mut history: Vec<CampaignEvent> = Vec::new();
        for step in 0..40 {
            let id = order_id(["SO-1", "SO-2", "SO-3", "SO-9"][dice.roll(4) as usize]);
            let command = match dice.roll(7) {
                0 | 1 => CampaignCommand::RecordNotice { order: id },
                2 => CampaignCommand::RecordResponse { order: id, answer: Answer::Returning },
                3 => {
                    let quantity = liters(["0", "2", "3.5"][dice.roll(3) as usize]);
                    let parcel = RecoveryId::new(format!("P{}", dice.roll(6))).unwrap();
                    CampaignCommand::RecordRecovery { order: id, id: parcel, quantity }
                }
                4 => {
                    let finding = *dice.pick(CheckFinding::ALL);
                    CampaignCommand::RecordCheck { order: id, finding }
                }
                5 => CampaignCommand::GiveUp {
                    order: id,
                    reason: (*dice.pick(&["moved", " "])).into(),
                },
                _ => CampaignCommand::Close,
            };
            let now = day(1 + step / 2);
            match campaign.decide(&command, now) {
                Ok(events) => {
                    for event in events {
                        campaign.evolve(&event);
                        history.push(event);
                    }
                    if !matches!(command, CampaignCommand::RecordCheck { .. }) {
                        assert_eq!(
                            campaign.decide(&command, now),
                            Ok(vec![]),
                            "twice is once: {command:?}"
                        );
                    }
                }
                Err(CampaignRefusal::NotDone { unanswered, missing_checks }) => {
                    let open = campaign.orders().values().filter(|p| !is_settled(p)).count();
                    assert_eq!((unanswered, missing_checks), (open, unchecked(&campaign, level)));
                    assert!(unanswered > 0 || missing_checks > 0);
                }
                Err(refusal) => assert!(!refusal.to_string().is_empty()),
            }
            assert_eq!(campaign.due_notices(), due(&campaign));
            let silent = |(id, p): (_, &OrderProgress)| {
                (!is_settled(p) && p.notices.len() > REMINDERS as usize).then_some(id)
            };
            let silent: Vec<&OrderId> = campaign.orders().iter().filter_map(silent).collect();
            assert_eq!(campaign.silent_orders().collect::<Vec<_>>(), silent);
            for progress in campaign.orders().values() {
                let back: i64 = progress.recovered.iter().map(|r| r.quantity.steps()).sum();
                assert!(back <= 5_000);
            }
        }
        if campaign.closed_at().is_some() {
            closed += 1;
            assert!(campaign.orders().values().all(is_settled));
            assert_eq!(campaign.missing_checks(), 0);
            assert!(campaign.due_notices().is_empty());
        }
        let mut replayed = fresh;
        for event in &history {
            let text = serde_json::to_string(event).unwrap();
            replayed.evolve(&serde_json::from_str(&text).unwrap());
        }
        assert_eq!(replayed, campaign);
        let text = serde_json::to_string(&campaign).unwrap();
        assert_eq!(serde_json::from_str::<Campaign>(&text).unwrap(), campaign);
    }
    assert!(closed > 100, "{closed}");
}

#[test]
fn all_that_is_out_there_can_be_recovered_and_no_more() {
    let opened = day(1);
    let mut campaign =
        Campaign::new([(order_id("SO-1"), vec![liters("10")])], plan(CheckLevel::None), opened);
    let recover = |amount: &str| CampaignCommand::RecordRecovery {
        order: order_id("SO-1"),
        id: RecoveryId::new(amount).unwrap(),
        quantity: liters(amount),
    };
    assert!(campaign.decide(&recover("10.001"), opened).is_err());
    for event in campaign.decide(&recover("10"), opened).unwrap() {
        campaign.evolve(&event);
    }
    assert!(campaign.decide(&recover("0.001"), opened).is_err());
    assert_eq!(campaign.recovered_share(liters("1").unit()), Some(Ratio::ONE));
}

/// An order that was asked again counts by its last check, and is one order.
#[test]
fn effectiveness_goes_by_the_last_check_of_each_order() {
    let names = ["SO-1", "SO-2", "SO-3"];
    let orders = names.map(|name| (order_id(name), vec![liters("5")]));
    let mut campaign = Campaign::new(orders, plan(CheckLevel::All), day(1));
    assert_eq!(campaign.effectiveness(), None, "nobody was asked");
    for (name, finding) in [
        ("SO-1", CheckFinding::NotReached),
        ("SO-1", CheckFinding::Effective),
        ("SO-2", CheckFinding::NotFollowed),
        ("SO-3", CheckFinding::Effective),
    ] {
        let order = order_id(name);
        for command in [
            CampaignCommand::RecordNotice { order: order.clone() },
            CampaignCommand::RecordCheck { order, finding },
        ] {
            for event in campaign.decide(&command, day(2)).unwrap() {
                campaign.evolve(&event);
            }
        }
    }
    assert_eq!(campaign.effectiveness().unwrap().to_string(), "2/3");
}

/// LIN-42: a recovery that is recorded again counts once; with another quantity it is refused.
#[test]
fn a_recovery_counts_once() {
    let mut campaign =
        Campaign::new([(order_id("SO-1"), vec![liters("10")])], plan(CheckLevel::None), day(1));
    let recover = |id: &str, amount: &str| CampaignCommand::RecordRecovery {
        order: order_id("SO-1"),
        id: RecoveryId::new(id).unwrap(),
        quantity: liters(amount),
    };
    for event in campaign.decide(&recover("PARCEL-1", "6"), day(2)).unwrap() {
        campaign.evolve(&event);
    }
    assert_eq!(campaign.decide(&recover("PARCEL-1", "6"), day(3)), Ok(vec![]));
    let refused = campaign.decide(&recover("PARCEL-1", "4"), day(3)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "recovery PARCEL-1 of order SO-1 was recorded before, with 6.000 l"
    );
    assert!(campaign.decide(&recover("PARCEL-2", "6"), day(3)).is_err(), "four are left");
    for event in campaign.decide(&recover("PARCEL-2", "4"), day(3)).unwrap() {
        campaign.evolve(&event);
    }
    assert_eq!(campaign.recovered_share(liters("1").unit()), Some(Ratio::ONE));
}

/// LIN-42: campaigns and events stored before recoveries had ids are read as they were.
#[test]
fn a_campaign_of_before_recoveries_had_ids_goes_on() {
    let quantity = r#"{"amount":"6.000","unit":"l"}"#;
    let event = format!(
        r#"{{"type":"goods_recovered","order":"SO-1","quantity":{quantity},"at":"2026-01-02T00:00:00Z"}}"#
    );
    let event: CampaignEvent = serde_json::from_str(&event).unwrap();
    let plan = plan(CheckLevel::None);
    let mut campaign = Campaign::new([(order_id("SO-1"), vec![liters("10")])], plan, day(1));
    campaign.evolve(&event);
    let text = serde_json::to_string(&campaign).unwrap();
    assert!(text.contains(&format!(r#""recovered":[{quantity}]"#)), "{text}");
    let stored: Campaign = serde_json::from_str(&text).unwrap();
    assert_eq!(stored, campaign);
    let more = |amount: &str| CampaignCommand::RecordRecovery {
        order: order_id("SO-1"),
        id: RecoveryId::new("PARCEL-2").unwrap(),
        quantity: liters(amount),
    };
    assert!(stored.decide(&more("5"), day(3)).is_err());
    assert_eq!(stored.decide(&more("4"), day(3)).unwrap().len(), 1);
    let unknown = text.replace(r#""amount":"6.000""#, r#""amount":"6.000","by":"hand""#);
    assert!(serde_json::from_str::<Campaign>(&unknown).is_err());
}

/// An order that is given twice is one order, with all that is out there.
#[test]
fn an_order_that_comes_twice_is_one() {
    let orders = ["4", "6"].map(|amount| (order_id("SO-1"), vec![liters(amount)]));
    let campaign = Campaign::new(orders, plan(CheckLevel::None), day(1));
    assert_eq!(campaign.orders()[&order_id("SO-1")].outstanding, [liters("4"), liters("6")]);
}

/// What came back from orders of which nobody knows how much they have is no part of the share.
#[test]
fn the_recovered_share_is_that_of_what_was_counted() {
    let orders = ["SO-1", "SO-2"].map(|name| (order_id(name), vec![liters("10")]));
    let campaign = Campaign::new(orders, plan(CheckLevel::None), day(1));
    let mut stored = serde_json::to_value(&campaign).unwrap();
    stored["orders"]["SO-2"]["uncounted"] = true.into();
    let mut campaign: Campaign = serde_json::from_value(stored).unwrap();
    for (order, amount) in [("SO-1", "5"), ("SO-2", "30")] {
        let (order, id) = (order_id(order), RecoveryId::new("PARCEL-1").unwrap());
        let command = CampaignCommand::RecordRecovery { order, id, quantity: liters(amount) };
        for event in campaign.decide(&command, day(2)).unwrap() {
            campaign.evolve(&event);
        }
    }
    assert_eq!(campaign.recovered_share(liters("1").unit()).unwrap().to_string(), "1/2");
}
