//! Marketplaces and industries that ship with the crate: they load, agree and are complete.

use std::collections::BTreeSet;

use aftersale::case::resolution::Resolution;
use aftersale::case::status::CaseStatus;
use aftersale::label::Coded;
use aftersale::policy::terms::Certainty;
use aftersale::practice::timer::ExpiryAction;
use aftersale::preset::industries::{self, IndustryPack};
use aftersale::preset::markets::{self, B2B, JD, Market, PINDUODUO, STORE, TAOBAO, WECHAT_SHOP};
use aftersale::preset::{policies, reasons};

fn market(text: &str) -> Market {
    serde_json::from_str(text).unwrap()
}

/// MKT-1: every shipped marketplace loads, and writes itself back unchanged.
#[test]
fn every_marketplace_loads() {
    let mut names = BTreeSet::new();
    for text in markets::ALL {
        let market = market(text);
        assert!(names.insert(market.practice().id().to_string()));
        assert!(!market.practice().draft().timers.is_empty());
        let written = serde_json::to_string(&market).unwrap();
        assert_eq!(self::market(&written), market);
    }
    assert_eq!(names.len(), 6);
}

/// MKT-2: what a code says leads back to a code that says the same; to itself unless it is listed
/// as lossy.
#[test]
fn status_codes_agree_in_both_directions() {
    for text in markets::ALL {
        let market = market(text);
        let lossy: BTreeSet<&str> = market.lossy_codes().map(|code| code.code.as_str()).collect();
        for known in market.statuses() {
            assert_eq!(market.status_of(&known.code), Some(known.status));
            let used = Resolution::ALL.iter().filter(|resolution| {
                known.resolutions.is_empty() || known.resolutions.contains(resolution)
            });
            let mut itself = false;
            for resolution in used {
                let back = market.code_for(known.status, *resolution).unwrap();
                assert_eq!(back.status, known.status, "{} and {}", known.code, back.code);
                itself |= back.code == known.code;
            }
            assert_eq!(itself, !lossy.contains(known.code.as_str()), "{}", known.code);
        }
        let merged = market.lossy_statuses();
        for status in CaseStatus::ALL {
            for resolution in Resolution::ALL {
                let Some(code) = market.code_for(*status, *resolution) else { continue };
                let exact = market.status_of(&code.code) == Some(*status);
                assert!(exact || code.also.contains(status), "{status} became {}", code.code);
                if merged.contains(status) {
                    assert!(!exact);
                }
            }
        }
    }
}

/// MKT-3: the lossy codes and the merged statuses are these and no others.
#[test]
fn the_lossy_codes_are_known() {
    let lossy = |text: &str| -> Vec<String> {
        market(text).lossy_codes().map(|code| code.code.clone()).collect()
    };
    assert_eq!(lossy(WECHAT_SHOP), ["MERCHANT_OVERDUE_REFUND", "MERCHANT_FAIL"],);
    assert_eq!(lossy(PINDUODUO), ["5", "13"]);
    assert_eq!(lossy(JD), ["21", "22", "31", "33", "40"]);
    for text in [TAOBAO, STORE, B2B] {
        assert!(lossy(text).is_empty());
    }
    let merged = |text: &str| market(text).lossy_statuses().len();
    assert_eq!(merged(WECHAT_SHOP), 8);
    assert_eq!(merged(PINDUODUO), 2);
    assert_eq!(merged(TAOBAO), 15);
    assert_eq!(merged(JD), 17);
}

/// MKT-4: values that no source confirmed are marked as believed, and the guide lists each of them.
#[test]
fn believed_values_are_marked_and_listed() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cases.md")).unwrap();
    let mut believed = 0;
    for text in markets::ALL {
        let market = market(text);
        for rule in &market.practice().draft().timers {
            let row = guide
                .lines()
                .find(|row| {
                    row.contains(&format!("`{}`", market.practice().id()))
                        && row.contains(&format!("`{}`", rule.id))
                })
                .unwrap_or_else(|| panic!("{} is not in the guide", rule.id));
            let marked = row.contains("**believed**");
            assert_eq!(marked, rule.certainty == Certainty::Believed, "{row}");
            assert!(rule.certainty == Certainty::Own || rule.source.is_some());
            believed += usize::from(marked);
        }
    }
    assert_eq!(believed, 6);
}

#[test]
fn documented_timers_have_their_values() {
    let hours = |text: &str, id: &str| {
        let market = market(text);
        let timers = &market.practice().draft().timers;
        let rule = timers.iter().find(|rule| rule.id.as_str() == id).unwrap();
        let length = serde_json::to_value(rule.length).unwrap();
        (length["natural"]["seconds"].as_i64().unwrap() / 3600, rule.on_expiry)
    };
    assert_eq!(hours(WECHAT_SHOP, "merchant_refund"), (48, ExpiryAction::Refund));
    assert_eq!(hours(WECHAT_SHOP, "buyer_waybill"), (168, ExpiryAction::Close));
    assert_eq!(hours(WECHAT_SHOP, "merchant_receipt"), (240, ExpiryAction::Refund));
    assert_eq!(hours(WECHAT_SHOP, "buyer_intervention"), (168, ExpiryAction::Close));
    assert_eq!(hours(TAOBAO, "unshipped"), (24, ExpiryAction::Refund));
    assert_eq!(hours(TAOBAO, "shipped_refund_only"), (36, ExpiryAction::Agree));
    assert_eq!(hours(TAOBAO, "buyer_after_refusal"), (120, ExpiryAction::Close));
    assert_eq!(hours(TAOBAO, "interception_trusted"), (72, ExpiryAction::Agree));
    assert_eq!(hours(JD, "cancel_shipped"), (72, ExpiryAction::Agree));
    assert_eq!(hours(PINDUODUO, "merchant_refund_only"), (48, ExpiryAction::Agree));
}

/// MKT-5: every industry pack names reasons and policies that ship, and speaks both languages.
#[test]
fn industry_packs_are_complete() {
    let taxonomy: serde_json::Value = serde_json::from_str(reasons::TAXONOMY).unwrap();
    let packs = taxonomy["packs"].to_string();
    let policies = policies::ALL.join("\n");
    for text in industries::ALL {
        let pack: IndustryPack = serde_json::from_str(text).unwrap();
        assert!(packs.contains(&format!("\"{}\"", pack.reasons)), "{}", pack.reasons);
        for policy in &pack.policies {
            assert!(policies.contains(&format!("\"id\": \"{policy}\"")), "{policy}");
        }
        let labels = pack.checklist.items().iter().map(|item| &item.label);
        let labels = labels.chain(pack.playbook.iter().map(|entry| &entry.text));
        for label in labels {
            assert!(label.en.is_ascii() && !label.en.is_empty());
            assert!(label.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)));
        }
        assert!(pack.checklist.items().len() >= 4 && pack.playbook.len() >= 2);
    }
}

#[test]
fn a_code_that_stands_twice_is_refused() {
    let mut draft: serde_json::Value = serde_json::from_str(TAOBAO).unwrap();
    let first = draft["statuses"][0].clone();
    draft["statuses"].as_array_mut().unwrap().push(first);
    let refused = serde_json::from_value::<Market>(draft).unwrap_err().to_string();
    assert!(refused.contains("`WAIT_SELLER_AGREE` stands twice"), "{refused}");
}
