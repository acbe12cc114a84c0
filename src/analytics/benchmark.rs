//! Comparison with others: an industry figure, the rest of the house, a reference mix.
//!
//! A benchmark carries its definition, year and source, because published figures mix units and
//! value, gross and net, stores and online. Comparing across definitions is refused.
//!
//! Sources: N. E. Breslow and N. E. Day, Statistical Methods in Cancer Research II (1987), 2.3;
//! M. P. Fay and E. J. Feuer, Statistics in Medicine 16 (1997) 791; D. J. Spiegelhalter, Statistics
//! in Medicine 24 (2005) 1185 (funnel).

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::math;
use super::rate::{Confidence, Estimate, Proportion, poisson_limits};
use crate::label::{Coded, Language, codes};

codes! {
    /// What a rate or a time counts.
    pub enum Basis "basis" {
        /// Units returned per unit sold.
        Units = "units", "share of units", "按件数";
        /// Value returned per value sold.
        Value = "value", "share of value", "按金额";
        /// Orders with a return per order.
        Orders = "orders", "share of orders", "按订单数";
        /// Hours from request to completion.
        HandlingHours = "handling_hours", "handling time in hours", "处理时长（小时）";
    }
}

codes! {
    /// Which sales a benchmark covers.
    pub enum Scope "scope" {
        /// Stores and online.
        AllRetail = "all_retail", "all retail", "全部零售";
        /// Online sales.
        Online = "online", "online", "线上";
        /// One marketplace.
        Marketplace = "marketplace", "marketplace", "电商平台";
    }
}

/// A published figure with everything needed to compare fairly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Benchmark {
    /// A stable code.
    pub code: &'static str,
    /// The figure: a fraction, or hours.
    pub value: f64,
    /// What it counts.
    pub basis: Basis,
    /// Which sales.
    pub scope: Scope,
    /// Country, ISO 3166.
    pub country: &'static str,
    /// The year it describes.
    pub year: u16,
    /// Who published it and how it was found.
    pub source: &'static str,
    /// The same in Simplified Chinese.
    pub source_chinese: &'static str,
}

/// Published figures. Those of the National Retail Federation are shares of the value of sales from
/// a survey of merchants and gross of later recovery; they are not unit rates.
pub const PUBLISHED: &[Benchmark] = &[
    Benchmark {
        code: "nrf_2025_all",
        value: 0.158,
        basis: Basis::Value,
        scope: Scope::AllRetail,
        country: "US",
        year: 2025,
        source: "National Retail Federation and Happy Returns, 2025: 849.9 bn USD, survey estimate",
        source_chinese: "美国零售联合会（NRF）与 Happy Returns，2025 年：8499 亿美元，问卷估计",
    },
    Benchmark {
        code: "nrf_2025_online",
        value: 0.193,
        basis: Basis::Value,
        scope: Scope::Online,
        country: "US",
        year: 2025,
        source: "National Retail Federation and Happy Returns, 2025, online sales, survey estimate",
        source_chinese: "美国零售联合会（NRF）与 Happy Returns，2025 年，线上销售，问卷估计",
    },
    Benchmark {
        code: "nrf_2024_all",
        value: 0.169,
        basis: Basis::Value,
        scope: Scope::AllRetail,
        country: "US",
        year: 2024,
        source: "National Retail Federation and Happy Returns, 2024: 890 bn USD, survey estimate",
        source_chinese: "美国零售联合会（NRF）与 Happy Returns，2024 年：8900 亿美元，问卷估计",
    },
    Benchmark {
        code: "vendor_2023_online_cn",
        value: 0.125,
        basis: Basis::Orders,
        scope: Scope::Online,
        country: "CN",
        year: 2023,
        source: "a software vendor's page, no source or definition given there; read as orders",
        source_chinese: "某软件厂商网页，未给出来源或定义；按订单理解",
    },
    Benchmark {
        code: "jd_handling",
        value: 2.0,
        basis: Basis::HandlingHours,
        scope: Scope::Marketplace,
        country: "CN",
        year: 2023,
        source: "a software vendor's page on JD.com: average handling time two hours, no definition",
        source_chinese: "某软件厂商关于京东的网页：平均处理时长两小时，未给出定义",
    },
];

/// The published figures that count what the caller counts.
///
/// ```
/// use aftersale::analytics::benchmark::{Basis, Scope, comparable};
/// let figures = comparable(Basis::Value, Scope::Online);
/// assert_eq!(figures.iter().map(|b| b.code).collect::<Vec<_>>(), ["nrf_2025_online"]);
/// assert!(comparable(Basis::Units, Scope::Online).is_empty());
/// ```
#[must_use]
pub fn comparable(basis: Basis, scope: Scope) -> Vec<&'static Benchmark> {
    PUBLISHED.iter().filter(|b| b.basis == basis && b.scope == scope).collect()
}

/// Observed over expected at reference rates: above 1 means more returns than the reference would
/// have with the same mix.
///
/// In: per segment the own counts and the reference rate. The limits are exact Poisson limits. None
/// when nothing is expected.
#[must_use]
pub fn observed_over_expected(
    segments: &[(Proportion, f64)],
    confidence: Confidence,
) -> Option<Estimate> {
    let expected: f64 =
        segments.iter().map(|(own, reference)| own.whole() as f64 * reference).sum();
    let observed = segments.iter().fold(0_u64, |sum, (own, _)| sum.saturating_add(own.part()));
    let sample = segments.iter().fold(0_u64, |sum, (own, _)| sum.saturating_add(own.whole()));
    if !(expected > 0.0 && expected.is_finite()) {
        return None;
    }
    let (low, high) = poisson_limits(observed, confidence);
    let value = observed as f64 / expected;
    Some(Estimate { value, low: low / expected, high: high / expected, sample })
}

/// The rate the own segments would have with a reference mix, with the gamma limits of Fay and
/// Feuer.
///
/// In: per segment the own counts and its share in the reference mix; shares are scaled to sum to
/// 1. None where a segment with a share has no units, or nothing has a share.
#[must_use]
pub fn standardized(segments: &[(Proportion, f64)], confidence: Confidence) -> Option<Estimate> {
    let total: f64 = segments.iter().map(|(_, share)| share).sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let (mut value, mut variance, mut largest, mut sample) = (0.0, 0.0, 0.0_f64, 0_u64);
    for (own, share) in segments.iter().filter(|(_, share)| *share > 0.0) {
        if own.whole() == 0 {
            return None;
        }
        let weight = share / total / own.whole() as f64;
        value += weight * own.part() as f64;
        variance += weight * weight * own.part() as f64;
        largest = largest.max(weight);
        sample = sample.saturating_add(own.whole());
    }
    let tail = confidence.tail();
    let low = if value > 0.0 {
        let freedom = 2.0 * value * value / variance;
        variance / (2.0 * value) * math::chi_square_quantile(tail, freedom)
    } else {
        0.0
    };
    let (upper_value, upper_variance) = (value + largest, variance + largest * largest);
    let freedom = 2.0 * upper_value * upper_value / upper_variance;
    let high =
        upper_variance / (2.0 * upper_value) * math::chi_square_quantile(1.0 - tail, freedom);
    Some(Estimate { value, low, high, sample })
}

/// Limits of a funnel plot at a number of units: where a series with the target rate lies with
/// this confidence (exact binomial, interpolated between whole counts).
///
/// None for no units or a target outside `0..=1`.
#[must_use]
pub fn funnel_limits(target: f64, units: u64, confidence: Confidence) -> Option<(f64, f64)> {
    if units == 0 || !(0.0..=1.0).contains(&target) {
        return None;
    }
    let limit = |p: f64| {
        let (mut low, mut high) = (0_u64, units);
        while low < high {
            let middle = low.midpoint(high);
            if math::binomial_cdf(middle, units, target) >= p {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        let at = math::binomial_cdf(low, units, target);
        let below = low.checked_sub(1).map_or(0.0, |k| math::binomial_cdf(k, units, target));
        let share = if at > below { (at - p) / (at - below) } else { 0.0 };
        ((low as f64 - share.clamp(0.0, 1.0)) / units as f64).clamp(0.0, 1.0)
    };
    Some((limit(confidence.tail()), limit(1.0 - confidence.tail())))
}

/// A comparison in words a page can show: the figure, its definition, and where it is from.
#[must_use]
pub fn describe(benchmark: &Benchmark, language: Language) -> String {
    let Benchmark { country, year, source, source_chinese, .. } = benchmark;
    let (basis, scope) = (benchmark.basis.label(language), benchmark.scope.label(language));
    match language {
        Language::English => alloc::format!("{country} {year} ({basis}, {scope}, {source})"),
        Language::Chinese => {
            alloc::format!("{country} {year}：{basis}，{scope}；{source_chinese}")
        }
    }
}
