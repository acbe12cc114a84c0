//! Judging a line by the policies that ship with the crate.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aftersale::calendar::working_days::WorkingDays;
use aftersale::explain::{Effect, Fact};
use aftersale::id::{PolicyId, RuleId};
use aftersale::label::{Coded, Language};
use aftersale::money::{Money, currency::Currency};
use aftersale::policy::deadline::{Information, Place, Timeline, Timing};
use aftersale::policy::facts::{Buyer, ContractChannel, LineFact, LineFacts};
use aftersale::policy::judge::Situation;
use aftersale::policy::period::{
    Act, Anchor, Choose, DayEnd, Length, LengthUnit, PauseKind, PeriodTerms, Roll, Start, Step,
};
use aftersale::policy::set::{PolicyDefects, PolicyDraft, PolicyFault, PolicySet};
use aftersale::policy::terms::{
    Basis, Certainty, Deduction, IfUnknown, OutboundFreight, RefundMeans, Remedy, RestockingFee,
    RuleTerms, Withhold,
};
use aftersale::policy::verdict::{GroundKind, Refused, Verdict};
use aftersale::preset::policies;
use aftersale::quantity::{Quantity, Unit};
use aftersale::reason::attribute::{FreightPayer, PolicyBasis};
use aftersale::time::Instant;
use chrono::NaiveDate;
use proptest::prelude::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn draft(text: &str) -> PolicyDraft {
    serde_json::from_str(text).unwrap()
}

fn set(texts: &[&str]) -> PolicySet {
    PolicySet::verify(texts.iter().map(|text| draft(text)).collect()).unwrap()
}

fn china() -> Place {
    Place::new("Asia/Shanghai".parse().unwrap(), WorkingDays::china())
}

fn germany() -> Place {
    Place::new("Europe/Berlin".parse().unwrap(), WorkingDays::weekdays())
}

fn britain() -> Place {
    Place::new("Europe/London".parse().unwrap(), WorkingDays::weekdays())
}

fn online(country: &str, basis: PolicyBasis, tags: &[&str]) -> LineFacts {
    LineFacts {
        country: Some(country.into()),
        channel: Some(ContractChannel::Online),
        buyer: Some(Buyer::Consumer),
        reason_basis: Some(basis),
        made_to_order: Some(false),
        confirmed_at_purchase: Some(false),
        promised: Some(false),
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
        ..LineFacts::default()
    }
}

/// A phone signed for on 2 March 2026 in Shanghai.
fn phone(asked: &str, basis: PolicyBasis, tags: &[&str]) -> Situation {
    let signed = at("2026-03-02T04:00:00Z");
    let timeline =
        Timeline::new(at(asked)).with(Anchor::Signed, signed).with(Anchor::Delivered, signed);
    Situation { line: online("CN", basis, tags), timeline }
}

/// A jacket delivered on 2 January 2026 in Berlin.
fn jacket(asked: &str) -> Situation {
    let timeline = Timeline::new(at(asked)).with(Anchor::Delivered, at("2026-01-02T09:00:00Z"));
    Situation { line: online("DE", PolicyBasis::Withdrawal, &["apparel"]), timeline }
}

fn refused<'v>(verdict: &'v Verdict, rule: &str) -> &'v Refused {
    let found = verdict.refused.iter().find(|refused| refused.rule.id.as_str() == rule);
    found.unwrap_or_else(|| panic!("{rule} is not refused: {verdict:#?}"))
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict.entitlements.iter().map(|right| right.rule.id.as_str()).collect()
}

// China.

#[test]
fn a_chinese_online_buyer_returns_within_seven_days_subject_to_inspection() {
    let verdict = set(&[policies::CN_NO_REASON])
        .judge(&phone("2026-03-09T15:59:59Z", PolicyBasis::Withdrawal, &["electronics"]), &china());
    let right = verdict.best().unwrap();
    assert_eq!(right.basis, Basis::NoReason);
    assert_eq!(right.certainty, Certainty::Read);
    assert_eq!(right.remedies, BTreeSet::from([Remedy::Refund]));
    assert_eq!(right.return_freight, FreightPayer::Customer);
    assert_eq!(right.outbound_freight, OutboundFreight::DeductLostFreeShipping);
    assert_eq!(right.deductions, BTreeSet::from([Deduction::UnreturnedGift, Deduction::CardFee]));
    let deadline = right.window.as_ref().unwrap().deadline().unwrap();
    assert_eq!(deadline.last_day, day("2026-03-09"));
    let open: Vec<&str> =
        right.subject_to.iter().filter_map(|finding| finding.subject.as_deref()).collect();
    assert!(open.contains(&"intact: intact is yes"), "{open:?}");
    assert!(right.subject_to.iter().all(|finding| finding.effect == Effect::Requires));
}

/// POL-7: a refusal for lateness carries the numbers: the act, the last day, the days elapsed.
#[test]
fn a_late_request_is_refused_with_its_numbers() {
    let verdict = set(&[policies::CN_NO_REASON])
        .judge(&phone("2026-03-09T16:00:00Z", PolicyBasis::Withdrawal, &[]), &china());
    assert!(!verdict.is_entitled());
    let late = refused(&verdict, "cn_seven_days");
    assert_eq!(late.grounds.len(), 1);
    assert_eq!(late.grounds[0].kind, GroundKind::TooLate);
    let findings = &late.grounds[0].findings;
    assert_eq!(findings[0].observed, Some(Fact::Date(day("2026-03-10"))));
    assert_eq!(findings[0].required, Some(Fact::Date(day("2026-03-09"))));
    assert_eq!(findings[1].observed, Some(Fact::Days(8)));
    assert_eq!(findings[1].required, Some(Fact::Days(7)));
}

#[test]
fn all_grounds_of_a_refusal_are_listed() {
    let mut cake = phone("2026-04-01T00:00:00Z", PolicyBasis::Withdrawal, &["perishable", "food"]);
    cake.line.made_to_order = Some(true);
    cake.line.intact = Some(false);
    cake.line.seal_broken = Some(true);
    let verdict = set(&[policies::CN_NO_REASON]).judge(&cake, &china());
    let grounds = &refused(&verdict, "cn_seven_days").grounds;
    let kinds: Vec<GroundKind> = grounds.iter().map(|ground| ground.kind).collect();
    use GroundKind::{Excluded, RequirementUnmet, TooLate};
    assert_eq!(kinds, [Excluded, Excluded, Excluded, RequirementUnmet, TooLate]);
    assert_eq!(
        grounds[0].findings[0].to_string(),
        "rule `cn_seven_days` denies (made_to_order: made_to_order is yes): yes observed \
         [Consumer Rights Protection Law of China Art. 25(1)]"
    );
}

#[test]
fn opening_to_inspect_is_no_ground_and_activation_needs_a_confirmation() {
    let set = set(&[policies::CN_NO_REASON]);
    let tags = ["electronics", "loses_value_once_activated"];
    let mut phone = phone("2026-03-05T00:00:00Z", PolicyBasis::Withdrawal, &tags);
    phone.line.opened = Some(true);
    phone.line.activated = Some(true);
    phone.line.intact = Some(true);
    phone.line.condition_findings = Some(BTreeSet::new());
    assert!(set.judge(&phone, &china()).is_entitled());
    phone.line.confirmed_at_purchase = Some(true);
    assert!(refused(&set.judge(&phone, &china()), "cn_seven_days").has(GroundKind::Excluded));
    phone.line.promised = Some(true); // the seller's own promise binds
    assert!(set.judge(&phone, &china()).is_entitled());
    phone.line.condition_findings = Some(["data_traces".into()].into());
    assert!(refused(&set.judge(&phone, &china()), "cn_seven_days").has(GroundKind::Excluded));
}

#[test]
fn a_chinese_refund_is_due_after_seven_days_and_in_breach_after_fifteen() {
    let mut phone = phone("2026-03-05T00:00:00Z", PolicyBasis::Withdrawal, &[]);
    let set = set(&[policies::CN_NO_REASON]);
    let refund = set.judge(&phone, &china()).entitlements[0].refund.clone().unwrap();
    assert_eq!(refund.clock.due, Timing::Unknown(vec![Anchor::GoodsReceived]));
    assert_eq!(refund.means, RefundMeans::EachTenderItsShare);
    phone.timeline = phone.timeline.with(Anchor::GoodsReceived, at("2026-03-10T04:00:00Z"));
    let refund = set.judge(&phone, &china()).entitlements[0].refund.clone().unwrap();
    assert_eq!(refund.clock.due.deadline().unwrap().last_day, day("2026-03-17"));
    assert_eq!(refund.clock.breach.unwrap().deadline().unwrap().last_day, day("2026-03-25"));
}

#[test]
fn the_platform_and_the_law_stand_side_by_side() {
    let mut phone = phone("2026-02-20T00:00:00Z", PolicyBasis::Withdrawal, &[]);
    phone.timeline =
        Timeline::new(at("2026-02-20T00:00:00Z")).with(Anchor::Signed, at("2026-02-08T02:00:00Z"));
    let verdict = set(&[policies::CN_PLATFORM, policies::CN_NO_REASON]).judge(&phone, &china());
    assert_eq!(rules(&verdict), ["cn_seven_days"]);
    assert!(refused(&verdict, "cn_platform_168_hours").has(GroundKind::TooLate));
}

#[test]
fn a_faulty_refrigerator_has_rights_on_every_basis() {
    let tags = ["three_guarantees"];
    let mut fridge = phone("2026-03-06T00:00:00Z", PolicyBasis::Nonconformity, &tags);
    fridge.timeline = fridge.timeline.with(Anchor::Sold, at("2026-03-01T02:00:00Z"));
    fridge.line.defect_confirmed = Some(true);
    fridge.line.condition_findings = Some(BTreeSet::new());
    fridge.line.repairs = Some(0);
    fridge.line.repair_days = Some(0);
    let set = set(&[policies::CN_NO_REASON, policies::CN_QUALITY, policies::CN_THREE_GUARANTEES]);
    let verdict = set.judge(&fridge, &china());
    let best = verdict.best().unwrap();
    assert_eq!(best.return_freight, FreightPayer::Seller);
    assert_eq!(best.remedies, BTreeSet::from([Remedy::Refund, Remedy::Exchange, Remedy::Repair]));
    assert_eq!(
        rules(&verdict),
        [
            "cn_quality_seven_days",
            "cn_tg_seven_days",
            "cn_seven_days",
            "cn_quality_later",
            "cn_tg_fifteen_days",
            "cn_tg_repair",
        ]
    );
    // Nobody said whether the same model is in stock, but there was no second repair either.
    assert!(refused(&verdict, "cn_tg_no_same_model").has(GroundKind::RequirementUnmet));
    assert_eq!(verdict.best_for(Remedy::Repair).unwrap().rule.id.as_str(), "cn_quality_seven_days");
}

#[test]
fn two_repairs_in_the_guarantee_give_an_exchange_and_without_the_model_a_refund() {
    let tags = ["three_guarantees"];
    let mut tv = phone("2026-08-01T00:00:00Z", PolicyBasis::Nonconformity, &tags);
    tv.timeline = tv.timeline.with(Anchor::Invoiced, at("2026-03-01T02:00:00Z"));
    tv.line.defect_confirmed = Some(true);
    tv.line.condition_findings = Some(BTreeSet::new());
    tv.line.repairs = Some(2);
    tv.line.repair_days = Some(12);
    let set = set(&[policies::CN_THREE_GUARANTEES]);
    let verdict = set.judge(&tv, &china());
    assert_eq!(rules(&verdict), ["cn_tg_two_repairs", "cn_tg_repair"]);
    let open = &verdict.undecided[0];
    assert_eq!(open.rule.id.as_str(), "cn_tg_no_same_model");
    assert_eq!(open.facts.first().unwrap().as_str(), "same_model_available");
    let name = open.facts.first().unwrap().clone();
    tv.line.more.insert(name, Fact::Flag(false));
    let verdict = set.judge(&tv, &china());
    assert_eq!(verdict.best().unwrap().rule.id.as_str(), "cn_tg_no_same_model");
    assert!(verdict.best().unwrap().deductions.contains(&Deduction::Depreciation));
    tv.line.repair_days = Some(31);
    assert!(rules(&set.judge(&tv, &china())).contains(&"cn_tg_long_repair"));
}

fn car(asked: &str, kilometers: Option<&str>, fault: &str) -> Situation {
    let timeline = Timeline::new(at(asked)).with(Anchor::Delivered, at("2026-01-05T04:00:00Z"));
    let mut car =
        Situation { line: online("CN", PolicyBasis::Nonconformity, &["family_car"]), timeline };
    car.line.defect_confirmed = Some(true);
    car.line.fault_class = Some(fault.into());
    car.line.same_fault_repairs = Some(0);
    car.line.part_replacements = Some(0);
    car.line.repair_days = Some(0);
    let unit = Unit::with_digits("km", 0).unwrap();
    car.timeline.usage = kilometers.iter().map(|km| Quantity::parse(km, unit).unwrap()).collect();
    car
}

/// POL-8: a window with two limits ends with the first of them.
#[test]
fn a_car_window_ends_by_time_or_by_kilometers() {
    let set = set(&[policies::CN_FAMILY_CARS]);
    let judge = |asked: &str, km| set.judge(&car(asked, km, "brake_failure"), &china());
    // Day 60 is Friday 6 March 2026.
    let inside = judge("2026-03-06T10:00:00Z", Some("3000"));
    assert_eq!(rules(&inside), ["cn_car_sixty_days", "cn_car_repair"]);
    let used = judge("2026-03-06T10:00:00Z", Some("3001"));
    assert_eq!(rules(&used), ["cn_car_repair"]);
    let ground = &refused(&used, "cn_car_sixty_days").grounds[0];
    assert_eq!(ground.kind, GroundKind::UsedTooMuch);
    assert_eq!(ground.findings[0].observed.as_ref().unwrap().to_string(), "3001 km");
    assert_eq!(ground.findings[0].required.as_ref().unwrap().to_string(), "3000 km");
    let late = judge("2026-03-07T10:00:00Z", Some("100"));
    assert!(refused(&late, "cn_car_sixty_days").has(GroundKind::TooLate));
    let both = judge("2026-03-07T10:00:00Z", Some("9000"));
    assert_eq!(refused(&both, "cn_car_sixty_days").grounds.len(), 2);
    let unread = judge("2026-03-06T10:00:00Z", None);
    let open = &unread.undecided[0];
    assert_eq!(open.rule.id.as_str(), "cn_car_sixty_days");
    assert_eq!(open.usage[0].code(), "km");
}

#[test]
fn a_car_comes_back_in_seven_days_and_after_repeated_repairs() {
    let set = set(&[policies::CN_FAMILY_CARS]);
    let early = set.judge(&car("2026-01-12T10:00:00Z", Some("200"), "engine"), &china());
    let found = rules(&early);
    assert_eq!(found, ["cn_car_seven_days", "cn_car_repair", "cn_car_assembly"]);
    let mut later = car("2027-06-01T10:00:00Z", Some("20000"), "infotainment");
    later.line.same_fault_repairs = Some(5);
    let verdict = set.judge(&later, &china());
    let right = verdict.best().unwrap();
    assert_eq!(right.rule.id.as_str(), "cn_car_later");
    assert_eq!(right.deductions, BTreeSet::from([Deduction::UseCompensation]));
    let answer = right.answer.as_ref().unwrap();
    assert_eq!(answer.due.deadline().unwrap().last_day, day("2027-06-15")); // ten working days
    later.line.same_fault_repairs = Some(4);
    assert!(!rules(&set.judge(&later, &china())).contains(&"cn_car_later"));
}

#[test]
fn a_recalled_unit_comes_back_whenever_it_comes() {
    let mut kettle = phone("2033-03-09T00:00:00Z", PolicyBasis::NoRight, &[]);
    let set = set(&[policies::RECALL]);
    assert_eq!(set.judge(&kettle, &china()).undecided[0].facts.len(), 1);
    kettle.line.under_recall = Some(true);
    let verdict = set.judge(&kettle, &china());
    let right = verdict.best().unwrap();
    assert_eq!((right.basis, right.window.clone()), (Basis::Recall, None));
    assert_eq!(right.return_freight, FreightPayer::Seller);
}

// European Union.

#[test]
fn a_european_withdrawal_refunds_the_cheapest_delivery_and_may_wait_for_proof() {
    let set = set(&[policies::EU_WITHDRAWAL]);
    let mut jacket = jacket("2026-01-16T22:59:59Z");
    let verdict = set.judge(&jacket, &germany());
    let right = verdict.best().unwrap();
    assert_eq!(right.rule.id.as_str(), "eu_withdrawal_goods");
    assert_eq!(right.outbound_freight, OutboundFreight::CheapestStandard);
    assert_eq!(right.return_freight, FreightPayer::Customer);
    let refund = right.refund.as_ref().unwrap();
    assert_eq!(refund.withhold, Withhold::UntilReceivedOrSent);
    assert_eq!(refund.awaiting, [Anchor::GoodsReceived, Anchor::GoodsSent]);
    assert_eq!(refund.clock.due.deadline().unwrap().last_day, day("2026-01-30"));
    let back = right.send_back.as_ref().unwrap().deadline().unwrap();
    assert_eq!(back.last_day, day("2026-01-30"));
    // Proof of dispatch after the fourteen days: due that day, not before.
    jacket.timeline = jacket.timeline.with(Anchor::GoodsSent, at("2026-02-03T09:00:00Z"));
    let verdict = set.judge(&jacket, &germany());
    let refund = verdict.best().unwrap().refund.as_ref().unwrap();
    let due = refund.clock.due.deadline().unwrap();
    assert_eq!((due.last_day, refund.awaiting.len()), (day("2026-02-03"), 0));
    assert_eq!(due.derivation.last().unwrap().subject.as_deref(), Some("withhold"));
}

#[test]
fn sending_the_statement_in_time_is_enough() {
    let set = set(&[policies::EU_WITHDRAWAL]);
    let mut jacket = jacket("2026-01-16T20:00:00Z");
    jacket.timeline = jacket.timeline.with(Anchor::NoticeReceived, at("2026-01-20T09:00:00Z"));
    assert!(set.judge(&jacket, &germany()).is_entitled());
    let late = set.judge(&self::jacket("2026-01-16T23:00:00Z"), &germany());
    assert!(refused(&late, "eu_withdrawal_goods").has(GroundKind::TooLate));
}

#[test]
fn a_seller_who_did_not_inform_pays_the_way_back_and_deducts_nothing() {
    let set = set(&[policies::EU_WITHDRAWAL]);
    let mut jacket = jacket("2026-06-16T20:00:00Z");
    assert!(!set.judge(&jacket, &germany()).is_entitled());
    jacket.timeline.information = Information::Never;
    let verdict = set.judge(&jacket, &germany());
    let right = verdict.best().unwrap();
    assert_eq!(right.return_freight, FreightPayer::Seller);
    assert!(right.deductions.is_empty());
    let finding = right.findings.iter().find(|f| f.subject.as_deref() == Some("not_informed"));
    assert_eq!(
        finding.unwrap().rule.source.as_deref(),
        Some("Directive 2011/83/EU Art. 14(1), 14(2)")
    );
}

#[test]
fn each_european_exemption_refuses_and_names_its_letter() {
    let set = set(&[policies::EU_WITHDRAWAL]);
    let flagged = |change: fn(&mut LineFacts), letter: &str| {
        let mut jacket = jacket("2026-01-10T09:00:00Z");
        change(&mut jacket.line);
        let verdict = set.judge(&jacket, &germany());
        let ground = &refused(&verdict, "eu_withdrawal_goods").grounds[0];
        assert_eq!(ground.kind, GroundKind::Excluded);
        let source = ground.findings[0].rule.source.as_deref().unwrap();
        assert_eq!(source, format!("Directive 2011/83/EU Art. 16({letter})"));
    };
    fn tagged(line: &mut LineFacts, tag: &str) {
        line.tags.insert(tag.into());
    }
    flagged(|line| tagged(line, "market_priced"), "b");
    flagged(|line| line.made_to_order = Some(true), "c");
    flagged(|line| tagged(line, "perishable"), "d");
    flagged(|line| (tagged(line, "sealed_hygiene"), line.seal_broken = Some(true)).1, "e");
    flagged(|line| tagged(line, "mixed_after_delivery"), "f");
    flagged(|line| tagged(line, "wine_futures"), "g");
    flagged(|line| (tagged(line, "sealed_media"), line.seal_broken = Some(true)).1, "i");
    flagged(|line| tagged(line, "press"), "j");
    flagged(|line| tagged(line, "public_auction"), "k");
    // A sale item, or one without its package, is no exemption.
    let mut sale = jacket("2026-01-10T09:00:00Z");
    sale.line.tags.extend(["final_sale".to_owned(), "no_original_package".to_owned()]);
    assert!(set.judge(&sale, &germany()).is_entitled());
}

#[test]
fn digital_content_begun_with_consent_cannot_be_withdrawn() {
    let set = set(&[policies::EU_WITHDRAWAL]);
    let mut film = jacket("2026-01-10T09:00:00Z");
    film.line.tags = ["digital".to_owned()].into();
    film.timeline = film.timeline.with(Anchor::ContractMade, at("2026-01-02T09:00:00Z"));
    film.line.performed_with_consent = Some(false);
    let verdict = set.judge(&film, &germany());
    assert_eq!(rules(&verdict), ["eu_withdrawal_service"]);
    assert!(refused(&verdict, "eu_withdrawal_goods").has(GroundKind::OutOfScope));
    film.line.performed_with_consent = Some(true);
    assert!(!set.judge(&film, &germany()).is_entitled());
}

#[test]
fn european_conformity_repairs_first_and_refunds_when_that_failed() {
    let set = set(&[policies::EU_CONFORMITY]);
    let mut jacket = jacket("2027-12-30T09:00:00Z");
    jacket.line.reason_basis = Some(PolicyBasis::Nonconformity);
    jacket.line.repairs = Some(0);
    jacket.line.replacements = Some(0);
    for name in ["remedy_refused", "fault_is_serious"] {
        jacket.line.more.insert(name.parse().unwrap(), Fact::Flag(false));
    }
    let verdict = set.judge(&jacket, &germany());
    assert_eq!(rules(&verdict), ["eu_conformity_repair"]);
    jacket.line.repairs = Some(1);
    let verdict = set.judge(&jacket, &germany());
    let best = verdict.best().unwrap();
    assert_eq!(best.remedies, BTreeSet::from([Remedy::Refund, Remedy::PriceReduction]));
    jacket.timeline.requested_at = at("2028-01-03T09:00:00Z");
    assert!(!set.judge(&jacket, &germany()).is_entitled());
}

// United Kingdom and Japan.

#[test]
fn british_rejection_has_three_stages() {
    let set = set(&[policies::UK]);
    let mut kettle = jacket("2026-01-31T09:00:00Z");
    kettle.line.country = Some("GB".into());
    kettle.line.reason_basis = Some(PolicyBasis::Nonconformity);
    kettle.line.defect_confirmed = Some(true);
    kettle.line.repairs = Some(0);
    kettle.line.replacements = Some(0);
    assert_eq!(rules(&set.judge(&kettle, &britain())), ["uk_short_reject", "uk_repair"]);
    kettle.line.repairs = Some(1);
    kettle.timeline.requested_at = at("2026-05-01T09:00:00Z");
    let verdict = set.judge(&kettle, &britain());
    assert_eq!(rules(&verdict), ["uk_final_reject_early", "uk_final_reject", "uk_repair"]);
    assert!(verdict.best().unwrap().deductions.is_empty()); // no deduction in the first six months
    kettle.timeline.requested_at = at("2026-09-01T09:00:00Z");
    let verdict = set.judge(&kettle, &britain());
    assert_eq!(verdict.best().unwrap().deductions, BTreeSet::from([Deduction::UseCompensation]));
}

#[test]
fn a_displayed_return_term_takes_the_place_of_the_japanese_rule() {
    let set = set(&[policies::JP_MAIL_ORDER]);
    let tokyo = Place::new("Asia/Tokyo".parse().unwrap(), WorkingDays::weekdays());
    let mut book = jacket("2026-01-09T14:59:59Z");
    book.line.country = Some("JP".into());
    assert_eq!(set.judge(&book, &tokyo).undecided[0].facts.len(), 1);
    let name = set.judge(&book, &tokyo).undecided[0].facts.first().unwrap().clone();
    book.line.more.insert(name.clone(), Fact::Flag(false));
    assert!(set.judge(&book, &tokyo).is_entitled());
    book.timeline.requested_at = at("2026-01-09T15:00:00Z"); // midnight in Tokyo
    assert!(!set.judge(&book, &tokyo).is_entitled());
    book.timeline.requested_at = at("2026-01-05T15:00:00Z");
    book.line.more.insert(name, Fact::Flag(true));
    assert!(refused(&set.judge(&book, &tokyo), "jp_eight_days").has(GroundKind::Excluded));
}

// The promise of a store.

#[test]
fn a_store_promise_of_thirty_days_asks_for_the_sale() {
    let set = set(&[policies::STORE]);
    let mug = |asked: &str| {
        let timeline = Timeline::new(at(asked)).with(Anchor::Sold, at("2011-03-01T10:00:00Z"));
        Situation { line: LineFacts::default(), timeline }
    };
    let inside = set.judge(&mug("2011-03-31T22:00:00Z"), &britain());
    let right = inside.best().unwrap();
    assert_eq!(right.evidence, BTreeSet::from(["proof_of_purchase".to_owned()]));
    // Nobody gave the reason, so nobody knows yet who pays the way back in the end.
    assert_eq!(right.return_freight, FreightPayer::Customer);
    let open = right.findings.iter().find(|f| f.subject.as_deref() == Some("faulty")).unwrap();
    assert_eq!(open.effect, Effect::Passes);
    // 31 March has ended in London: summer time began on 27 March.
    let late = set.judge(&mug("2011-03-31T23:00:00Z"), &britain());
    assert!(refused(&late, "store_window").has(GroundKind::TooLate));
    let mut unproven = mug("2011-03-05T00:00:00Z");
    unproven.timeline.events.clear();
    let verdict = set.judge(&unproven, &britain());
    assert_eq!(verdict.undecided[0].events, [Anchor::Sold, Anchor::Invoiced, Anchor::Delivered]);
}

/// Ninety days for members, for a fee of 4.95 and 15 % when worn.
fn members() -> RuleTerms {
    let mut rule = RuleTerms::store(
        RuleId::new("ninety").unwrap(),
        "Members' page",
        Length::new(90, LengthUnit::Days),
        Anchor::Delivered,
    );
    rule.deductions.insert(Deduction::RestockingFee);
    rule.restocking_fee = Some(RestockingFee::Share("0.15".parse().unwrap()));
    rule.return_fee = Some(Money::parse("4.95", Currency::EUR).unwrap());
    rule
}

#[test]
fn a_store_promise_can_be_built_with_other_days() {
    let mut store = draft(policies::STORE);
    store.rules = vec![members()];
    let set = PolicySet::verify(vec![store]).unwrap();
    let verdict = set.judge(&jacket("2026-04-02T09:00:00Z"), &germany());
    let right = verdict.best().unwrap();
    assert_eq!(right.window.as_ref().unwrap().deadline().unwrap().last_day, day("2026-04-02"));
    assert_eq!(right.return_fee.unwrap().to_string(), "4.95 EUR");
}

/// Who pays no freight back owes no fee for it, and a fee that may not be taken is none.
#[test]
fn fees_go_with_what_they_are_for() {
    let adjusted = |adjustment: &str| {
        let mut rule = members();
        rule.adjust = serde_json::from_str(&format!("[{adjustment}]")).unwrap();
        let mut store = draft(policies::STORE);
        store.rules = vec![rule];
        let set = PolicySet::verify(vec![store]).unwrap();
        let verdict = set.judge(&jacket("2026-04-02T09:00:00Z"), &germany());
        let right = verdict.best().unwrap();
        (right.return_fee.is_some(), right.restocking_fee.is_some())
    };
    assert_eq!(adjusted(r#"{"id":"nothing","when":"always"}"#), (true, true));
    let paid = r#"{"id":"free","when":"always","return_freight":"seller"}"#;
    assert_eq!(adjusted(paid), (false, true));
    let free = r#"{"id":"free","when":"always","without":["restocking_fee"]}"#;
    assert_eq!(adjusted(free), (true, false));
}

// Laws over all packs.

fn flags() -> impl Strategy<Value = Option<bool>> {
    prop_oneof![Just(None), Just(Some(true)), Just(Some(false))]
}

fn counts() -> impl Strategy<Value = Option<u32>> {
    prop::option::of(0u32..6)
}

fn situations() -> impl Strategy<Value = Situation> {
    let country = prop::option::of(prop::sample::select(vec!["CN", "DE", "GB", "JP", "US"]));
    let tags = prop::collection::btree_set(
        prop::sample::select(vec![
            "perishable",
            "electronics",
            "family_car",
            "three_guarantees",
            "sealed_hygiene",
            "digital",
            "final_sale",
            "apparel",
            "food",
        ]),
        0..4,
    );
    let who = (
        country,
        prop::option::of(prop::sample::select(ContractChannel::ALL)),
        prop::option::of(prop::sample::select(Buyer::ALL)),
        prop::option::of(prop::sample::select(PolicyBasis::ALL)),
        tags,
    );
    let what = (flags(), flags(), flags(), flags(), flags(), flags(), flags(), counts(), counts());
    let when = (
        0i64..800,
        prop::collection::btree_map(prop::sample::select(Anchor::ALL), 0i64..800, 0..8),
        prop::collection::btree_set(prop::sample::select(Anchor::ALL), 0..3),
        0u8..3,
        prop::option::of(0i64..70_000),
    );
    (who, what, when).prop_map(|(who, what, when)| {
        let hour = |hours: i64| at("2026-01-01T00:00:00Z") + chrono::TimeDelta::hours(hours);
        let unit = Unit::with_digits("km", 0).unwrap();
        let mut timeline = Timeline::new(hour(when.0));
        timeline.events = when.1.iter().map(|(anchor, at)| (*anchor, hour(*at))).collect();
        timeline.pending = when.2;
        timeline.information = match when.3 {
            0 => Information::InTime,
            1 => Information::Never,
            _ => Information::Late(hour(when.0)),
        };
        timeline.usage =
            when.4.iter().map(|km| Quantity::parse(&km.to_string(), unit).unwrap()).collect();
        let line = LineFacts {
            country: who.0.map(Into::into),
            channel: who.1,
            buyer: who.2,
            reason_basis: who.3,
            tags: who.4.into_iter().map(Into::into).collect(),
            made_to_order: what.0,
            confirmed_at_purchase: what.1,
            promised: what.2,
            intact: what.3,
            seal_broken: what.4,
            defect_confirmed: what.5,
            under_recall: what.6,
            repairs: what.7,
            same_fault_repairs: what.8,
            ..LineFacts::default()
        };
        Situation { line, timeline }
    })
}

fn all() -> Vec<PolicyDraft> {
    policies::ALL.iter().map(|text| draft(text)).collect()
}

/// All policies in one set, and each in a set of its own.
static ALL: LazyLock<PolicySet> = LazyLock::new(|| PolicySet::verify(all()).unwrap());
static EACH: LazyLock<Vec<PolicySet>> =
    LazyLock::new(|| all().into_iter().map(|one| PolicySet::verify(vec![one]).unwrap()).collect());
static CHINA: LazyLock<Place> = LazyLock::new(china);

fn answered(verdict: &Verdict) -> Vec<&str> {
    let mut ids: Vec<&str> = rules(verdict);
    ids.extend(verdict.refused.iter().map(|refused| refused.rule.id.as_str()));
    ids.extend(verdict.undecided.iter().map(|open| open.rule.id.as_str()));
    ids.sort_unstable();
    ids
}

proptest! {
    /// POL-9: every rule is answered exactly once, a refusal and an open answer with their grounds.
    #[test]
    fn every_rule_is_answered_once(situation in situations()) {
        let set = &*ALL;
        let verdict = set.judge(&situation, &CHINA);
        let mut wanted: Vec<&str> = set.rules().map(|(_, rule, _)| rule.id.as_str()).collect();
        wanted.sort_unstable();
        prop_assert_eq!(answered(&verdict), wanted);
        for refused in &verdict.refused {
            prop_assert!(refused.grounds.iter().all(|ground| !ground.findings.is_empty()));
            prop_assert!(!refused.grounds.is_empty());
        }
        for open in &verdict.undecided {
            prop_assert!(!open.facts.is_empty() || !open.events.is_empty() || !open.usage.is_empty());
        }
    }

    /// POL-10: laws add up: judging by all policies together gives what each gives alone.
    #[test]
    fn policies_do_not_touch_each_other(situation in situations()) {
        let mut together = ALL.judge(&situation, &CHINA);
        let mut apart = Verdict::default();
        for policy in &*EACH {
            let one = policy.judge(&situation, &CHINA);
            apart.entitlements.extend(one.entitlements);
            apart.refused.extend(one.refused);
            apart.undecided.extend(one.undecided);
        }
        together.entitlements.sort_by(|a, b| a.rule.cmp(&b.rule));
        apart.entitlements.sort_by(|a, b| a.rule.cmp(&b.rule));
        prop_assert_eq!(together, apart);
    }

    /// POL-11: a right given without the missing fact, and subject to nothing, survives any value of it.
    #[test]
    fn learning_a_fact_never_takes_an_unconditional_right(
        situation in situations(),
        value in prop::bool::ANY,
        which in 0usize..5,
    ) {
        let set = &*ALL;
        let before = set.judge(&situation, &CHINA);
        let mut known = situation.clone();
        let line = &mut known.line;
        let flag = [
            &mut line.made_to_order,
            &mut line.intact,
            &mut line.seal_broken,
            &mut line.defect_confirmed,
            &mut line.promised,
        ].into_iter().nth(which).unwrap();
        prop_assume!(flag.is_none());
        *flag = Some(value);
        let after = set.judge(&known, &CHINA);
        for right in before.entitlements.iter().filter(|right| right.subject_to.is_empty()) {
            prop_assert!(after.entitlements.iter().any(|later| later.rule == right.rule));
        }
        for refused in &before.refused {
            prop_assert!(after.refused.iter().any(|later| later.rule == refused.rule));
        }
    }

    /// POL-12: asking later never gains a right.
    #[test]
    fn rights_only_end_with_time(situation in situations(), later in 1i64..2000) {
        let set = &*ALL;
        // The notice itself may be an anchor of due times only; windows run from earlier events.
        let mut situation = situation;
        situation.timeline.events.remove(&Anchor::NoticeSent);
        let mut moved = situation.clone();
        moved.timeline.requested_at += chrono::TimeDelta::hours(later);
        let early = set.judge(&situation, &CHINA);
        for right in set.judge(&moved, &CHINA).entitlements {
            prop_assert!(early.entitlements.iter().any(|before| before.rule == right.rule));
        }
    }

    /// POL-13: the order of the policies changes neither what is given nor what is refused.
    #[test]
    fn the_order_of_policies_does_not_matter(situation in situations(), turn in 0usize..11) {
        let mut turned = ALL.policies().to_vec();
        turned.rotate_left(turn);
        let first = ALL.judge(&situation, &CHINA);
        let second = PolicySet::verify(turned).unwrap().judge(&situation, &CHINA);
        let sorted = |mut verdict: Verdict| {
            verdict.entitlements.sort_by(|a, b| a.rule.cmp(&b.rule));
            verdict.refused.sort_by(|a, b| a.rule.cmp(&b.rule));
            verdict.undecided.sort_by(|a, b| a.rule.cmp(&b.rule));
            verdict
        };
        prop_assert_eq!(sorted(first), sorted(second));
    }

    /// A verdict survives the wire.
    #[test]
    fn verdicts_survive_the_wire(situation in situations()) {
        let verdict = ALL.judge(&situation, &CHINA);
        let text = serde_json::to_string(&verdict).unwrap();
        prop_assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
        let text = serde_json::to_string(&situation).unwrap();
        prop_assert_eq!(serde_json::from_str::<Situation>(&text).unwrap(), situation);
    }
}

// Verification.

#[test]
fn every_shipped_policy_is_whole_and_says_it_is_no_legal_advice() {
    let set = PolicySet::verify(all()).unwrap();
    for policy in set.policies() {
        assert!(!policy.label.text(Language::Chinese).is_empty());
        if policy.id.as_str() != "store" {
            assert!(policy.notes.iter().any(|note| note.contains("not legal advice")));
        }
        let believed = policy.rules.iter().any(|rule| rule.certainty == Certainty::Believed);
        let says = policy.notes.iter().any(|note| note.contains("`believed`"));
        assert!(says || !believed, "{} does not mark what is believed", policy.id);
    }
    let text = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<PolicySet>(&text).unwrap(), set);
}

fn defects(change: impl FnOnce(&mut PolicyDraft)) -> PolicyDefects {
    let mut policy = draft(policies::EU_WITHDRAWAL);
    change(&mut policy);
    PolicySet::verify(vec![policy]).unwrap_err()
}

/// POL-14: verification names every defect with its place.
#[test]
fn all_defects_are_named_at_once() {
    let found = defects(|policy| {
        let rule = &mut policy.rules[0];
        rule.remedies.clear();
        rule.article = " ".into();
        rule.return_freight = FreightPayer::Seller;
        rule.return_fee = Some(Money::new(-1, Currency::EUR));
        rule.restocking_fee = Some(RestockingFee::Share("1.5".parse().unwrap()));
        rule.window.as_mut().unwrap().anchors.clear();
        rule.unless[1].when = serde_json::from_str(
            r#"{"any":[{"test":{"fact":"color","is":{"type":"code","value":"red"}}},
                       {"test":{"fact":"opened","above":{"type":"count","value":1}}}]}"#,
        )
        .unwrap();
        rule.unless[2].id = "made_to_order".into();
        rule.refund.as_mut().unwrap().clock.breach =
            Some(PeriodTerms::new(Length::new(3, LengthUnit::Days), Anchor::GoodsReceived));
        let copy = policy.rules[1].clone();
        policy.rules.push(copy);
    });
    let text: Vec<String> = found.defects().iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "eu_withdrawal / eu_withdrawal_goods: the rule names no article",
            "eu_withdrawal / eu_withdrawal_goods: the rule gives no remedy",
            "eu_withdrawal / eu_withdrawal_goods: a return fee needs a customer who pays the way back, and an amount of zero or more",
            "eu_withdrawal / eu_withdrawal_goods: a restocking fee needs the deduction `restocking_fee`, and a share from 0 to 1 or an amount of zero or more",
            "eu_withdrawal / eu_withdrawal_goods / unless made_to_order: fact `color` is not declared",
            "eu_withdrawal / eu_withdrawal_goods / unless made_to_order: fact `opened` is yes or no, and cannot be tested by `opened is above 1`",
            "eu_withdrawal / eu_withdrawal_goods / unless made_to_order: the id is used twice in the set",
            "eu_withdrawal / eu_withdrawal_goods / window: 0 events start the period, 1 to 8 are allowed",
            "eu_withdrawal / eu_withdrawal_goods / refund: the breach after 3 calendar days comes before the due time after 14 calendar days",
            "eu_withdrawal / eu_withdrawal_service: the id is used twice in the set",
        ]
    );
}

#[test]
fn sizes_are_limited() {
    let mut many = Vec::new();
    for number in 0..65 {
        let mut policy = draft(policies::STORE);
        policy.id = PolicyId::new(format!("store_{number}")).unwrap();
        policy.rules[0].id = RuleId::new(format!("rule_{number}")).unwrap();
        many.push(policy);
    }
    let over = PolicySet::verify(many.clone()).unwrap_err();
    assert!(matches!(over.defects()[0].fault, PolicyFault::TooMany { count: 65, max: 64, .. }));
    many.pop();
    assert!(PolicySet::verify(many).is_ok());
    let clauses = defects(|policy| {
        let clause = policy.rules[0].unless[0].clone();
        policy.rules[0].unless = (0..65)
            .map(|number| {
                let mut clause = clause.clone();
                clause.id = format!("clause_{number}");
                clause
            })
            .collect();
    });
    assert_eq!(clauses.defects().len(), 1);
    let empty = defects(|policy| policy.rules.clear());
    assert_eq!(empty.defects()[0].fault, PolicyFault::NoRules);
}

#[test]
fn a_host_fact_cannot_take_a_built_in_name() {
    let found = defects(|policy| {
        policy.facts = serde_json::from_str(r#"{"opened":{"type":"count"}}"#).unwrap();
    });
    assert!(matches!(found.defects()[0].fault, PolicyFault::FactDeclaredTwice { .. }));
}

#[test]
fn every_code_has_its_labels() {
    fn labeled<C: Coded + std::fmt::Debug>() {
        let mut codes = BTreeSet::new();
        for code in C::ALL {
            assert!(!code.label(Language::English).is_empty(), "{code:?}");
            assert!(!code.label(Language::Chinese).is_ascii(), "{code:?}");
            assert!(codes.insert(code.code()), "{code:?}");
        }
    }
    labeled::<LineFact>();
    labeled::<ContractChannel>();
    labeled::<Buyer>();
    labeled::<LengthUnit>();
    labeled::<Start>();
    labeled::<Anchor>();
    labeled::<Choose>();
    labeled::<Act>();
    labeled::<DayEnd>();
    labeled::<Roll>();
    labeled::<PauseKind>();
    labeled::<Step>();
    labeled::<Basis>();
    labeled::<Remedy>();
    labeled::<OutboundFreight>();
    labeled::<Deduction>();
    labeled::<RefundMeans>();
    labeled::<Withhold>();
    labeled::<Certainty>();
    labeled::<IfUnknown>();
    labeled::<GroundKind>();
}

/// A condition of which nobody told whether it is met.
const UNSURE: &str = r#"[{"id":"intact","if_unknown":"subject_to",
    "when":{"test":{"fact":"opened","is":{"type":"flag","value":false}}}}]"#;

/// Takes one thing from a right.
type Worsen = fn(&mut RuleTerms);

/// Of two rights that are alike but for one thing, the better one is named first, wherever it stands: by
/// each thing in the order in which they count.
#[test]
fn the_most_favorable_right_is_the_better_one_by_each_thing_in_turn() {
    let plain = || {
        let (id, length) = (RuleId::new("plain").unwrap(), Length::new(90, LengthUnit::Days));
        let mut rule = RuleTerms::store(id, "Members' page", length, Anchor::Delivered);
        rule.adjust.clear();
        rule
    };
    // What makes a right worse, the gravest first.
    let worse: [(&str, Worsen); 7] = [
        ("refund", |rule| {
            rule.remedies = [Remedy::Exchange, Remedy::Repair, Remedy::StoreCredit].into();
        }),
        ("certain", |rule| rule.provided = serde_json::from_str(UNSURE).unwrap()),
        ("remedies", |rule| rule.remedies = [Remedy::Refund].into()),
        ("way_back", |rule| rule.return_freight = FreightPayer::Customer),
        ("way_out", |rule| rule.outbound_freight = OutboundFreight::Kept),
        ("deductions", |rule| rule.deductions = [Deduction::ReturnLabel].into()),
        ("longer", |rule| {
            rule.window =
                Some(PeriodTerms::new(Length::new(80, LengthUnit::Days), Anchor::Delivered));
        }),
    ];
    let best = |rules: Vec<RuleTerms>| {
        let mut store = draft(policies::STORE);
        store.rules = rules;
        let set = PolicySet::verify(vec![store]).unwrap();
        let verdict = set.judge(&jacket("2026-03-02T09:00:00Z"), &germany());
        assert_eq!(verdict.entitlements.len(), 2);
        verdict.best().unwrap().rule.id.as_str().to_owned()
    };
    let good = || {
        let mut rule = plain();
        rule.return_freight = FreightPayer::Seller;
        rule.outbound_freight = OutboundFreight::Refunded;
        rule
    };
    for (place, (thing, worsen)) in worse.iter().enumerate() {
        // The one right lacks this thing, the other everything that counts less.
        let (mut one, mut other) = (good(), good());
        worsen(&mut one);
        other.id = RuleId::new("better").unwrap();
        worse[place + 1..].iter().for_each(|(_, worsen)| worsen(&mut other));
        assert_eq!(best(vec![one.clone(), other.clone()]), "better", "{thing}");
        assert_eq!(best(vec![other, one]), "better", "{thing}");
    }
    // A right without an end lasts longer than any other.
    let (mut endless, ends) = (good(), good());
    endless.window = None;
    endless.id = RuleId::new("endless").unwrap();
    assert_eq!(best(vec![ends.clone(), endless.clone()]), "endless");
    assert_eq!(best(vec![endless, ends]), "endless");
}
