//! Checklists and kits.

use std::collections::BTreeMap;

use aftersale::id::RuleId;
use aftersale::inspection::checklist::{Answer, Checklist};
use aftersale::inspection::kit::{KitComponent, whole_kits};
use aftersale::inspection::{Disposition, Grade, KitError};
use aftersale::preset::industries::{self, ELECTRONICS, IndustryPack};
use aftersale::quantity::{Quantity, Unit};
use proptest::prelude::*;

fn checklist(text: &str) -> Checklist {
    serde_json::from_str::<IndustryPack>(text).unwrap().checklist
}

fn answers(list: &Checklist, failed: &[&str]) -> BTreeMap<RuleId, Answer> {
    let answer = |id: &RuleId| {
        if failed.contains(&id.as_str()) { Answer::No } else { Answer::Yes }
    };
    list.items().iter().map(|item| (item.id.clone(), answer(&item.id))).collect()
}

#[test]
fn a_phone_with_a_broken_screen_and_a_swollen_battery_is_quarantined() {
    let list = checklist(ELECTRONICS);
    let clean = list.assess(&answers(&list, &[])).value;
    assert_eq!(clean.suggestion.unwrap().disposition, Disposition::Restock);
    let broken = list.assess(&answers(&list, &["screen", "battery"]));
    let suggestion = broken.value.suggestion.unwrap();
    assert_eq!(
        (suggestion.grade, suggestion.disposition),
        (Grade::Unsafe, Disposition::Quarantine)
    );
    assert_eq!(broken.value.found.len(), 2);
    assert_eq!(broken.value.evidence.len(), 2);
    assert_eq!(broken.findings.len(), list.items().len());
}

/// INS-1: an open question leaves the suggestion open, and is named.
#[test]
fn an_open_question_leaves_the_suggestion_open() {
    let list = checklist(ELECTRONICS);
    let mut some = answers(&list, &["screen"]);
    some.remove("battery");
    let assessed = list.assess(&some).value;
    assert_eq!(assessed.suggestion, None);
    assert_eq!(assessed.open.iter().map(RuleId::as_str).collect::<Vec<_>>(), ["battery"]);
}

/// Of two findings of one grade the first question decides what becomes of the unit.
#[test]
fn of_one_grade_the_first_question_decides() {
    let list = checklist(industries::APPAREL);
    let damaged = list.items().iter().filter(|item| item.when_no.grade == Grade::Damaged);
    let damaged: Vec<_> = damaged.collect();
    let (first, second) = (&damaged[0], &damaged[1]);
    assert_ne!(first.when_no.disposition, second.when_no.disposition);
    let assessed = list.assess(&answers(&list, &[first.id.as_str(), second.id.as_str()])).value;
    assert_eq!(assessed.suggestion.unwrap().disposition, first.when_no.disposition);
}

proptest! {
    /// INS-2: one more failed question never improves the grade, and the grade is the worst found.
    #[test]
    fn a_failed_question_never_improves_the_grade(
        pack in 0..6_usize,
        failed in proptest::collection::vec(any::<bool>(), 12),
        more in 0..12_usize,
    ) {
        let list = checklist(industries::ALL[pack]);
        let ids: Vec<&str> = list.items().iter().map(|item| item.id.as_str()).collect();
        let mut chosen: Vec<&str> =
            ids.iter().zip(&failed).filter(|(_, no)| **no).map(|(id, _)| *id).collect();
        let grade = |chosen: &[&str]| {
            list.assess(&answers(&list, chosen)).value.suggestion.unwrap().grade
        };
        let before = grade(&chosen);
        let worst = list
            .items()
            .iter()
            .filter(|item| chosen.contains(&item.id.as_str()))
            .map(|item| item.when_no.grade)
            .max();
        prop_assert_eq!(before, worst.unwrap_or(Grade::AsNew));
        chosen.push(ids[more % ids.len()]);
        prop_assert!(grade(&chosen) >= before);
    }

    /// INS-3: whole kits returned are the least over the components, rounded down: taking kits apart
    /// one by one gives the same count [7].
    #[test]
    fn whole_kits_equal_taking_kits_one_by_one(
        parts in proptest::collection::vec((1..7_i64, 0..60_i64), 1..6),
    ) {
        let components: Vec<KitComponent> = parts
            .iter()
            .map(|(per_kit, returned)| KitComponent {
                per_kit: Quantity::pieces(*per_kit).unwrap(),
                returned: Quantity::pieces(*returned).unwrap(),
            })
            .collect();
        let mut left: Vec<i64> = parts.iter().map(|part| part.1).collect();
        let mut kits = 0;
        while left.iter().zip(&parts).all(|(left, part)| *left >= part.0) {
            left.iter_mut().zip(&parts).for_each(|(left, part)| *left -= part.0);
            kits += 1;
        }
        prop_assert_eq!(whole_kits(&components), Ok(kits));
    }
}

#[test]
fn a_kit_of_nothing_and_of_two_units_is_refused() {
    let pieces = |count| Quantity::pieces(count).unwrap();
    let nothing = KitComponent { per_kit: pieces(0), returned: pieces(1) };
    assert_eq!(whole_kits(&[nothing]), Err(KitError::Nothing));
    let kilograms = Quantity::parse("1", Unit::known("kg").unwrap()).unwrap();
    let mixed = KitComponent { per_kit: pieces(1), returned: kilograms };
    assert!(matches!(whole_kits(&[mixed]), Err(KitError::TwoUnits { .. })));
    assert_eq!(whole_kits(&[]), Ok(0));
}

#[test]
fn a_checklist_without_questions_or_with_one_twice_is_refused() {
    let list = checklist(ELECTRONICS);
    let mut draft = list.draft().clone();
    draft.items.push(draft.items[0].clone());
    let refused = Checklist::try_from(draft.clone()).unwrap_err().to_string();
    assert!(refused.contains("two questions `right_article`"), "{refused}");
    draft.items.clear();
    assert!(Checklist::try_from(draft).unwrap_err().to_string().contains("no questions"));
}
