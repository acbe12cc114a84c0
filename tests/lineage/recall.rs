//! Recall: who must be told, what is still here, and what a narrower scope would leave.

use std::collections::BTreeSet;

use crate::lineage_model::dairy::{dairy, event, order};
use crate::lineage_model::{
    Dice, LOTS, day, effective, liters, lot, model_forward, number, order_id, recorded, world,
};
use aftersale::id::{CustomerId, OrderId};
use aftersale::lineage::Lineage;
use aftersale::lineage::campaign::recovery::RecoveryId;
use aftersale::lineage::campaign::{Campaign, CampaignCommand, CampaignPlan, CheckLevel};
use aftersale::lineage::event::{EventFacts, EventKind, Item, Line, Units};
use aftersale::lineage::recall::{Recall, Scope};
use aftersale::lineage::source::Source;
use aftersale::number::Ratio;
use aftersale::quantity::Unit;

#[test]
fn shares_and_bounds_of_the_dairy_are_those_worked_out_by_hand() {
    // MILK-1 is half of the tank. CHEESE-1 is half suspect; CHEESE-2 a quarter of a half: 25 of 200.
    let ledger = dairy().ledger(&[Source::item(lot("MILK-1"))]);
    let share = |item: Item| ledger.items.get(&item).map(|share| share.share.to_string());
    assert_eq!(share(order("SO-1")), Some("1/2".into()));
    assert_eq!(share(order("SO-2")), Some("1/8".into()));
    assert_eq!(share(lot("BACK-1")), Some("1/2".into()));
    assert_eq!(share(order("SO-3")), None);
    let of_suspect = |item: Item| ledger.items[&item].of_suspect.to_string();
    assert_eq!(of_suspect(order("SO-2")), "3/20", "15 of 100 liters");
    assert_eq!(ledger.scrapped.to_string(), "1/4", "25 liters went down the drain at the cleaning");
    // At worst all 100 suspect liters are in CHEESE-1, at best 0: 100 others could be.
    let bounds = ledger.items[&order("SO-1")].bounds;
    assert_eq!((bounds.low, bounds.high), (0, 40_000));
}

#[test]
fn a_recall_lists_orders_customers_stock_and_what_came_back() {
    let dairy = dairy();
    let scope = Scope { sources: vec![Source::item(lot("MILK-1"))], least_share: None };
    let recall = dairy.recall(&scope);
    assert_eq!(recall.orders.keys().map(OrderId::as_str).collect::<Vec<_>>(), ["SO-1", "SO-2"]);
    assert_eq!(recall.customers().map(CustomerId::as_str).collect::<Vec<_>>(), ["Anna", "Bo"]);
    let first = &recall.orders[&order_id("SO-1")].items[0];
    assert_eq!(first.received, Some(liters("60")));
    assert_eq!(first.returned, Some(liters("20")));
    assert_eq!(first.on_hand, Some(liters("40")));
    let stock: Vec<String> = recall.stock.iter().map(|item| item.item.to_string()).collect();
    assert_eq!(stock, ["lot BACK-1", "lot CHEESE-1", "lot CHEESE-2"]);
    assert!(recall.stock.iter().all(|stock| stock.returned.is_none()), "goods are with nobody");
    let unit = Unit::known("l").unwrap();
    assert_eq!(recall.outstanding()[&unit], liters("160"));
    assert_eq!(recall.recovered()[&unit], liters("140"), "20 back, 40 and 80 of cheese");
    assert_eq!(recall.recovered_share(unit).unwrap().to_string(), "7/15");
}

#[test]
fn what_if_tells_what_a_share_limit_would_leave() {
    let dairy = dairy();
    let sources = vec![Source::item(lot("MILK-1"))];
    let wide = Scope { sources: sources.clone(), least_share: None };
    let narrow = Scope { sources, least_share: Some(Ratio::new(1, 2).unwrap()) };
    let left = dairy.what_if(&wide, &narrow);
    assert_eq!(left.spared.iter().map(OrderId::as_str).collect::<Vec<_>>(), ["SO-2"]);
    let unit = Unit::known("l").unwrap();
    assert_eq!(left.with_customers.items, [order("SO-2")].into());
    assert_eq!(left.with_customers.quantity[&unit], liters("120"));
    assert_eq!(left.with_customers.suspect.to_string(), "3/20");
    assert_eq!(left.with_customers.suspect_at_worst[&unit], liters("50"));
    assert!(left.added.is_empty());
    assert!(left.in_stock.items.is_empty(), "all that is here is at worst half suspect");
    // Above 5/8, the 80 l of CHEESE-2 are not blocked either: 10 l of the milk, at worst 50.
    let sources = wide.sources.clone();
    let narrower = Scope { sources, least_share: Some(Ratio::new(2, 3).unwrap()) };
    let left = dairy.what_if(&wide, &narrower);
    assert_eq!(left.in_stock.items, [lot("CHEESE-2")].into());
    assert_eq!(left.in_stock.quantity[&unit], liters("80"));
    assert_eq!(left.in_stock.suspect.to_string(), "1/10");
    assert_eq!(left.in_stock.suspect_at_worst[&unit], liters("50"));
    assert!(left.in_stock.uncounted.is_empty());
    let recall = dairy.recall(&narrower);
    assert_eq!(recall.items_left_out, [lot("CHEESE-2"), order("SO-2")].into());
}

/// LIN-22: without a limit a recall names the orders of the timed trace; a limit only removes some,
/// and lists them; what-if splits the wider scope into kept and spared, item by item.
#[test]
fn a_recall_names_the_orders_of_the_timed_trace() {
    for n in 0..1_500 {
        let entries = world(n, n % 4 == 0);
        let lineage = recorded(&entries, if n % 3 == 0 { 3 } else { 1 });
        let mut dice = Dice(n ^ 0x9999);
        let suspect = dice.roll(LOTS as u64) as usize;
        let sources = vec![Source::item(crate::lineage_model::item(suspect))];
        let wide = Scope { sources: sources.clone(), least_share: None };
        let recall = lineage.recall(&wide);
        let model: BTreeSet<usize> = model_forward(&effective(&entries), &[(suspect, None)])
            .into_iter()
            .filter(|&node| node >= LOTS)
            .collect();
        let named: BTreeSet<usize> =
            recall.orders.keys().map(|id| number(&Item::Order(id.clone()))).collect();
        assert_eq!(named, model, "world {n}");
        let mut before = recall.clone();
        for percent in [1, 25, 50, 75, 100] {
            let least_share = Some(Ratio::new(percent, 100).unwrap());
            let narrow = Scope { sources: sources.clone(), least_share };
            let after = lineage.recall(&narrow);
            assert!(after.orders.keys().all(|id| before.orders.contains_key(id)), "world {n}");
            let mut all: BTreeSet<&OrderId> = after.orders.keys().collect();
            all.extend(&after.left_out);
            assert_eq!(all, recall.orders.keys().collect(), "world {n}");
            let items = |recall: &Recall| -> BTreeSet<Item> {
                let sold = recall.orders.values().flat_map(|order| &order.items);
                sold.chain(&recall.stock).map(|affected| affected.item.clone()).collect()
            };
            let mut both = items(&after);
            both.extend(after.items_left_out.iter().cloned());
            assert_eq!(both, items(&recall), "world {n}");
            let what_if = lineage.what_if(&wide, &narrow);
            let mut left = what_if.with_customers.items.clone();
            left.extend(what_if.in_stock.items.iter().cloned());
            assert_eq!(left, after.items_left_out, "world {n}");
            assert_eq!(what_if.spared, after.left_out, "world {n}");
            assert!(what_if.added.is_empty());
            before = after;
        }
    }
}

#[test]
fn an_order_with_several_lines_in_one_event_is_counted_once() {
    let mut lineage = Lineage::new(Units::default());
    let (milk, so) = (|amount| Line::new(lot("MILK"), liters(amount)), order("SO-1"));
    let to = |amount| Line::new(so.clone(), liters(amount));
    for draft in [
        event("R", 1, EventKind::Receive).output(milk("100")),
        event("S1", 2, EventKind::Ship).input(milk("10")).output(to("10")),
        event("S2", 3, EventKind::Ship).input(milk("8")).output(to("5")).output(to("3")),
        event("B", 4, EventKind::Return).input(to("4")).input(to("2")).output(milk("6")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let scope = Scope { sources: vec![Source::item(lot("MILK"))], least_share: None };
    let affected = &lineage.recall(&scope).orders[&order_id("SO-1")].items[0];
    assert_eq!(affected.received, Some(liters("18")));
    assert_eq!(affected.returned, Some(liters("6")));
    assert_eq!(affected.on_hand, Some(liters("12")));
}

#[test]
fn a_limit_keeps_what_is_at_it_and_an_order_with_one_line_above_it() {
    let mut lineage = Lineage::new(Units::default());
    let line = |name: &str, row: &str| {
        Item::OrderLine(order_id(name), aftersale::id::OrderLineId::new(row).unwrap())
    };
    let ship = |id: &str, from: &str, to: Item| {
        event(id, 3, EventKind::Ship)
            .input(Line::new(lot(from), liters("10")))
            .output(Line::new(to, liters("10")))
    };
    for draft in [
        event("R1", 1, EventKind::Receive).output(Line::new(lot("BAD"), liters("20"))),
        event("R2", 1, EventKind::Receive).output(Line::new(lot("GOOD"), liters("20"))),
        event("M", 2, EventKind::Make)
            .input(Line::new(lot("BAD"), liters("5")))
            .input(Line::new(lot("GOOD"), liters("15")))
            .output(Line::new(lot("MIX"), liters("20"))),
        ship("S1", "MIX", line("SO-1", "1")),
        ship("S2", "BAD", line("SO-1", "2")),
        ship("S3", "MIX", line("SO-2", "1")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let recall = |above: i64, below: i64| {
        let least_share = Some(Ratio::new(above, below).unwrap());
        lineage.recall(&Scope { sources: vec![Source::item(lot("BAD"))], least_share })
    };
    // At worst all 5 l that are suspect went into one of the two shipments of 10 l: one half.
    let at = recall(1, 2);
    assert_eq!((at.orders.len(), at.left_out.len()), (2, 0));
    let above = recall(51, 100);
    assert_eq!(above.orders.keys().collect::<Vec<_>>(), [&order_id("SO-1")]);
    assert_eq!(above.orders[&order_id("SO-1")].items.len(), 1, "the line of the mix is left out");
    assert_eq!(above.left_out, [order_id("SO-2")].into());
    // The line that stays with the customer of SO-1 is told, and so is its risk.
    let lines = BTreeSet::from([line("SO-1", "1"), line("SO-2", "1")]);
    assert_eq!(above.items_left_out, lines);
    let sources = vec![Source::item(lot("BAD"))];
    let least_share = Some(Ratio::new(51, 100).unwrap());
    let narrow = Scope { sources: sources.clone(), least_share };
    let left = lineage.what_if(&Scope { sources, least_share: None }, &narrow);
    assert_eq!(left.spared, [order_id("SO-2")].into());
    assert_eq!(left.with_customers.items, lines);
    assert_eq!(left.with_customers.suspect.to_string(), "1/4", "5 of 20 l went into the mix");
}

/// LIN-22: what an order received, who has it and what was destroyed counts as far as the suspect
/// reached it.
#[test]
fn goods_that_were_never_touched_do_not_count() {
    let mut lineage = Lineage::new(Units::default());
    let milk = |name: &str, amount| Line::new(lot(name), liters(amount));
    let to = |amount| Line::new(order("SO-1"), liters(amount));
    let customer = |name: &str| EventFacts {
        customer: Some(CustomerId::new(name).unwrap()),
        ..EventFacts::default()
    };
    for draft in [
        event("R1", 1, EventKind::Receive).output(milk("BAD", "50")),
        event("R2", 1, EventKind::Receive).output(milk("GOOD", "50")),
        event("S1", 2, EventKind::Ship)
            .input(milk("GOOD", "7"))
            .output(to("7"))
            .facts(customer("before")),
        event("S2", 3, EventKind::Ship)
            .input(milk("BAD", "5"))
            .output(to("5"))
            .facts(customer("reached")),
        event("S3", 4, EventKind::Ship)
            .input(milk("GOOD", "9"))
            .output(to("9"))
            .facts(customer("after")),
        event("X", 5, EventKind::Scrap).input(milk("BAD", "4")).input(milk("GOOD", "11")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let scope = Scope { sources: vec![Source::item(lot("BAD"))], least_share: None };
    let recall = lineage.recall(&scope);
    let affected = &recall.orders[&order_id("SO-1")];
    assert_eq!(affected.items[0].received, Some(liters("5")));
    let customers: Vec<&str> = recall.customers().map(CustomerId::as_str).collect();
    assert_eq!(customers, ["reached"]);
    assert_eq!(recall.destroyed[&liters("1").unit()], liters("4"));
}

/// LIN-40: goods that nobody counted are blocked and called back, whatever the limit, and never stand
/// in the way of a recovery.
#[test]
fn goods_that_nobody_counted_are_never_left_out() {
    let mut lineage = Lineage::new(Units::default());
    let some = |name: &str| Line::unmeasured(lot(name));
    let clean = |id: &str, on, name: &str| event(id, on, EventKind::Clean).input(some(name));
    for draft in [
        event("R", 1, EventKind::Receive).output(Line::new(lot("BAD"), liters("50"))),
        // Nobody wrote down how much.
        event("M", 2, EventKind::Make)
            .input(Line::new(lot("BAD"), liters("10")))
            .output(some("MIX")),
        event("S", 3, EventKind::Ship).input(some("MIX")).output(Line::unmeasured(order("SO-1"))),
        // A taking without a quantity may have left something.
        event("N", 4, EventKind::Make)
            .input(some("BAD"))
            .output(Line::new(lot("TANK"), liters("30"))),
        // This one was used up, this one was cleaned out: both are known to be gone.
        event("O", 5, EventKind::Make)
            .input(Line::new(lot("TANK"), liters("30")))
            .output(Line::new(lot("CHEESE"), liters("30"))),
        event("P", 6, EventKind::Make).input(some("BAD")).output(some("VAT")),
        clean("C", 7, "VAT"),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let sources = vec![Source::item(lot("BAD"))];
    for least_share in [None, Some(Ratio::ONE)] {
        let recall = lineage.recall(&Scope { sources: sources.clone(), least_share });
        let stock: Vec<(String, Option<String>)> = recall
            .stock
            .iter()
            .map(|stock| (stock.item.to_string(), stock.on_hand.map(|q| q.to_string())))
            .collect();
        let cheese = ("lot CHEESE".to_owned(), Some("30.000 l".to_owned()));
        assert_eq!(stock, [("lot BAD".into(), None), cheese, ("lot MIX".into(), None)]);
        let item = &recall.orders[&order_id("SO-1")].items[0];
        assert_eq!((item.received, item.on_hand, item.share), (None, None, None));
        assert_eq!(recall.items_left_out, BTreeSet::new());
    }
    let wide = Scope { sources, least_share: None };
    let none = Scope { sources: Vec::new(), least_share: None };
    let left = lineage.what_if(&wide, &none);
    assert_eq!(left.in_stock.uncounted, [lot("BAD"), lot("MIX")].into());
    assert_eq!(left.with_customers.uncounted, [order("SO-1")].into());

    let plan = CampaignPlan {
        notify_within_seconds: 60,
        remind_after_seconds: 60,
        reminders: 0,
        check_level: CheckLevel::None,
    };
    let mut campaign = Campaign::for_recall(&lineage.recall(&wide), plan, day(8));
    let quantity = liters("7");
    for parcel in ["PARCEL-1", "PARCEL-2"] {
        let id = RecoveryId::new(parcel).unwrap();
        let back = CampaignCommand::RecordRecovery { order: order_id("SO-1"), id, quantity };
        for event in campaign.decide(&back, day(9)).unwrap() {
            campaign.evolve(&event);
        }
    }
    let recovered = &campaign.orders()[&order_id("SO-1")].recovered;
    assert_eq!(
        recovered.iter().map(|recovery| recovery.quantity).collect::<Vec<_>>(),
        [quantity; 2]
    );
    assert_eq!(campaign.recovered_share(quantity.unit()), None, "a share of nobody knows what");
    let text = serde_json::to_string(&campaign).unwrap();
    assert_eq!(serde_json::from_str::<Campaign>(&text).unwrap(), campaign);
    let counted = Campaign::for_recall(
        &dairy().recall(&Scope { sources: vec![Source::item(lot("MILK-1"))], least_share: None }),
        plan,
        day(8),
    );
    let too_much = CampaignCommand::RecordRecovery {
        order: order_id("SO-1"),
        id: RecoveryId::new("PARCEL-1").unwrap(),
        quantity: liters("41"),
    };
    assert!(counted.decide(&too_much, day(9)).is_err());
    assert!(!serde_json::to_string(&counted).unwrap().contains("uncounted"));
}
