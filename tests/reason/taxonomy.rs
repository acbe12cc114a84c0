//! Reasons: the taxonomy and its verification, defaults, history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aftersale::explain::{Effect, RuleRef};
use aftersale::id::{ActorId, RuleId};
use aftersale::label::{Coded, Language};
use aftersale::preset::reasons::TAXONOMY;
use aftersale::reason::attribute::{
    Audience, BatchSignal, Controller, Evidence, Fault, FreightPayer, PolicyBasis,
};
use aftersale::reason::defaults::{Industry, Ruling, Setting};
use aftersale::reason::history::{
    Assertion, AssertionFault, Layer, Original, Preference, Rank, ReasonHistory, Source, Standing,
};
use aftersale::reason::taxonomy::{Retirement, Taxonomy, TaxonomyDraft};
use aftersale::reason::{CauseCode, PackCode, ReasonCode};
use proptest::prelude::*;

static SHIPPED: LazyLock<Taxonomy> = LazyLock::new(|| serde_json::from_str(TAXONOMY).unwrap());

fn code(text: &str) -> ReasonCode {
    text.parse().unwrap()
}

fn draft() -> TaxonomyDraft {
    SHIPPED.clone().into_draft()
}

#[test]
fn the_shipped_taxonomy_has_no_defect_and_the_stated_counts() {
    let other = CauseCode::OTHER;
    assert_eq!(SHIPPED.causes().iter().filter(|cause| cause.code != other).count(), 10);
    assert_eq!(SHIPPED.reasons().len(), 80);
    assert_eq!(SHIPPED.reasons().iter().filter(|reason| reason.is_core()).count(), 62);
    assert_eq!((SHIPPED.packs().len(), SHIPPED.facets().len()), (6, 7));
    let count =
        |cause: &str| SHIPPED.reasons().iter().filter(|r| r.cause.as_str() == cause).count();
    let counts = ["QLT", "TRN", "FUL", "CNT", "FIT", "DLV", "USE", "SAF", "CUS", "COM", "OTH"];
    assert_eq!(counts.map(count), [16, 6, 6, 9, 8, 6, 4, 10, 7, 6, 2]);
    assert!(SHIPPED.reasons().iter().all(|reason| !reason.aliases.en.is_empty()));
    let staff_only = SHIPPED.reasons().iter().filter(|reason| !reason.selectable_by_customer);
    let staff_only: Vec<&str> = staff_only.map(|reason| reason.code.as_str()).collect();
    assert_eq!(staff_only, ["USE.MISUSE", "COM.ABUSE", "OTH.UNKNOWN"]);
}

#[test]
fn the_thirteen_reasons_of_the_article_are_labels() {
    for (zh, expected) in [
        ("外观瑕疵", "QLT.APPEARANCE"),
        ("功能故障", "QLT.FUNCTION"),
        ("包装破损", "TRN.PACKAGE"),
        ("颜色与图片不符", "CNT.COLOR_IMAGE"),
        ("有异味", "QLT.ODOR"),
        ("尺码不合", "FIT.SIZE"),
        ("色差", "QLT.SHADE_VARIATION"),
        ("安装问题", "USE.INSTALL"),
        ("配送延误", "DLV.LATE"),
        ("过敏", "SAF.ALLERGY"),
        ("色号不符", "CNT.SHADE_CODE"),
        ("材料/定制差异", "CNT.MATERIAL_CUSTOM"),
        ("商品描述不符", "CNT.DESCRIPTION"),
    ] {
        let reason = SHIPPED.reason(&code(expected)).unwrap();
        assert_eq!(reason.label.text(Language::Chinese), zh);
    }
}

/// RSN-2: every cause, reason, facet and pack has a label in English and in Chinese.
#[test]
fn everything_has_a_label_in_both_languages() {
    let labels = SHIPPED
        .causes()
        .iter()
        .flat_map(|cause| [&cause.label, &cause.meaning])
        .chain(SHIPPED.reasons().iter().map(|reason| &reason.label))
        .chain(SHIPPED.packs().iter().flat_map(|pack| [&pack.label, &pack.note]))
        .chain(SHIPPED.facets().iter().map(|facet| &facet.label))
        .chain(SHIPPED.facets().iter().flat_map(|f| f.choices.iter().map(|choice| &choice.label)));
    for label in labels {
        assert!(!label.en.is_empty() && label.en.is_ascii(), "{label:?}");
        assert!(label.zh.chars().any(|c| c as u32 >= 0x3400), "{label:?}");
    }
    fn coded<C: Coded>() {
        for value in C::ALL {
            assert!(!value.label(Language::English).is_empty());
            assert!(!value.label(Language::Chinese).is_empty());
        }
    }
    coded::<Controller>();
    coded::<Fault>();
    coded::<Evidence>();
    coded::<PolicyBasis>();
    coded::<Source>();
    coded::<Standing>();
    let mut bare = draft();
    bare.reasons[0].label.zh = " ".into();
    assert_eq!(
        Taxonomy::verify(bare).unwrap_err().to_string(),
        "reason QLT.APPEARANCE lacks a label in English or Chinese"
    );
}

/// RSN-1: a draft with defects is refused, and every defect is listed with its place.
#[test]
fn every_defect_of_a_draft_is_listed() {
    type Spoil = fn(&mut TaxonomyDraft);
    let spoils: [(Spoil, &str); 22] = [
        (|d| d.schema = "other".into(), "the schema is `other`"),
        (|d| d.version = 0, "the version is 0"),
        (|d| d.reasons.push(d.reasons[0].clone()), "reason QLT.APPEARANCE is declared twice"),
        (|d| d.causes.push(d.causes[0].clone()), "cause QLT is declared twice"),
        (|d| d.packs[0].label.en.clear(), "pack `apparel` lacks a label"),
        (
            |d| d.facets[0].key = aftersale::reason::FacetKey::new("Bad Key").unwrap(),
            "facet `Bad Key` is not lower snake_case",
        ),
        (
            |d| d.reasons.retain(|r| r.code != ReasonCode::UNKNOWN),
            "the reserved reason OTH.UNKNOWN is missing",
        ),
        (
            |d| d.causes.retain(|c| c.code.as_str() != "TRN"),
            "reason TRN.PACKAGE has the cause TRN, which is not declared",
        ),
        (
            |d| d.reasons[1].cause = "SAF".parse().unwrap(),
            "reason QLT.FUNCTION stands under the cause SAF",
        ),
        (
            |d| {
                let own = d.reasons[1].controllable_by;
                d.reasons[1].co_controllable_by.insert(own);
            },
            "reason QLT.FUNCTION lists its controller once more",
        ),
        (|d| d.reasons[1].quality_defect = false, "reason QLT.FUNCTION has a strong lot signal"),
        (
            |d| d.reasons[1].return_shipping_payer_default = FreightPayer::Customer,
            "reason QLT.FUNCTION is a nonconformity",
        ),
        (
            |d| d.packs[0].order.push(code("QLT.NOWHERE")),
            "the order of pack `apparel` names QLT.NOWHERE",
        ),
        (|d| d.packs[0].order.push(code("FIT.SIZE")), "pack `apparel`: FIT.SIZE is declared twice"),
        (
            |d| d.packs[0].order.push(code("QLT.LEAK")),
            "pack `apparel` and reason QLT.LEAK disagree",
        ),
        (
            |d| d.packs[0].order.retain(|c| c.as_str() != "FIT.CUT"),
            "pack `apparel` and reason FIT.CUT disagree",
        ),
        (
            |d| {
                d.reasons[1].retired =
                    Some(Retirement { since: 9, replaced_by: Some(code("QLT.DOA")) });
            },
            "reason QLT.FUNCTION is retired since version 9",
        ),
        (
            |d| {
                d.packs[0].required_facets.insert(
                    code("FIT.SIZE"),
                    BTreeSet::from([aftersale::reason::FacetKey::new("mood").unwrap()]),
                );
            },
            "asks for the facet `mood` with FIT.SIZE",
        ),
        (
            |d| {
                d.packs[0].evidence_overrides.insert(code("FIT.SIZE"), Evidence::NotNeeded);
            },
            "pack `apparel` overrides the evidence of FIT.SIZE with its own default",
        ),
        (
            |d| d.reasons[2].aliases.en.push("x".into()),
            "QLT.DOA in the core words: `x` has a part that is empty",
        ),
        (
            |d| d.reasons[2].aliases.zh.push("色差".into()),
            "`色差` speaks for QLT.DOA and for QLT.SHADE_VARIATION",
        ),
        (
            |d| {
                d.packs[0].muted.insert("nothing like it".into());
            },
            "pack `apparel` mutes `nothing like it`",
        ),
    ];
    for (spoil, words) in &spoils {
        let mut spoiled = draft();
        spoil(&mut spoiled);
        let defects = Taxonomy::verify(spoiled).unwrap_err();
        assert!(defects.to_string().contains(words), "{words}: {defects}");
    }
    // All at once: those that do not hide each other are all there.
    let mut spoiled = draft();
    for (spoil, _) in &spoils {
        spoil(&mut spoiled);
    }
    let defects = Taxonomy::verify(spoiled).unwrap_err();
    let text = defects.to_string();
    let missing: Vec<&str> =
        spoils.iter().map(|(_, words)| *words).filter(|words| !text.contains(words)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(defects.list().len() >= spoils.len());
}

#[test]
fn a_customer_is_offered_the_pack_first_and_never_what_only_staff_may_set() {
    let apparel = SHIPPED.pack(&PackCode::new("apparel").unwrap()).unwrap();
    let offered = SHIPPED.choices_in(apparel, Audience::Customer);
    let first: Vec<&str> = offered.iter().take(3).map(|reason| reason.code.as_str()).collect();
    assert_eq!(first, ["FIT.SIZE", "FIT.TOO_SMALL", "FIT.TOO_LARGE"]);
    assert!(offered.iter().all(|reason| reason.selectable_by_customer));
    // 62 core less 3 for staff, and the four of the pack.
    assert_eq!(offered.len(), 62 - 3 + 4);
    assert_eq!(SHIPPED.choices(Audience::Staff).len(), 62);
}

/// RSN-13: the last ruling on a value stands, and every rule that set a value is in the findings.
#[test]
fn rulings_overrule_defaults_and_say_so() {
    let ruling = |rule: &str, sets| Ruling { rule: RuleRef::new(RuleId::new(rule).unwrap()), sets };
    let rulings = [
        ruling("inspection", Setting::Fault(Fault::Customer)),
        ruling("inspection", Setting::FreightPayer(FreightPayer::Customer)),
        ruling("supplier_answer", Setting::Fault(Fault::Supplier)),
        ruling("goodwill", Setting::Basis(PolicyBasis::Nonconformity)),
    ];
    let found = SHIPPED.defaults(&code("QLT.FUNCTION"), Industry::Any, &rulings).unwrap();
    assert_eq!(found.value.fault, Fault::Supplier);
    assert_eq!(found.value.freight_payer, FreightPayer::Customer);
    assert_eq!(found.value.evidence, Evidence::Required);
    assert_eq!(found.findings.len(), 4 + rulings.len());
    assert_eq!(found.with_effect(Effect::Passes).count(), 1); // the basis was that already
    assert!(SHIPPED.defaults(&code("QLT.NOWHERE"), Industry::Any, &[]).is_none());
}

#[test]
fn a_line_counts_for_its_lot_once_confirmed_or_when_the_signal_is_strong() {
    let counts =
        |text: &str, standing| SHIPPED.reason(&code(text)).unwrap().counts_for_lot(standing);
    assert!(counts("QLT.ODOR", Standing::Suspected)); // strong
    assert!(!counts("QLT.DURABILITY", Standing::Suspected)); // weak
    assert!(counts("QLT.DURABILITY", Standing::Confirmed));
    assert!(!counts("QLT.ODOR", Standing::Rejected));
    assert!(!counts("FIT.SIZE", Standing::Confirmed)); // no defect of the goods
    assert_eq!(SHIPPED.reason(&code("FIT.SIZE")).unwrap().batch_signal, BatchSignal::Weak);
}

fn assertion(
    reason: &str,
    source: Source,
    standing: Standing,
    rank: Rank,
    second: i64,
) -> Assertion {
    Assertion {
        code: code(reason),
        taxonomy_version: 1,
        source,
        standing,
        rank,
        at: chrono::DateTime::from_timestamp(1_772_000_000 + second, 0).unwrap(),
        author: ActorId::new("someone").unwrap(),
        facets: BTreeMap::new(),
        original: None,
    }
}

/// RSN-15: what cannot be recorded is refused with every fault: unknown, retired, for staff only, too sure.
#[test]
fn an_assertion_is_checked_before_it_is_recorded() {
    let history = ReasonHistory::new();
    let (customer, stated, primary) = (Source::Customer, Standing::Stated, Rank::Primary);
    let ok = assertion("QLT.ODOR", customer, stated, primary, 0);
    assert_eq!(history.faults(&SHIPPED, &ok), []);
    let abuse = assertion("COM.ABUSE", customer, Standing::Confirmed, primary, 0);
    assert!(matches!(
        history.faults(&SHIPPED, &abuse).as_slice(),
        [AssertionFault::NotForCustomers { .. }, AssertionFault::TooSure { .. }]
    ));
    let mut odd = assertion("QLT.NOWHERE", Source::Text, stated, primary, 0);
    odd.taxonomy_version = 2;
    odd.facets =
        serde_json::from_str(r#"{"mood":"bad","direction":"sideways","section":"PN-77"}"#).unwrap();
    odd.original = Some(Original { list: None, text: "x".repeat(4_001) });
    let faults: Vec<String> =
        history.faults(&SHIPPED, &odd).iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 6, "{faults:?}");
    let mut draft = draft();
    let doa = draft.reasons.iter_mut().find(|reason| reason.code.as_str() == "QLT.DOA").unwrap();
    doa.retired = Some(Retirement { since: 1, replaced_by: Some(code("QLT.FUNCTION")) });
    for pack in &mut draft.packs {
        pack.order.retain(|code| code.as_str() != "QLT.DOA");
    }
    let retired = Taxonomy::verify(draft).unwrap();
    let doa = assertion("QLT.DOA", Source::Agent, stated, primary, 0);
    assert_eq!(
        history.faults(&retired, &doa)[0].to_string(),
        "reason QLT.DOA is retired; use QLT.FUNCTION"
    );
}

#[test]
fn the_customer_the_agent_and_the_inspector_disagree() {
    let mut history = ReasonHistory::new();
    let (stated, confirmed) = (Standing::Stated, Standing::Confirmed);
    history.record(assertion("QLT.FUNCTION", Source::Customer, stated, Rank::Primary, 0));
    history.record(assertion("DLV.LATE", Source::Customer, stated, Rank::Secondary, 0));
    history.record(assertion("QLT.DOA", Source::Agent, stated, Rank::Primary, 5));
    let before = history.counted(&Preference::default()).value;
    assert_eq!(before.code(), code("QLT.DOA"));
    history.record(assertion("QLT.DOA", Source::Inspection, Standing::Rejected, Rank::Primary, 9));
    history.record(assertion("USE.MISUSE", Source::Inspection, confirmed, Rank::Primary, 9));
    let counted = history.counted(&Preference::default());
    assert_eq!(counted.value.code(), code("USE.MISUSE"));
    let beside: Vec<&str> = counted.value.secondary.iter().map(|a| a.code.as_str()).collect();
    assert_eq!(beside, ["DLV.LATE"]);
    assert_eq!(counted.findings.len(), 5);
    let denied: Vec<String> =
        counted.with_effect(Effect::Denies).map(ToString::to_string).collect();
    assert_eq!(denied, ["rule `reason_layers` denies (stated by agent): `QLT.DOA` observed"]);
    // The customer's own word first: only that layer is asked.
    let customers = Preference::new(vec![Layer {
        source: Source::Customer,
        standings: BTreeSet::from([stated]),
    }]);
    assert_eq!(history.counted(&customers.unwrap()).value.code(), code("QLT.FUNCTION"));
    assert_eq!(
        ReasonHistory::new().counted(&Preference::default()).value.code(),
        ReasonCode::UNKNOWN
    );
}

#[test]
fn a_preference_lists_every_source_once_and_counts_nothing_rejected() {
    let layer = |standings: &[Standing]| Layer {
        source: Source::Agent,
        standings: standings.iter().copied().collect(),
    };
    assert!(Preference::new(vec![layer(&[]), layer(&[])]).is_err());
    assert!(Preference::new(vec![layer(&[Standing::Rejected])]).is_err());
    let wire = serde_json::to_string(&Preference::default()).unwrap();
    assert_eq!(serde_json::from_str::<Preference>(&wire).unwrap(), Preference::default());
    assert!(
        serde_json::from_str::<Preference>(r#"[{"source":"agent","standings":["rejected"]}]"#)
            .is_err()
    );
}

fn assertions() -> impl Strategy<Value = Vec<Assertion>> {
    let codes = ["QLT.ODOR", "QLT.FUNCTION", "FIT.SIZE", "DLV.LATE"];
    let one = (
        prop::sample::select(codes.to_vec()),
        prop::sample::select(Source::ALL),
        prop::sample::select(Standing::ALL),
        prop::sample::select(Rank::ALL),
    );
    prop::collection::vec(one, 0..12).prop_map(|list| {
        let numbered = list.into_iter().zip(0..);
        numbered
            .map(|((code, by, standing, rank), at)| assertion(code, by, standing, rank, at))
            .collect()
    })
}

fn recorded(list: &[Assertion]) -> ReasonHistory {
    let mut history = ReasonHistory::new();
    list.iter().for_each(|one| history.record(one.clone()));
    history
}

/// The rule of the default preference, said slowly.
fn slow_primary(list: &[Assertion]) -> Option<&Assertion> {
    let order =
        [Source::Inspection, Source::Supplier, Source::Agent, Source::Customer, Source::Text];
    let last_word = |by: Source, code: &ReasonCode| {
        list.iter().filter(|a| a.source == by && a.code == *code).max_by_key(|a| a.at)
    };
    let rejected_above = |position: usize, code: &ReasonCode| {
        order[..=position]
            .iter()
            .any(|by| last_word(*by, code).is_some_and(|a| a.standing == Standing::Rejected))
    };
    for (position, by) in order.into_iter().enumerate() {
        let sure = matches!(by, Source::Inspection | Source::Supplier);
        let live = list.iter().filter(|a| {
            a.source == by
                && a.rank == Rank::Primary
                && last_word(by, &a.code) == Some(a)
                && !rejected_above(position, &a.code)
                && (a.standing == Standing::Confirmed || !sure)
        });
        // A code that a layer above counts beside the primary cannot exist yet: no primary so far.
        let named_above = |code: &ReasonCode| {
            order[..position].iter().enumerate().any(|(above, by)| {
                let sure = matches!(by, Source::Inspection | Source::Supplier);
                last_word(*by, code).is_some_and(|a| {
                    !rejected_above(above, code) && (a.standing == Standing::Confirmed || !sure)
                })
            })
        };
        if let Some(found) = live.filter(|a| !named_above(&a.code)).max_by_key(|a| a.at) {
            return Some(found);
        }
    }
    None
}

proptest! {
    /// RSN-3: what was recorded is found again unchanged and in order, also after storage.
    #[test]
    fn the_original_is_never_lost(list in assertions(), words in "\\PC{0,40}") {
        let mut list = list;
        for one in &mut list {
            one.original = Some(Original { list: None, text: words.clone() });
        }
        let history = recorded(&list);
        let wire = serde_json::to_string(&history).unwrap();
        let stored: ReasonHistory = serde_json::from_str(&wire).unwrap();
        prop_assert_eq!(stored.assertions(), list.as_slice());
        let _ = stored.counted(&Preference::default());
        prop_assert_eq!(stored.assertions(), list.as_slice());
        for source in Source::ALL {
            prop_assert_eq!(stored.first_by(*source), list.iter().find(|a| a.source == *source));
        }
    }

    /// RSN-4: which reason counts follows the stated preference, not the order of recording.
    #[test]
    fn what_counts_is_what_the_preference_says(list in assertions(), seed in any::<u64>()) {
        let counted = recorded(&list).counted(&Preference::default()).value;
        prop_assert_eq!(counted.primary.as_ref(), slow_primary(&list));
        let mut shuffled = list.clone();
        shuffled.sort_by_key(|one| (one.at.timestamp() as u64).wrapping_mul(seed | 1).rotate_left(17));
        prop_assert_eq!(recorded(&shuffled).counted(&Preference::default()).value, counted);
    }

    /// RSN-5: what a preferred layer rejected counts from no later layer, and no code counts twice.
    #[test]
    fn a_rejected_reason_never_counts(list in assertions()) {
        let mut list = list;
        let last = i64::try_from(list.len()).unwrap();
        list.push(assertion("QLT.ODOR", Source::Inspection, Standing::Rejected, Rank::Primary, last));
        let counted = recorded(&list).counted(&Preference::default()).value;
        let all: Vec<&ReasonCode> =
            counted.primary.iter().chain(&counted.secondary).map(|a| &a.code).collect();
        prop_assert!(!all.contains(&&code("QLT.ODOR")));
        prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    /// RSN-14: hostile documents give an error or a valid value, never a panic.
    #[test]
    fn hostile_documents_never_panic(at in 0..TAXONOMY.len(), with in "\\PC{0,6}", text in any::<String>()) {
        let (mut from, mut to) = (at, (at + 3).min(TAXONOMY.len()));
        while !TAXONOMY.is_char_boundary(from) { from -= 1; }
        while !TAXONOMY.is_char_boundary(to) { to += 1; }
        let spoiled = format!("{}{with}{}", &TAXONOMY[..from], &TAXONOMY[to..]);
        if let Ok(taxonomy) = serde_json::from_str::<Taxonomy>(&spoiled) {
            prop_assert!(Taxonomy::verify(taxonomy.into_draft()).is_ok());
        }
        prop_assert!(text.parse::<ReasonCode>().is_err() || text.contains('.'));
        prop_assert!(text.parse::<CauseCode>().is_err() || text.len() <= 8);
        let _ = serde_json::from_str::<ReasonHistory>(&text);
    }
}

#[test]
fn codes_at_and_past_their_limits() {
    for good in ["QLT.ODOR", "AB.C", "CAUSECAU.ABCDEFGHIJ12345", "X.host-1.A", "X.h.A.B_2"] {
        assert_eq!(code(good).as_str(), good);
    }
    for bad in [
        "",
        "QLT",
        "QLT.",
        ".ODOR",
        "qlt.ODOR",
        "QLT.odor",
        "QLT.1A",
        "A.B",
        "X.ODOR",
        "X.h.",
        "X..A",
        "CAUSECAUS.A",
        "QLT.ABCDEFGHIJKLMNOPQRSTU",
        "QLT.ODOR.MORE",
        "QLT.ODOR ",
    ] {
        assert!(bad.parse::<ReasonCode>().is_err(), "{bad}");
    }
    let long = format!("X.h.{}", "A".repeat(61));
    assert!(long.parse::<ReasonCode>().is_err());
    assert!(long[..64].parse::<ReasonCode>().is_ok());
}
