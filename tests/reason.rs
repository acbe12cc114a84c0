//! Reasons: the taxonomy and its verification, defaults, history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use aftersale::label::Language;
use aftersale::preset::reasons::TAXONOMY;
use aftersale::reason::taxonomy::{Taxonomy, TaxonomyDraft};
use aftersale::reason::{CauseCode, ReasonCode};

fn taxonomy() -> Taxonomy {
    serde_json::from_str(TAXONOMY).unwrap_or_else(|error| panic!("{error}"))
}

fn code(text: &str) -> ReasonCode {
    text.parse().unwrap()
}

#[test]
fn the_shipped_taxonomy_has_no_defect_and_the_stated_counts() {
    let taxonomy = taxonomy();
    let other = CauseCode::OTHER;
    assert_eq!(taxonomy.causes().iter().filter(|cause| cause.code != other).count(), 10);
    assert_eq!(taxonomy.reasons().len(), 80);
    assert_eq!(taxonomy.reasons().iter().filter(|reason| reason.is_core()).count(), 62);
    assert_eq!(taxonomy.packs().len(), 6);
    let draft: TaxonomyDraft = taxonomy.into_draft();
    assert!(draft.reasons.iter().all(|reason| !reason.aliases.en.is_empty()));
}

#[test]
fn the_thirteen_reasons_of_the_article_are_labels() {
    let taxonomy = taxonomy();
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
        let reason = taxonomy.reason(&code(expected)).unwrap();
        assert_eq!(reason.label.text(Language::Chinese), zh);
    }
}
