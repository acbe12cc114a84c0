//! Return policies of schema.org, read and written.

use aftersale::calendar::working_days::WorkingDays;
use aftersale::id::PolicyId;
use aftersale::interchange::schema_org::convert::{ImportError, Loss};
use aftersale::interchange::schema_org::{
    Fee, ItemCondition, MerchantReturnPolicy, MonetaryAmount, PlainNumber, RefundType,
    ReturnCategory, ReturnDays, ReturnFees, SeasonalOverride,
};
use aftersale::policy::deadline::{Place, Timeline};
use aftersale::policy::facts::LineFacts;
use aftersale::policy::judge::Situation;
use aftersale::policy::period::Anchor;
use aftersale::policy::set::{PolicyDraft, PolicySet};
use aftersale::policy::terms::{Remedy, RestockingFee};
use aftersale::preset::policies;
use aftersale::reason::attribute::{FreightPayer, PolicyBasis};
use aftersale::time::Zone;
use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

fn id() -> PolicyId {
    PolicyId::new("shop").unwrap()
}

fn import(value: Value) -> Result<(PolicyDraft, Vec<String>), ImportError> {
    let document: MerchantReturnPolicy = serde_json::from_value(value).unwrap();
    let (draft, losses) = document.import(id())?;
    Ok((draft, losses.iter().map(Loss::to_string).collect()))
}

fn situation(sold: &str, delivered: &str, asked: &str, basis: PolicyBasis) -> Situation {
    let timeline = Timeline::new(asked.parse().unwrap())
        .with(Anchor::Sold, sold.parse().unwrap())
        .with(Anchor::Delivered, delivered.parse().unwrap());
    let line = LineFacts {
        country: Some("DE".into()),
        reason_basis: Some(basis),
        item_condition: Some("new".into()),
        ..LineFacts::default()
    };
    Situation { line, timeline }
}

fn utc() -> Place {
    Place::new(Zone::UTC, WorkingDays::weekdays())
}

/// A page with everything the conversion has words for.
fn full() -> Value {
    json!({
        "@context": "https://schema.org",
        "@type": "MerchantReturnPolicy",
        "applicableCountry": ["AT", "DE"],
        "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": 30,
        "merchantReturnLink": "https://shop.example/returns",
        "itemCondition": ["https://schema.org/NewCondition"],
        "refundType": ["https://schema.org/FullRefund", "https://schema.org/StoreCreditRefund"],
        "restockingFee": 12.5,
        "customerRemorseReturnFees": "https://schema.org/ReturnShippingFees",
        "customerRemorseReturnShippingFeesAmount":
            {"@type": "MonetaryAmount", "value": "4.95", "currency": "EUR"},
        "itemDefectReturnFees": "https://schema.org/FreeReturn",
        "returnPolicySeasonalOverride": [{
            "@type": "MerchantReturnPolicySeasonalOverride",
            "startDate": "2026-11-01",
            "endDate": "2026-12-24",
            "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
            "merchantReturnDays": "2027-01-31"
        }]
    })
}

#[test]
fn a_full_page_comes_back_as_it_was() {
    let (draft, losses) = import(full()).unwrap();
    assert_eq!(losses, Vec::<String>::new());
    let ids: Vec<&str> = draft.rules.iter().map(|rule| rule.id.as_str()).collect();
    let wanted = ["shop_remorse", "shop_defect", "shop_season_0_remorse", "shop_season_0_defect"];
    assert_eq!(ids, wanted);
    let share = RestockingFee::Share("0.125".parse().unwrap());
    assert_eq!(draft.rules[0].restocking_fee, Some(share));
    let (again, losses) = MerchantReturnPolicy::export(&draft);
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(serde_json::to_value(&again).unwrap(), full());
}

#[test]
fn an_imported_policy_judges_fees_and_seasons() {
    let (draft, _) = import(full()).unwrap();
    let set = PolicySet::verify(vec![draft]).unwrap();
    let judge = |sold, delivered, asked, basis| {
        set.judge(&situation(sold, delivered, asked, basis), &utc())
    };
    let summer = "2026-06-01T10:00:00Z";
    let remorse = judge(summer, summer, "2026-06-20T10:00:00Z", PolicyBasis::Withdrawal);
    assert_eq!(remorse.entitlements.len(), 1);
    assert_eq!(remorse.best().unwrap().return_fee.unwrap().to_string(), "4.95 EUR");
    let defect = judge(summer, summer, "2026-06-20T10:00:00Z", PolicyBasis::Nonconformity);
    assert_eq!(defect.best().unwrap().return_freight, FreightPayer::Seller);
    assert_eq!(defect.best().unwrap().return_fee, None);
    assert!(!judge(summer, summer, "2026-07-02T10:00:00Z", PolicyBasis::Withdrawal).is_entitled());
    let advent = "2026-11-01T10:00:00Z";
    let late = judge(advent, advent, "2027-01-31T23:59:59Z", PolicyBasis::Withdrawal);
    assert_eq!(late.best().unwrap().rule.id.as_str(), "shop_season_0_remorse");
    assert!(!judge(advent, advent, "2027-02-01T00:00:00Z", PolicyBasis::Withdrawal).is_entitled());
    let eve = "2026-10-31T10:00:00Z";
    assert!(!judge(eve, eve, "2026-12-15T00:00:00Z", PolicyBasis::Withdrawal).is_entitled());
}

#[test]
fn a_page_that_permits_no_returns_refuses_and_says_so() {
    let page = json!({"returnPolicyCategory": "MerchantReturnNotPermitted",
        "refundType": "FullRefund", "returnFees": "FreeReturn"});
    let (draft, losses) = import(page).unwrap();
    assert!(losses.is_empty());
    let (again, _) = MerchantReturnPolicy::export(&draft);
    assert_eq!(again.return_policy_category, Some(ReturnCategory::NotPermitted));
    let set = PolicySet::verify(vec![draft]).unwrap();
    let now = "2026-06-01T10:00:00Z";
    let verdict = set.judge(&situation(now, now, now, PolicyBasis::Withdrawal), &utc());
    assert!(verdict.refused[0].grounds[0].findings[0].to_string().contains("not_permitted"));
}

#[test]
fn what_a_page_says_beyond_the_policy_is_listed() {
    let mut page = full();
    page["returnMethod"] = json!("ReturnByMail");
    page["inStoreReturnsOffered"] = json!(true);
    page["returnLabelSource"] = json!("ReturnLabelInBox");
    page["validForMemberTier"] = json!({"@type": "MemberTier", "name": "gold"});
    page["returnPolicyCountry"] = json!("NL");
    page["returnFees"] = json!("FreeReturn");
    let (_, losses) = import(page).unwrap();
    assert_eq!(
        losses,
        [
            "inStoreReturnsOffered: no_counterpart",
            "returnFees: no_counterpart",
            "returnLabelSource: no_counterpart",
            "returnMethod: no_counterpart",
            "returnPolicyCountry: no_counterpart",
            "validForMemberTier: not_understood",
        ]
    );
    let (draft, losses) = import(json!({"merchantReturnDays": 14})).unwrap();
    assert_eq!(losses, ["refundType: assumed", "returnFees: assumed"]);
    assert!(draft.rules[0].remedies.contains(&Remedy::Refund));
}

#[test]
fn what_a_law_says_beyond_the_page_is_listed() {
    let law: PolicyDraft = serde_json::from_str(policies::CN_NO_REASON).unwrap();
    let (page, losses) = MerchantReturnPolicy::export(&law);
    assert_eq!(page.applicable_country, ["CN"]);
    assert_eq!(page.merchant_return_days, Some(ReturnDays::Days(7)));
    let lost: Vec<&str> = losses.iter().map(|loss| loss.what.as_str()).collect();
    for what in ["basis", "window", "refund", "scope", "provided intact", "unless perishable"] {
        let what = format!("cn_seven_days / {what}");
        assert!(lost.contains(&what.as_str()), "{what} is not among {lost:?}");
    }
    for text in policies::ALL {
        let draft: PolicyDraft = serde_json::from_str(text).unwrap();
        let (_, losses) = MerchantReturnPolicy::export(&draft);
        assert!(!losses.is_empty(), "{} is more than a page can say", draft.id);
    }
}

#[test]
fn amounts_and_percents_are_told_apart() {
    let fee = |value: Value| {
        let page = json!({"merchantReturnDays": 14, "restockingFee": value});
        import(page).map(|(draft, _)| draft.rules[0].restocking_fee)
    };
    let share = |text: &str| Ok(Some(RestockingFee::Share(text.parse().unwrap())));
    assert_eq!(fee(json!(15)), share("0.15"));
    assert_eq!(fee(json!("15")), share("0.15"));
    assert_eq!(fee(json!(0.1)), share("0.001"));
    assert_eq!(fee(json!(100)), share("1"));
    assert!(matches!(fee(json!(101)), Err(ImportError::Percent { .. })));
    assert!(matches!(fee(json!(-1)), Err(ImportError::Percent { .. })));
    let amount = |value: Value| fee(json!({"value": value, "currency": "EUR"}));
    assert!(matches!(amount(json!(2.5)), Ok(Some(RestockingFee::Flat(_)))));
    assert!(matches!(amount(json!("-2.5")), Err(ImportError::NegativeFee { .. })));
    assert!(matches!(amount(json!("2.505")), Err(ImportError::Money(_))));
}

#[test]
fn pages_that_cannot_be_read_are_refused() {
    assert_eq!(import(json!({})).unwrap_err(), ImportError::SaysNothing);
    let finite = json!({"returnPolicyCategory": "MerchantReturnFiniteReturnWindow"});
    assert_eq!(import(finite).unwrap_err(), ImportError::NoDays);
    assert_eq!(import(json!({"merchantReturnDays": 0})).unwrap_err(), ImportError::NoDays);
    let unspecified = json!({"returnPolicyCategory": "MerchantReturnUnspecified"});
    assert_eq!(import(unspecified).unwrap_err(), ImportError::SaysNothing);
    let read = |value: Value| {
        serde_json::from_value::<MerchantReturnPolicy>(value).unwrap_err().to_string()
    };
    assert_eq!(
        read(json!({"@type": "Product"})),
        "`Product` stands where `MerchantReturnPolicy` is expected"
    );
    assert!(read(json!({"returnFees": "Sometimes"})).contains("`Sometimes` is not a ReturnFees"));
    assert!(read(json!({"merchantReturnDays": -3})).contains("a number of days or a date"));
    assert!(read(json!({"merchantReturnDays": "soon"})).contains("soon"));
}

fn amounts() -> impl Strategy<Value = MonetaryAmount> {
    (0u32..100_000).prop_map(|cents| MonetaryAmount {
        type_name: Default::default(),
        value: PlainNumber(format!("{}.{:02}", cents / 100, cents % 100).parse().unwrap()),
        currency: "EUR".into(),
    })
}

fn fees() -> impl Strategy<Value = (ReturnFees, Option<MonetaryAmount>)> {
    prop_oneof![
        Just((ReturnFees::Free, None)),
        Just((ReturnFees::CustomerResponsibility, None)),
        amounts().prop_map(|amount| (ReturnFees::ShippingFees, Some(amount))),
    ]
}

fn windows() -> impl Strategy<Value = (Option<ReturnCategory>, Option<ReturnDays>)> {
    let base: NaiveDate = "2026-01-01".parse().unwrap();
    prop_oneof![
        (1u32..400).prop_map(|days| (Some(ReturnCategory::Finite), Some(ReturnDays::Days(days)))),
        (0u64..400).prop_map(move |days| {
            let day = base + chrono::Days::new(days);
            (Some(ReturnCategory::Finite), Some(ReturnDays::Until(day)))
        }),
        Just((Some(ReturnCategory::Unlimited), None)),
        Just((Some(ReturnCategory::NotPermitted), None)),
    ]
}

/// Documents that the conversion has words for; lists in order.
fn documents() -> impl Strategy<Value = MerchantReturnPolicy> {
    let sets = (
        prop::collection::btree_set(prop::sample::select(vec!["AT", "DE", "FR"]), 0..3),
        prop::collection::btree_set(prop::sample::select(ItemCondition::ALL), 0..3),
        prop::collection::btree_set(
            prop::sample::select(vec![
                RefundType::Full,
                RefundType::Exchange,
                RefundType::StoreCredit,
            ]),
            1..4,
        ),
    );
    let fee = prop_oneof![
        Just(None),
        amounts().prop_map(|amount| Some(Fee::Amount(amount))),
        (0u32..=1000).prop_map(|tenths| {
            Some(Fee::Percent(format!("{}.{}", tenths / 10, tenths % 10).parse().unwrap()))
        }),
    ];
    let seasons = prop::collection::vec((1u64..300, windows()), 0..3);
    let freight = prop_oneof![
        fees().prop_map(|any| (Some(any), None)),
        (fees(), fees()).prop_map(|split| (None, Some(split))),
    ];
    (sets, windows(), fee, freight, seasons, prop::bool::ANY).prop_map(
        |((countries, conditions, refunds), window, fee, freight, seasons, link)| {
            let mut page = MerchantReturnPolicy {
                applicable_country: countries.into_iter().map(Into::into).collect(),
                item_condition: conditions.into_iter().collect(),
                refund_type: refunds.into_iter().collect(),
                return_policy_category: window.0,
                merchant_return_days: window.1,
                restocking_fee: fee,
                merchant_return_link: link.then(|| "https://shop.example/returns".into()),
                ..MerchantReturnPolicy::default()
            };
            if let Some((fees, amount)) = freight.0 {
                (page.return_fees, page.return_shipping_fees_amount) = (Some(fees), amount);
            }
            if let Some((remorse, defect)) = freight.1 {
                page.customer_remorse_return_fees = Some(remorse.0);
                page.customer_remorse_return_shipping_fees_amount = remorse.1;
                page.item_defect_return_fees = Some(defect.0);
                page.item_defect_return_shipping_fees_amount = defect.1;
            }
            // Seasons follow one another; two of the same days would be one.
            let mut start: NaiveDate = "2026-01-01".parse().unwrap();
            for (length, window) in seasons {
                let end = start + chrono::Days::new(length);
                page.return_policy_seasonal_override.push(SeasonalOverride {
                    start_date: Some(start),
                    end_date: Some(end),
                    return_policy_category: window.0,
                    merchant_return_days: window.1,
                    ..SeasonalOverride::default()
                });
                start = end + chrono::Days::new(1);
            }
            page
        },
    )
}

proptest! {
    /// POL-15: a document that imports without losses exports to the same document, also on the wire,
    /// and its policy verifies.
    #[test]
    fn documents_come_back_the_same(page in documents()) {
        let text = serde_json::to_string(&page).unwrap();
        let read: MerchantReturnPolicy = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &page);
        let (draft, losses) = read.import(id()).unwrap();
        prop_assert!(losses.is_empty(), "{:?}", losses);
        let (again, losses) = MerchantReturnPolicy::export(&draft);
        prop_assert!(losses.is_empty(), "{:?}", losses);
        prop_assert_eq!(&again, &page);
        prop_assert!(PolicySet::verify(vec![draft]).is_ok());
    }

    /// Whatever stands in one property, reading answers.
    #[test]
    fn damaged_pages_never_panic(
        which in 0usize..40,
        with in prop_oneof![
            Just(json!(null)), Just(json!(-1)), Just(json!(1e308)), Just(json!(1e-300)),
            Just(json!("")), Just(json!([])), Just(json!([[]])), Just(json!({})),
            Just(json!("9".repeat(400))), Just(json!(u64::MAX)), Just(json!(true)),
        ],
    ) {
        let mut page = full();
        let name = page.as_object().unwrap().keys().nth(which % 13).unwrap().clone();
        page[name] = with;
        if let Ok(page) = serde_json::from_value::<MerchantReturnPolicy>(page)
            && let Ok((draft, _)) = page.import(id())
        {
            let _ = MerchantReturnPolicy::export(&draft);
            let _ = PolicySet::verify(vec![draft]);
        }
    }
}

/// Other terms without a day on which they begin or end are for no season: they are left out and
/// listed, and the ordinary terms stand.
#[test]
fn a_season_without_days_is_no_season() {
    let mut page = full();
    let season = page["returnPolicySeasonalOverride"][0].as_object_mut().unwrap();
    season.remove("startDate");
    season.remove("endDate");
    let (draft, losses) = import(page).unwrap();
    assert_eq!(losses, ["returnPolicySeasonalOverride 0 / startDate: not_understood"]);
    let set = PolicySet::verify(vec![draft]).unwrap();
    let summer = "2026-06-01T10:00:00Z";
    let asked = situation(summer, summer, "2026-06-20T10:00:00Z", PolicyBasis::Withdrawal);
    assert_eq!(set.judge(&asked, &utc()).best().unwrap().rule.id.as_str(), "shop_remorse");
}
