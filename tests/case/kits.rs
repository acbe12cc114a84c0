//! Kits by component, serial numbers and units of measure, through cases.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Desk, case, line, obstacles, pieces, sale, wanted};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::ground::AcceptanceBasis;
use aftersale::case::ledger::Location;
use aftersale::case::line::{LineQuantity, ReceivedLine, RequestedLine};
use aftersale::case::parcel::UnexpectedEnd;
use aftersale::case::parcel::UnexpectedKind;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, Decision};
use aftersale::id::{LotId, SerialId};
use aftersale::money::Money;
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, Unit, UnitTable};
use aftersale::sale::Sale;
use aftersale::sale::draft::{KitDraft, KitId, KitPart, LotPart};
use aftersale::sale::fault::SaleFault;
use proptest::prelude::*;

fn of(desk: &Desk, id: &str, location: Location) -> i64 {
    desk.order.quantities().balance(&line(id)).unwrap().at(location)
}

fn kit_id() -> KitId {
    KitId::new("tea-set").unwrap()
}

/// Kits of `A` once and `B` twice, with an ordinary third line.
fn tea_sets(count: i64, pot: &str, cup: &str) -> Sale {
    let specs = [("A", count, count, pot), ("B", 2 * count, 2 * count, cup), ("C", 1, 1, "5.00")];
    let mut draft = sale(&specs).draft().clone();
    let part = |id: &str, per_kit| KitPart { line: line(id), per_kit: pieces(per_kit) };
    draft.kits.push(KitDraft {
        id: kit_id(),
        sku: "TEA-SET".parse().unwrap(),
        quantity: u32::try_from(count).unwrap(),
        price: None,
        parts: vec![part("A", 1), part("B", 2)],
    });
    Sale::freeze(draft).unwrap()
}

#[test]
fn one_cup_of_a_tea_set_is_refunded_at_its_share_and_the_set_is_not_back() {
    let mut desk = Desk::new(tea_sets(1, "30.01", "10.00"));
    desk.whole_return("R-1", &[("B", 1)]).unwrap();
    assert_eq!(desk.order.money().refunded().to_string(), "10.00 GBP");
    let back = desk.order.kit_return(&kit_id()).unwrap();
    assert_eq!(back.kits, 0);
    assert_eq!(back.parts, [(line("A"), pieces(0)), (line("B"), pieces(1))]);
    desk.whole_return("R-2", &[("A", 1), ("B", 1)]).unwrap();
    assert_eq!(desk.order.kit_return(&kit_id()).unwrap().kits, 1);
    assert_eq!(desk.order.money().refunded().to_string(), "50.01 GBP", "the price of the set");
    assert_eq!(desk.order.kit_return(&KitId::new("other").unwrap()), None);
    // A part that is not accepted does not count.
    let mut desk = Desk::new(tea_sets(1, "30.01", "10.00"));
    desk.open("R-1", &[("A", 1), ("B", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("A", 1), ("B", 2)]).unwrap();
    desk.accept("R-1", &[("A", 1), ("B", 1)]).unwrap();
    desk.reject("R-1", &[("B", 1)]).unwrap();
    assert_eq!(desk.order.kit_return(&kit_id()).unwrap().kits, 0, "one cup is broken");
}

#[test]
fn a_set_sent_back_without_one_cup_is_short_of_that_cup_alone() {
    let mut desk = Desk::new(tea_sets(1, "30.01", "10.00"));
    desk.open("R-1", &[("A", 1), ("B", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    let parcel: aftersale::id::ParcelId = "BACK-1".parse().unwrap();
    let lines = crate::support::units(&[("A", 1), ("B", 2)]);
    let sent = Command::SendBack { case: case("R-1"), parcel: parcel.clone(), lines };
    desk.give(Role::Customer, sent).unwrap();
    let arrived = |id: &str| ReceivedLine {
        line: line(id),
        quantity: pieces(1),
        serials: Default::default(),
        lots: Default::default(),
    };
    let (lines, unexpected) = (vec![arrived("A"), arrived("B")], vec![]);
    let (id, there) = (case("R-1"), Some(parcel.clone()));
    let receive = Command::Receive { case: id, parcel: there, lines, unexpected };
    let received = desk.give(Role::Warehouse, receive).unwrap();
    let short: Vec<String> = received.findings.iter().map(ToString::to_string).collect();
    assert_eq!(short.len(), 1, "{short:?}");
    assert!(short[0].contains("line B") && short[0].contains("1 pcs observed"), "{short:?}");
    desk.accept("R-1", &[("A", 1), ("B", 1)]).unwrap();
    desk.refund("R-1").unwrap();
    assert_eq!(desk.order.money().refunded().to_string(), "40.01 GBP", "the pot and one cup");
    assert_eq!(desk.order.kit_return(&kit_id()).unwrap().kits, 0);
    desk.give(Role::Warehouse, Command::RecordShortage { case: case("R-1"), parcel }).unwrap();
    assert_eq!(of(&desk, "B", Location::Requested), 1);
}

#[test]
fn a_part_counts_from_its_acceptance_also_when_the_money_went_ahead() {
    let mut desk = Desk::new(tea_sets(1, "30.01", "10.00"));
    let kits = |desk: &Desk| desk.order.kit_return(&kit_id()).unwrap().kits;
    let instant = Resolution::InstantRefund;
    desk.open_as("R-1", instant, &[("A", 1), ("B", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.refund("R-1").unwrap();
    assert_eq!(kits(&desk), 0, "paid for, and not here");
    desk.receive("R-1", &[("A", 1), ("B", 1)]).unwrap();
    assert_eq!(of(&desk, "A", Location::Recovered), 1);
    desk.open("R-2", &[("B", 1)]).unwrap();
    desk.authorize("R-2").unwrap();
    desk.receive("R-2", &[("B", 1)]).unwrap();
    assert_eq!(kits(&desk), 0, "here, and nobody has accepted it");
    desk.accept("R-2", &[("B", 1)]).unwrap();
    assert_eq!(kits(&desk), 1, "two parts came after their money, one before");
}

#[test]
fn a_kit_on_one_line_comes_back_as_a_whole_and_says_so() {
    use aftersale::case::refund::RefundLine;
    use aftersale::sale::draft::ComponentDraft;
    use aftersale::settlement::request::Claim;
    let mut draft = sale(&[("1", 1, 1, "50.01")]).draft().clone();
    let part = |sku: &str, per_kit, weight| ComponentDraft {
        sku: sku.parse().unwrap(),
        quantity: pieces(per_kit),
        weight,
    };
    draft.lines[0].components = vec![part("POT", 1, 3), part("CUP", 2, 2)];
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let claim = Claim::Component { sku: "CUP".parse().unwrap(), units: pieces(1) };
    let (lines, terms) = (vec![RefundLine { line: line("1"), claim }], Box::default());
    let one_cup = Command::Refund { case: case("R-1"), lines, terms };
    let refused = obstacles(desk.give(Role::Finance, one_cup));
    assert_eq!(refused, [Obstacle::KitIsWhole { line: line("1") }]);
    assert!(refused[0].to_string().contains("parts sold as lines"), "it names the way out");
    desk.refund("R-1").unwrap();
    assert_eq!(desk.order.money().refunded().to_string(), "50.01 GBP");
}

#[test]
fn a_kit_that_does_not_add_up_is_refused_with_its_fault() {
    let sound = tea_sets(2, "30.00", "10.00").draft().clone();
    let faults = |change: &dyn Fn(&mut KitDraft)| {
        let mut draft = sound.clone();
        change(&mut draft.kits[0]);
        Sale::freeze(draft).map(|_| ()).map_err(|refused| refused.faults)
    };
    let pounds = |text: &str| Money::parse(text, sound.currency).unwrap();
    assert_eq!(faults(&|kit| kit.price = Some(pounds("100.00"))), Ok(()));
    let (parts, stated) = (pounds("100.00"), pounds("99.99"));
    let differs = SaleFault::KitPriceDiffers { kit: kit_id(), parts, stated };
    assert_eq!(faults(&|kit| kit.price = Some(stated)), Err(vec![differs]));
    let (found, expected) = (pieces(4), pieces(6));
    let more = SaleFault::KitDiffers { kit: kit_id(), line: line("B"), found, expected };
    assert_eq!(faults(&|kit| kit.parts[1].per_kit = pieces(3)), Err(vec![more]));
    let bad = || SaleFault::BadKit { kit: kit_id() };
    assert_eq!(faults(&|kit| kit.parts.clear()), Err(vec![bad()]));
    let twice = faults(&|kit| kit.parts.push(kit.parts[0].clone())).unwrap_err();
    assert_eq!(twice, [bad()]);
    let unknown = faults(&|kit| kit.parts[0].line = line("Z")).unwrap_err();
    assert!(unknown.iter().any(|fault| matches!(fault, SaleFault::UnknownLine { .. })));
    assert!(faults(&|kit| kit.quantity = 0).unwrap_err().contains(&bad()));
    let mut two = sound.clone();
    two.kits.push(two.kits[0].clone());
    let two = Sale::freeze(two).unwrap_err().faults;
    assert!(two.iter().any(|fault| matches!(fault, SaleFault::Duplicate { .. })));
    let text = serde_json::to_string(&Sale::freeze(sound.clone()).unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Sale>(&text).unwrap().draft(), &sound);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// CAS-56: whatever comes back in whatever cases, the kits that are back are as many as could be put
    /// together from the parts, each part is refunded at its own price, and all parts come to the price
    /// of the kits exactly [7, 14].
    #[test]
    fn kits_are_counted_and_refunded_by_their_parts(
        kits in 1..4_i64,
        pot in 1..9_999_i64,
        cup in 1..9_999_i64,
        returns in proptest::collection::vec((any::<bool>(), 1..4_i64), 0..8),
        all in any::<bool>(),
    ) {
        let price = |pence: i64| format!("{}.{:02}", pence / 100, pence % 100);
        let mut desk = Desk::new(tea_sets(kits, &price(pot), &price(cup)));
        let (mut pots, mut cups) = (0, 0);
        for (number, (is_pot, count)) in returns.into_iter().enumerate() {
            let (id, there) = if is_pot { ("A", kits - pots) } else { ("B", 2 * kits - cups) };
            let result = desk.whole_return(&format!("R-{number}"), &[(id, count)]);
            prop_assert_eq!(result.is_ok(), count <= there);
            if count <= there {
                *(if is_pot { &mut pots } else { &mut cups }) += count;
            }
        }
        if all && (pots < kits || cups < 2 * kits) {
            let rest: Vec<(&str, i64)> = [("A", kits - pots), ("B", 2 * kits - cups)]
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect();
            desk.whole_return("R-rest", &rest).unwrap();
            (pots, cups) = (kits, 2 * kits);
        }
        // Put kits together one by one from what is back.
        let (mut built, mut left) = (0, (pots, cups));
        while left.0 >= 1 && left.1 >= 2 {
            left = (left.0 - 1, left.1 - 2);
            built += 1;
        }
        let back = desk.order.kit_return(&kit_id()).unwrap();
        prop_assert_eq!(back.kits, built);
        prop_assert_eq!(desk.order.money().refunded().minor(), pots * pot + cups * cup);
        if (pots, cups) == (kits, 2 * kits) {
            prop_assert_eq!(desk.order.money().refunded().minor(), kits * (pot + 2 * cup));
        }
    }
}

/// Phones with the serial numbers P0 to P3, and lots L1 and L2 of two each; milk sold by the liter.
fn phones() -> Sale {
    let mut draft = sale(&[("1", 4, 4, "60.00"), ("2", 2, 2, "9.00")]).draft().clone();
    let shipped = &mut draft.shipments[0].lines[0];
    shipped.serials = (0..4).map(|n| SerialId::new(format!("P{n}")).unwrap()).collect();
    let lot = |lot: &str| LotPart { lot: LotId::new(lot).unwrap(), quantity: pieces(2) };
    shipped.lots = vec![lot("L1"), lot("L2")];
    Sale::freeze(draft).unwrap()
}

fn serials(names: &[String]) -> BTreeSet<SerialId> {
    names.iter().map(|name| SerialId::new(name).unwrap()).collect()
}

fn open_named(
    desk: &mut Desk,
    id: &str,
    count: i64,
    names: &[String],
) -> Result<Decision, Refusal> {
    let lines = vec![RequestedLine { serials: serials(names), ..wanted("1", count) }];
    let resolution = Resolution::ReturnAndRefund;
    desk.give(Role::Customer, Command::OpenCase { case: case(id), resolution, lines })
}

fn receive_named(
    desk: &mut Desk,
    id: &str,
    count: i64,
    names: &[String],
    lots: &[&str],
) -> Result<Decision, Refusal> {
    let lines = vec![ReceivedLine {
        line: line("1"),
        quantity: pieces(count),
        serials: serials(names),
        lots: lots.iter().map(|lot| LotId::new(lot).unwrap()).collect(),
    }];
    let (case, parcel, unexpected) = (case(id), None, Vec::new());
    desk.give(Role::Warehouse, Command::Receive { case, parcel, lines, unexpected })
}

fn kinds(desk: &Desk, id: &str) -> Vec<UnexpectedKind> {
    let own = desk.order.case(&case(id)).unwrap();
    own.unexpected.iter().map(|item| item.kind).collect()
}

#[test]
fn a_wrong_serial_is_set_aside_and_admitted_only_by_decision() {
    for admitted in [false, true] {
        let mut desk = Desk::new(phones());
        open_named(&mut desk, "R-1", 1, &["P1".into()]).unwrap();
        desk.authorize("R-1").unwrap();
        let received = receive_named(&mut desk, "R-1", 1, &["P2".into()], &[]).unwrap();
        assert_eq!(received.findings[0].rule.id.as_str(), "wrong_serial");
        assert_eq!(kinds(&desk, "R-1"), [UnexpectedKind::WrongSerial]);
        assert_eq!(desk.status("R-1"), "awaiting_return", "what was expected has not come");
        assert_eq!(obstacles(desk.refund("R-1")), [Obstacle::NothingToSettle]);
        let end = if admitted { UnexpectedEnd::Admitted } else { UnexpectedEnd::SentBack };
        let resolve = Command::ResolveUnexpected { case: case("R-1"), item: 1, end };
        desk.give(Role::Supervisor, resolve).unwrap();
        assert_eq!(of(&desk, "1", Location::Received), i64::from(admitted));
        if admitted {
            desk.accept("R-1", &[("1", 1)]).unwrap();
            desk.refund("R-1").unwrap();
            assert_eq!(desk.order.money().refunded().to_string(), "60.00 GBP");
        } else {
            desk.close("R-1").unwrap();
        }
    }
}

#[test]
fn goods_of_a_lot_that_was_never_shipped_are_set_aside() {
    let mut desk = Desk::new(phones());
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    let received = receive_named(&mut desk, "R-1", 2, &[], &["L9"]).unwrap();
    assert_eq!(received.findings[0].rule.id.as_str(), "wrong_lot");
    assert_eq!(kinds(&desk, "R-1"), [UnexpectedKind::WrongLot]);
    assert_eq!(of(&desk, "1", Location::Received), 0);
    receive_named(&mut desk, "R-1", 2, &[], &["L1"]).unwrap();
    assert_eq!(of(&desk, "1", Location::Received), 2);
}

#[test]
fn a_unit_that_went_home_may_be_asked_back_and_one_that_stayed_may_not() {
    let mut desk = Desk::new(phones());
    open_named(&mut desk, "R-1", 2, &["P1".into(), "P2".into()]).unwrap();
    desk.authorize("R-1").unwrap();
    receive_named(&mut desk, "R-1", 2, &["P1".into(), "P2".into()], &[]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    desk.reject("R-1", &[("1", 1)]).unwrap();
    let home = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
    desk.give(Role::Warehouse, Command::ReturnToCustomer { case: case("R-1"), lines: home })
        .unwrap();
    desk.refund("R-1").unwrap();
    desk.pay("R-1", 1).unwrap();
    let busy =
        |serial: &str| Obstacle::SerialInUse { serial: serial.parse().unwrap(), case: case("R-1") };
    let still_open = obstacles(open_named(&mut desk, "R-2", 1, &["P2".into()]));
    assert_eq!(still_open, [busy("P2")], "its case is open");
    desk.close("R-1").unwrap();
    // One of the two is at home; the number that turns up says which.
    open_named(&mut desk, "R-2", 1, &["P2".into()]).unwrap();
    desk.authorize("R-2").unwrap();
    receive_named(&mut desk, "R-2", 1, &["P2".into()], &[]).unwrap();
    assert_eq!(of(&desk, "1", Location::Received), 1);
    let kept = obstacles(open_named(&mut desk, "R-3", 1, &["P1".into()]));
    assert_eq!(kept, [busy("P1")], "P1 has stayed with us");
    // P2 goes home again, and may be asked back again.
    desk.reject("R-2", &[("1", 1)]).unwrap();
    let home = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
    desk.give(Role::Warehouse, Command::ReturnToCustomer { case: case("R-2"), lines: home })
        .unwrap();
    desk.close("R-2").unwrap();
    open_named(&mut desk, "R-2b", 1, &["P2".into()]).unwrap();
    // Read once more in another case, P1 is not that case's unit.
    desk.open("R-4", &[("1", 1)]).unwrap();
    desk.authorize("R-4").unwrap();
    receive_named(&mut desk, "R-4", 1, &["P1".into()], &[]).unwrap();
    assert_eq!(kinds(&desk, "R-4"), [UnexpectedKind::WrongSerial]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// CAS-57: a serial number is in at most one open case, comes back at most once until it goes out
    /// again, and a number of no shipment is never received as a return [5, 6].
    #[test]
    fn a_serial_number_is_in_one_place(
        ops in proptest::collection::vec((0..5_usize, 0..3_usize, 0..6_usize), 1..24),
    ) {
        let mut desk = Desk::new(phones());
        // The slow model: for each number the case that holds it, and whether it is here.
        let mut holder: BTreeMap<String, (String, bool)> = BTreeMap::new();
        let mut open: BTreeSet<String> = BTreeSet::new();
        for (step, (op, which, number)) in ops.into_iter().enumerate() {
            let serial = format!("P{number}"); // P4 and P5 were never shipped
            let recent: Vec<String> = open.iter().cloned().collect();
            let own = recent.get(which % recent.len().max(1)).cloned();
            match (op, own) {
                (0 | 1, _) => {
                    let id = format!("R-{step}");
                    let fits = number < 4 && !holder.contains_key(&serial);
                    let result = open_named(&mut desk, &id, 1, std::slice::from_ref(&serial));
                    prop_assert_eq!(result.is_ok(), fits, "{}: {:?}", serial, result);
                    if fits {
                        desk.authorize(&id).unwrap();
                        holder.insert(serial, (id.clone(), false));
                        open.insert(id);
                    }
                }
                (2 | 3, Some(id)) => {
                    let (mine, here) = holder
                        .iter()
                        .find(|(_, (holder, _))| *holder == id)
                        .map(|(serial, (_, here))| (serial.clone(), *here))
                        .unwrap();
                    let before = of(&desk, "1", Location::Received);
                    receive_named(&mut desk, &id, 1, std::slice::from_ref(&serial), &[]).unwrap();
                    let genuine = serial == mine && !here;
                    let received = of(&desk, "1", Location::Received) - before;
                    prop_assert_eq!(received, i64::from(genuine), "{} for {}", serial, mine);
                    if genuine {
                        holder.insert(mine, (id, true));
                    }
                }
                (_, Some(id)) => {
                    // What is here goes home; the case ends, and the number is free again.
                    let here = holder.values().any(|(holder, here)| *holder == id && *here);
                    if here {
                        desk.reject(&id, &[("1", 1)]).unwrap();
                        let lines = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
                        let case = case(&id);
                        let home = Command::ReturnToCustomer { case, lines };
                        desk.give(Role::Warehouse, home).unwrap();
                    }
                    desk.close(&id).unwrap();
                    holder.retain(|_, (holder, _)| *holder != id);
                    open.remove(&id);
                }
                (_, None) => {}
            }
            let mut seen = BTreeSet::new();
            for own in desk.order.cases().filter(|own| own.closing.is_none()) {
                for serial in &own.lines[0].serials {
                    prop_assert!(seen.insert(serial), "{} is in two open cases", serial);
                }
            }
        }
        let replayed = AfterSale::replay(desk.sale.clone(), &desk.events);
        prop_assert_eq!(replayed.as_ref(), Ok(&desk.order));
    }

    /// CAS-58: a return in another unit of the article moves exactly as many base units, and what does
    /// not come out whole is refused before it reaches a case [8, 14].
    #[test]
    fn units_of_measure_are_conserved(
        cartons in 1..6_i64,
        per_carton in 1..13_i64,
        pence in 1..999_i64,
        back in proptest::collection::vec((any::<bool>(), 1..20_i64), 1..8),
    ) {
        let total = cartons * per_carton;
        let price = format!("{}.{:02}", pence / 100, pence % 100);
        let mut desk = Desk::new(sale(&[("1", total, total, price.as_str())]));
        let carton = Unit::known("carton").unwrap();
        let table =
            UnitTable::new(Unit::PIECE, [(carton, Ratio::new(per_carton, 1).unwrap())]).unwrap();
        let mut left = total;
        for (number, (in_cartons, count)) in back.into_iter().enumerate() {
            let unit = if in_cartons { carton } else { Unit::PIECE };
            let asked = Quantity::new(count, unit).unwrap();
            let base = table.to_base(asked).unwrap();
            let id = format!("R-{number}");
            if in_cartons {
                let raw = RequestedLine { quantity: asked, ..wanted("1", 1) };
                let open = Command::OpenCase {
                    case: case(&id),
                    resolution: Resolution::ReturnAndRefund,
                    lines: vec![raw],
                };
                let wrong = obstacles(desk.give(Role::Customer, open));
                let line = line("1");
                prop_assert_eq!(wrong, [Obstacle::WrongUnit { line, quantity: asked }]);
            }
            let fits = base.steps() <= left;
            let result = desk.whole_return(&id, &[("1", base.steps())]);
            prop_assert_eq!(result.is_ok(), fits);
            left -= if fits { base.steps() } else { 0 };
            prop_assert_eq!(of(&desk, "1", Location::Settled), total - left);
            prop_assert_eq!(desk.order.money().refunded().minor(), (total - left) * pence);
        }
        let rest = table.convert(pieces(left), carton);
        prop_assert_eq!(rest.is_ok(), left % per_carton == 0);
    }
}

#[test]
fn milk_by_the_liter_is_returned_to_the_milliliter_and_no_finer() {
    let text = r#"{"order":"SO-1","currency":"GBP","placed_at":"2026-03-02T09:00:00Z",
        "prices":"tax_included",
        "lines":[{"id":"1","sku":"MILK","quantity":{"amount":"2.500","unit":"l"},"unit_price":"1.20"}],
        "tenders":[{"id":"card","kind":"card","captured":{"amount":"3.00","currency":"GBP"}}],
        "shipments":[{"parcel":"OUT-1","shipped_at":"2026-03-02T12:00:00Z",
            "delivered_at":"2026-03-03T12:00:00Z",
            "lines":[{"line":"1","quantity":{"amount":"2.500","unit":"l"}}]}],
        "total":{"amount":"3.00","currency":"GBP"}}"#;
    let mut desk = Desk::new(serde_json::from_str(text).unwrap());
    let liters = |text: &str| Quantity::parse(text, Unit::known("l").unwrap());
    assert!(liters("0.0005").is_err(), "finer than a milliliter");
    for (id, amount) in [("R-1", "0.625"), ("R-2", "1.875")] {
        let quantity = liters(amount).unwrap();
        let lines = vec![RequestedLine { quantity, ..wanted("1", 1) }];
        let resolution = Resolution::ReturnAndRefund;
        desk.give(Role::Customer, Command::OpenCase { case: case(id), resolution, lines }).unwrap();
        desk.authorize(id).unwrap();
        let received = ReceivedLine {
            line: line("1"),
            quantity,
            serials: Default::default(),
            lots: Default::default(),
        };
        let (lines, unexpected) = (vec![received], vec![]);
        let receive = Command::Receive { case: case(id), parcel: None, lines, unexpected };
        desk.give(Role::Warehouse, receive).unwrap();
        let (lines, basis) =
            (vec![LineQuantity { line: line("1"), quantity }], AcceptanceBasis::Inspected);
        desk.give(Role::Inspector, Command::Accept { case: case(id), lines, basis }).unwrap();
        desk.refund(id).unwrap();
    }
    assert_eq!(desk.order.money().refunded().to_string(), "3.00 GBP");
    assert_eq!(of(&desk, "1", Location::Settled), 2_500);
}
