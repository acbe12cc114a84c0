//! Ownerless parcels: which open cases they may belong to.

use aftersale::quantity::Unit;
use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Desk, case, line, pieces, sale, wanted};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::line::{LineQuantity, RequestedLine};
use aftersale::case::matching::{
    ARTICLE, Candidate, ORDER, ParcelMarks, SENDER, SERIAL, TRACKING, WEIGHT, rank, share_out,
};
use aftersale::case::resolution::Resolution;
use aftersale::id::{OrderId, ParcelId, Sku};
use aftersale::quantity::Quantity;
use aftersale::sale::Sale;
use proptest::prelude::*;

/// An order with one permitted case of `count` jackets.
fn order(name: &str, count: i64) -> Desk {
    let mut draft = sale(&[("1", 5, 5, "59.90")]).draft().clone();
    draft.order = OrderId::new(name).unwrap();
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", count)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk
}

fn candidates<'a>(desks: &'a [Desk], sender: &'a BTreeSet<String>) -> Vec<Candidate<'a>> {
    let one = |desk: &'a Desk| {
        let case = desk.order.case(&case("R-1")).unwrap();
        Candidate { order: &desk.order, case, sender, grams: Some(1_000) }
    };
    desks.iter().map(one).collect()
}

fn jackets(count: i64) -> BTreeMap<Sku, Quantity> {
    [(Sku::new("SKU-1").unwrap(), pieces(count))].into()
}

#[test]
fn a_tracking_number_beats_everything_else() {
    let mut desks = vec![order("SO-1", 1), order("SO-2", 1)];
    let parcel = ParcelId::new("YT-77").unwrap();
    let lines = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
    let back = Command::SendBack { case: case("R-1"), parcel: parcel.clone(), lines };
    desks[1].give(Role::Customer, back).unwrap();
    let sender: BTreeSet<String> = ["name-9f".to_owned(), "phone-31".to_owned()].into();
    let marks = ParcelMarks {
        tracking: Some(parcel),
        order: OrderId::new("SO-1").ok(),
        contents: jackets(1),
        sender: sender.clone(),
        grams: Some(1_100),
        ..ParcelMarks::default()
    };
    let ranked = rank(&marks, candidates(&desks, &sender));
    let scores: Vec<(&str, u32)> =
        ranked.iter().map(|found| (found.order.as_str(), found.score)).collect();
    let common = 2 * SENDER + ARTICLE + WEIGHT;
    assert_eq!(scores, [("SO-2", TRACKING + common), ("SO-1", ORDER + common)]);
    assert_eq!(ranked[0].findings.len(), 4);
}

#[test]
fn ended_refused_and_foreign_cases_are_left_out() {
    let mut desks = vec![order("SO-1", 1), order("SO-2", 1), order("SO-3", 1)];
    desks[0].close("R-1").unwrap();
    desks[1].receive("R-1", &[("1", 1)]).unwrap();
    let nobody = BTreeSet::new();
    let marks = ParcelMarks { contents: jackets(1), ..ParcelMarks::default() };
    let ranked = rank(&marks, candidates(&desks, &nobody));
    assert_eq!(ranked.len(), 1);
    assert_eq!(ranked[0].order.as_str(), "SO-3");
    let empty = ParcelMarks::default();
    assert!(rank(&empty, candidates(&desks, &nobody)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// CAS-27: the ranking does not depend on the order of the candidates, and each score is the sum
    /// of the points of its findings [53].
    #[test]
    fn the_ranking_is_total_and_explained(
        order_of in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
        named in 1..5_usize,
        grams in 900..1_200_u32,
    ) {
        let desks: Vec<Desk> = (1..5).map(|n| order(&format!("SO-{n}"), 1)).collect();
        let sender: BTreeSet<String> = ["name-9f".to_owned()].into();
        let marks = ParcelMarks {
            order: OrderId::new(format!("SO-{named}")).ok(),
            contents: jackets(2),
            sender: sender.clone(),
            grams: Some(grams),
            ..ParcelMarks::default()
        };
        let all = candidates(&desks, &sender);
        let shuffled: Vec<Candidate<'_>> = order_of.iter().map(|place| all[*place]).collect();
        let ranked = rank(&marks, all);
        prop_assert_eq!(&ranked, &rank(&marks, shuffled));
        prop_assert_eq!(ranked[0].order.as_str(), format!("SO-{named}"));
        for found in &ranked {
            let points = |finding: &aftersale::explain::Finding| match finding.required {
                Some(aftersale::explain::Fact::Count(points)) => points,
                _ => 0,
            };
            let sum: i64 = found.findings.iter().map(points).sum();
            prop_assert_eq!(sum, i64::from(found.score));
        }
    }

    /// CAS-28: sharing a parcel out loses and makes nothing, and gives no case more than it awaits.
    #[test]
    fn sharing_out_conserves_the_contents(
        awaited in proptest::collection::vec(1..5_i64, 1..4),
        inside in 0..14_i64,
    ) {
        let desks: Vec<Desk> =
            awaited.iter().enumerate().map(|(n, count)| order(&format!("SO-{n}"), *count)).collect();
        let cases = desks.iter().map(|desk| (&desk.order, desk.order.case(&case("R-1")).unwrap()));
        let twice = cases.clone().chain(cases); // a case named twice gets its share once
        let (shares, left) = share_out(&jackets(inside), twice);
        let given: i64 = shares.iter().map(|share| share.quantity.steps()).sum();
        let rest: i64 = left.values().map(|quantity| quantity.steps()).sum();
        prop_assert_eq!(given + rest, inside);
        prop_assert_eq!(given, inside.min(awaited.iter().sum()));
        for share in &shares {
            let place: usize = share.order.as_str()[3..].parse().unwrap();
            prop_assert!(share.quantity.steps() <= awaited[place]);
        }
    }
}

/// Two digests of a sender and three articles count at most; a serial number counts for the line that
/// asked for it; of equal scores the case that was opened first comes first.
#[test]
fn points_have_their_limits_and_ties_go_to_the_older_case() {
    let articles: Vec<(&str, i64, i64, &str)> =
        vec![("1", 1, 1, "9.00"), ("2", 1, 1, "9.00"), ("3", 1, 1, "9.00"), ("4", 1, 1, "9.00")];
    let mut draft = sale(&articles).draft().clone();
    draft.shipments[0].lines[0].serials = ["P1".parse().unwrap()].into();
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", 1), ("2", 1), ("3", 1), ("4", 1)]).unwrap();
    let sender: BTreeSet<String> = ["name", "phone", "mail"].map(str::to_owned).into();
    let contents = (1..=4).map(|n| (Sku::new(format!("SKU-{n}")).unwrap(), pieces(1))).collect();
    let marks = ParcelMarks { contents, sender: sender.clone(), ..ParcelMarks::default() };
    let ranked = rank(&marks, candidates(std::slice::from_ref(&desk), &sender));
    assert_eq!(ranked[0].score, 2 * SENDER + 3 * ARTICLE);

    let numbers = ["P1".parse().unwrap(), "P2".parse().unwrap()];
    let mut draft = sale(&[("1", 2, 2, "59.90")]).draft().clone();
    draft.shipments[0].lines[0].serials = numbers.into();
    let nobody = BTreeSet::new();
    for (found, score) in [("P1", Some(SERIAL)), ("P2", None)] {
        let mut desk = Desk::new(Sale::freeze(draft.clone()).unwrap());
        let named = RequestedLine { serials: ["P1".parse().unwrap()].into(), ..wanted("1", 1) };
        let (resolution, lines) = (Resolution::ReturnAndRefund, vec![named]);
        let open = Command::OpenCase { case: case("R-1"), resolution, lines };
        desk.give(Role::Customer, open).unwrap();
        let serials = [found.parse().unwrap()].into();
        let marks = ParcelMarks { serials, ..ParcelMarks::default() };
        let ranked = rank(&marks, candidates(std::slice::from_ref(&desk), &nobody));
        assert_eq!(ranked.first().map(|found| found.score), score, "{found}");
    }

    let mut late = order("SO-1", 1);
    late.now = aftersale::time::add_seconds(late.now, 3_600).unwrap();
    late.open("R-2", &[("1", 1)]).unwrap();
    let early = order("SO-2", 1);
    let nobody = &nobody;
    fn one<'a>(desk: &'a Desk, id: &str, sender: &'a BTreeSet<String>) -> Candidate<'a> {
        let case = desk.order.case(&case(id)).unwrap();
        Candidate { order: &desk.order, case, sender, grams: None }
    }
    let marks = ParcelMarks { contents: jackets(1), ..ParcelMarks::default() };
    let ranked = rank(&marks, [one(&late, "R-2", nobody), one(&early, "R-1", nobody)]);
    assert_eq!(ranked[0].order.as_str(), "SO-2", "opened an hour before");
}

/// Goods are shared out in the unit in which they are counted, and an article speaks for a case as long
/// as it awaits it.
#[test]
fn a_unit_and_an_article_that_do_not_fit_speak_for_nobody() {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "9.00"), ("2", 1, 1, "9.00")]));
    desk.open("R-1", &[("1", 1), ("2", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let own = desk.order.case(&case("R-1")).unwrap();
    let of = |sku: &str, quantity| -> BTreeMap<Sku, Quantity> {
        [(Sku::new(sku).unwrap(), quantity)].into()
    };
    let weighed = of("SKU-2", Quantity::parse("1", Unit::known("kg").unwrap()).unwrap());
    assert_eq!(share_out(&weighed, [(&desk.order, own)]), (vec![], weighed.clone()));
    let nobody = BTreeSet::new();
    for (sku, fits) in [("SKU-1", false), ("SKU-2", true)] {
        let marks = ParcelMarks { contents: of(sku, pieces(1)), ..ParcelMarks::default() };
        let ranked = rank(&marks, candidates(std::slice::from_ref(&desk), &nobody));
        assert_eq!(!ranked.is_empty(), fits, "{sku}");
    }
}
