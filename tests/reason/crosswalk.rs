//! Reasons between systems and between versions: crosswalk, mapping, counts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aftersale::number::Ratio;
use aftersale::preset::reasons::{CROSSWALK, TAXONOMY};
use aftersale::reason::counts::{CountError, ReasonCounts};
use aftersale::reason::crosswalk::{
    Crosswalk, CrosswalkDraft, CrosswalkError, Imported, Mapping, Match, Outgoing,
};
use aftersale::reason::history::Standing;
use aftersale::reason::migration::{Migration, MigrationDraft, MigrationError};
use aftersale::reason::taxonomy::{Retirement, Taxonomy};
use aftersale::reason::{ListCode, ReasonCode};
use proptest::prelude::*;

static SHIPPED: LazyLock<Taxonomy> = LazyLock::new(|| serde_json::from_str(TAXONOMY).unwrap());
static WALK: LazyLock<Crosswalk> = LazyLock::new(|| {
    let draft: CrosswalkDraft = serde_json::from_str(CROSSWALK).unwrap();
    Crosswalk::verify(draft, &SHIPPED).unwrap_or_else(|error| panic!("{error}"))
});

fn code(text: &str) -> ReasonCode {
    text.parse().unwrap()
}

fn list(text: &str) -> ListCode {
    ListCode::new(text).unwrap()
}

fn import(of: &str, text: &str) -> Imported {
    WALK.import(&list(of), text).unwrap()
}

#[test]
fn the_shipped_crosswalk_has_the_published_lists() {
    let sizes: Vec<(&str, usize)> =
        WALK.lists().iter().map(|list| (list.list.as_str(), list.codes.len())).collect();
    assert_eq!(
        sizes,
        [
            ("shopify_taxonomy", 470),
            ("shopify_enum", 10),
            ("amazon", 35),
            ("ebay", 29),
            ("x12_1293", 29),
            ("edifact_4465", 10),
            ("google_content", 14),
            ("ondc", 5),
            ("trendyol", 26),
            ("mercadolibre", 3),
            ("spree_solidus", 17),
            ("wish", 20),
            ("cn_marketplace_text", 44),
            ("b2b_fresh_cn", 12),
            ("x12_1229", 5),
        ]
    );
}

#[test]
fn outside_codes_are_read_in_all_their_spellings() {
    for (of, text, expected, fit) in [
        ("amazon", "CR-DEFECTIVE", "QLT.FUNCTION", Match::Close),
        ("amazon", "AMZ-PG-QUALITY-UNACCEPTABLE", "QLT.WORKMANSHIP", Match::Broad),
        ("mercadolibre", "PDD9939", "CNT.DESCRIPTION", Match::Broad),
        ("spree_solidus", "better price AVAILABLE ", "CUS.BETTER_PRICE", Match::Exact),
        ("cn_marketplace_text", "大小／尺寸与商品描述不符", "FIT.SIZE", Match::Broad),
        ("x12_1229", "DOA", "QLT.DOA", Match::Exact),
        ("shopify_taxonomy", "absorbency", "CNT.BELOW_EXPECT", Match::Default),
    ] {
        let found = import(of, text);
        assert_eq!(
            (found.code.as_str(), found.mapping),
            (expected, Mapping::Mapped(fit)),
            "{text}"
        );
        let wide = matches!(fit, Match::Broad | Match::Default);
        assert_eq!(found.standing == Standing::Suspected, wide);
    }
    let band = import("shopify_taxonomy", "band-too-big");
    assert_eq!(serde_json::to_string(&band.facets).unwrap(), r#"{"direction":"too_high"}"#);
    assert_eq!(import("nobody", "X").mapping, Mapping::UnknownList);
    assert!(matches!(
        WALK.import(&list("amazon"), &"x".repeat(4_001)),
        Err(CrosswalkError::TooLong { bytes: 4_001 })
    ));
}

#[test]
fn a_reason_is_sent_as_the_nearest_outside_code() {
    let sent = WALK.export(&code("QLT.DOA"), &list("ebay")).unwrap();
    assert_eq!((sent.code.as_str(), sent.fit), ("DEFECTIVE_ITEM", Match::Fallback));
    let label = WALK.export(&code("QLT.DOA"), &list("cn_marketplace_text")).unwrap();
    assert_eq!((label.code.as_str(), label.fit), ("开箱即坏", Match::OwnLabel));
    assert!(WALK.export(&code("X.h.A"), &list("ebay")).is_err());
    // Every exact code of a list that we also send exactly comes back as the same reason.
    for of in WALK.lists() {
        for reason in SHIPPED.reasons() {
            if let Ok(sent) = WALK.export(&reason.code, &of.list)
                && sent.fit == Match::Exact
            {
                assert_eq!(import(of.list.as_str(), &sent.code).code, reason.code);
            }
        }
    }
}

#[test]
fn every_defect_of_a_crosswalk_is_listed() {
    let mut draft: CrosswalkDraft = serde_json::from_str(CROSSWALK).unwrap();
    draft.schema = "other".into();
    draft.taxonomy_version = 3;
    let again = draft.lists[1].codes[0].clone();
    draft.lists[1].codes.push(again);
    draft.lists[2].codes[0].to = code("QLT.NOWHERE");
    draft.lists[3].codes[0].fit = Match::OwnLabel;
    draft.lists[4].codes[0].facets = serde_json::from_str(r#"{"direction":"sideways"}"#).unwrap();
    let twice = draft.lists[5].clone();
    draft.lists.push(twice);
    let sent = draft.outgoing.get_mut(&code("QLT.ODOR")).unwrap();
    sent.values_mut().next().unwrap().code = "NO_SUCH_CODE".into();
    let label = Outgoing { code: "有异味".into(), fit: Match::OwnLabel };
    sent.insert(list("no_such_list"), label);
    let found = Crosswalk::verify(draft, &SHIPPED).unwrap_err();
    assert!(found.list().len() >= 8, "{found}");
    for words in [
        "schema is `other`",
        "version 3",
        "is declared twice",
        "maps to QLT.NOWHERE",
        "matched as own_label",
        "sets `direction` to `sideways`",
        "list `edifact_4465` is declared twice",
        "`NO_SUCH_CODE`, which is not declared",
        "list `no_such_list` as `有异味`, which is not declared",
    ] {
        assert!(found.to_string().contains(words), "{words}: {found}");
    }
}

static NEXT: LazyLock<Taxonomy> = LazyLock::new(next);
static THIRD: LazyLock<Taxonomy> = LazyLock::new(|| {
    let mut draft = NEXT.clone().into_draft();
    draft.version = 3;
    Taxonomy::verify(draft).unwrap()
});

/// Version 2: two sizes merged into one code, and one code retired without a successor.
fn next() -> Taxonomy {
    let mut draft = SHIPPED.clone().into_draft();
    draft.version = 2;
    let retire =
        |draft: &mut aftersale::reason::taxonomy::TaxonomyDraft, old: &str, to: Option<&str>| {
            let reason = draft.reasons.iter_mut().find(|r| r.code.as_str() == old).unwrap();
            reason.retired = Some(Retirement { since: 2, replaced_by: to.map(code) });
            for pack in &mut draft.packs {
                pack.order.retain(|code| code.as_str() != old);
            }
        };
    retire(&mut draft, "FIT.TOO_SMALL", Some("FIT.SIZE"));
    retire(&mut draft, "FIT.TOO_LARGE", Some("FIT.SIZE"));
    retire(&mut draft, "QLT.DOA", None);
    Taxonomy::verify(draft).unwrap_or_else(|error| panic!("{error}"))
}

fn mapping(map: &[(&str, &str)]) -> MigrationDraft {
    MigrationDraft {
        from: 1,
        to: 2,
        map: map.iter().map(|(old, new)| (code(old), code(new))).collect(),
    }
}

#[test]
fn a_mapping_covers_every_old_code() {
    let new = &*NEXT;
    let missing = Migration::verify(&mapping(&[]), &SHIPPED, new).unwrap_err();
    assert_eq!(missing.to_string(), "reason QLT.DOA has no successor in the new version");
    let wrong = mapping(&[("QLT.DOA", "FIT.TOO_SMALL"), ("QLT.NOWHERE", "QLT.ODOR")]);
    assert_eq!(Migration::verify(&wrong, &SHIPPED, new).unwrap_err().list().len(), 2);
    let good = Migration::verify(&mapping(&[("QLT.DOA", "QLT.FUNCTION")]), &SHIPPED, new).unwrap();
    assert_eq!(good.target(&code("FIT.TOO_LARGE")), Some(&code("FIT.SIZE")));
    assert_eq!(good.target(&code("QLT.ODOR")), Some(&code("QLT.ODOR")));
    let unknown: ReasonCounts = serde_json::from_str(r#"{"X.h.A":1}"#).unwrap();
    assert!(matches!(good.counts(&unknown), Err(MigrationError::UnknownCode { .. })));
    assert!(matches!(good.then(&good), Err(MigrationError::Gap { to: 2, from: 1 })));
}

#[test]
fn counts_that_do_not_fit_are_refused() {
    let mut counts = ReasonCounts::new();
    counts.add(&code("QLT.ODOR"), u32::MAX).unwrap();
    let before = counts.clone();
    assert_eq!(counts.add(&code("FIT.SIZE"), 1), Err(CountError::TooLarge));
    assert_eq!(counts.merge(&before), Err(CountError::TooLarge));
    assert_eq!(counts, before);
    assert!(
        serde_json::from_str::<ReasonCounts>(r#"{"QLT.ODOR":4294967295,"FIT.SIZE":1}"#).is_err()
    );
    assert_eq!(ReasonCounts::new().shares(), []);
}

fn counts() -> impl Strategy<Value = ReasonCounts> {
    let codes: Vec<ReasonCode> = SHIPPED.reasons().iter().map(|r| r.code.clone()).collect();
    prop::collection::btree_map(prop::sample::select(codes), 0..40_000_u32, 0..40).prop_map(|map| {
        let mut counts = ReasonCounts::new();
        map.iter().for_each(|(code, count)| counts.add(code, *count).unwrap());
        counts
    })
}

proptest! {
    /// RSN-6: over any slice the shares sum to one, exactly and as shown.
    #[test]
    fn shares_sum_to_one(counts in counts()) {
        let shares = counts.shares();
        let total = i64::from(counts.total());
        let exact: i64 = shares.iter()
            .map(|share| share.share.of(total, aftersale::number::Rounding::Down).unwrap()).sum();
        prop_assert_eq!(exact, total);
        for share in &shares {
            prop_assert_eq!(share.share, Ratio::new(share.count.into(), total).unwrap());
            let exact = u64::from(share.count) * 10_000 / u64::from(counts.total());
            prop_assert!(u64::from(share.basis_points) - exact <= 1);
        }
        let points: u32 = shares.iter().map(|share| share.basis_points).sum();
        prop_assert_eq!(points, if total == 0 { 0 } else { 10_000 });
        prop_assert!(shares.windows(2).all(|pair| pair[0].count >= pair[1].count));
    }

    /// RSN-7: mapping to another version conserves the total and the lines of every merged code.
    #[test]
    fn mapping_conserves_counts(old in counts(), more in counts()) {
        let new = &*NEXT;
        let to = Migration::verify(&mapping(&[("QLT.DOA", "QLT.FUNCTION")]), &SHIPPED, new).unwrap();
        let mapped = to.counts(&old).unwrap();
        prop_assert_eq!(mapped.total(), old.total());
        let sizes = ["FIT.SIZE", "FIT.TOO_SMALL", "FIT.TOO_LARGE"].map(|size| old.of(&code(size)));
        prop_assert_eq!(mapped.of(&code("FIT.SIZE")), sizes.iter().sum::<u32>());
        prop_assert_eq!(mapped.of(&code("FIT.TOO_SMALL")), 0);
        // Mapping parts and merging equals merging and mapping.
        let (mut both, mut apart) = (old, mapped);
        both.merge(&more).unwrap();
        apart.merge(&to.counts(&more).unwrap()).unwrap();
        prop_assert_eq!(&to.counts(&both).unwrap(), &apart);
        // Two steps equal one step made of both.
        let again = MigrationDraft { from: 2, to: 3, map: BTreeMap::from([
            (code("QLT.ODOR"), code("QLT.MATERIAL")),
            (code("QLT.DOA"), code("QLT.FUNCTION")),
        ]) };
        let again = Migration::verify(&again, new, &THIRD).unwrap();
        let once = to.then(&again).unwrap().counts(&both).unwrap();
        prop_assert_eq!(again.counts(&apart).unwrap(), once);
    }

    /// RSN-8: an outside code is kept as it came, known or not, and is sent back unchanged.
    #[test]
    fn the_outside_code_is_kept(text in "\\PC{0,60}", at in 0..15_usize) {
        let of = &WALK.lists()[at].list;
        let found = WALK.import(of, &text).unwrap();
        prop_assert_eq!(&found.original.text, &text);
        prop_assert_eq!(found.original.list.as_ref(), Some(of));
        if found.is_unmapped() {
            prop_assert_eq!(&found.code, &ReasonCode::OTHER);
        }
        let back = WALK.export_original(&found.code, &found.original, of).unwrap();
        prop_assert_eq!((back.code, back.fit), (text, Match::Exact));
    }
}
