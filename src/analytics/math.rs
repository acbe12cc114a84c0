//! Distribution functions that the statistics need, through `libm` only.
//!
//! Accuracy is checked from outside: `tests/analytics/rates.rs` and others compare intervals and
//! tail probabilities with values computed by scipy.

use core::f64::consts::{PI, SQRT_2};

pub(super) fn ln(x: f64) -> f64 {
    libm::log(x)
}

pub(super) fn sqrt(x: f64) -> f64 {
    libm::sqrt(x)
}

pub(super) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

pub(super) fn powf(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

pub(super) fn square(x: f64) -> f64 {
    x * x
}

pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// The quantile of the standard normal distribution, `p` in `0..1`.
///
/// Acklam's rational approximation, then one step of Halley's method.
pub(super) fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let tail = |q: f64| {
        ((((((-7.784_894_002_430_293e-3 * q - 3.223_964_580_411_365e-1) * q
            - 2.400_758_277_161_838)
            * q
            - 2.549_732_539_343_734)
            * q
            + 4.374_664_141_464_968)
            * q)
            + 2.938_163_982_698_783)
            / ((((7.784_695_709_041_462e-3 * q + 3.224_671_290_700_398e-1) * q
                + 2.445_134_137_142_996)
                * q
                + 3.754_408_661_907_416)
                * q
                + 1.0)
    };
    let start = if p < 0.024_25 {
        tail(sqrt(-2.0 * ln(p)))
    } else if p > 1.0 - 0.024_25 {
        -tail(sqrt(-2.0 * ln(1.0 - p)))
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((-3.969_683_028_665_376e1 * r + 2.209_460_984_245_205e2) * r
            - 2.759_285_104_469_687e2)
            * r
            + 1.383_577_518_672_69e2)
            * r
            - 3.066_479_806_614_716e1)
            * r
            + 2.506_628_277_459_239)
            * q
            / (((((-5.447_609_879_822_406e1 * r + 1.615_858_368_580_409e2) * r
                - 1.556_989_798_598_866e2)
                * r
                + 6.680_131_188_771_972e1)
                * r
                - 1.328_068_155_288_572e1)
                * r
                + 1.0)
    };
    let error = normal_cdf(start) - p;
    let step = error * sqrt(2.0 * PI) * exp(start * start / 2.0);
    start - step / (1.0 + start * step / 2.0)
}

pub(super) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

fn ln_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

/// The regularized incomplete beta function `I_x(a, b)`, by Lentz's continued fraction.
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(a * ln(x) + b * libm::log1p(-x) - ln_beta(a, b));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    // The fraction needs about sqrt(max(a, b)) steps; 20,000 serve counts up to 1e8.
    for step in 1..20_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let change = d * c;
        h *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    h
}

/// The quantile of the beta distribution, by bisection (always converges, no start value).
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    bisect(0.0, 1.0, |x| incomplete_beta(a, b, x) < p)
}

/// The boundary between where `below` holds and where it does not.
pub(super) fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularized lower incomplete gamma function `P(a, x)`.
pub(super) fn incomplete_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = exp(a * ln(x) - x - ln_gamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        for _ in 0..100_000 {
            k += 1.0;
            term *= x / k;
            sum += term;
            if term.abs() < sum.abs() * 1e-16 {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / guard(b);
    let mut h = d;
    for step in 1..100_000 {
        let i = f64::from(step);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / guard(an * d + b);
        c = guard(b + an / c);
        let change = d * c;
        h *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (1.0 - front * h).max(0.0)
}

/// The quantile of the chi-square distribution.
pub(super) fn chi_square_quantile(p: f64, freedom: f64) -> f64 {
    let mut high = freedom.max(1.0);
    while incomplete_gamma(freedom / 2.0, high / 2.0) < p && high < 1e12 {
        high *= 2.0;
    }
    bisect(0.0, high, |x| incomplete_gamma(freedom / 2.0, x / 2.0) < p)
}

/// `P(X > x)` of the chi-square distribution with one degree of freedom.
pub(super) fn chi_square_1_upper(x: f64) -> f64 {
    libm::erfc(sqrt((x / 2.0).max(0.0)))
}

/// The quantile of Student's distribution for `p >= 0.5`.
pub(super) fn student_quantile(p: f64, freedom: f64) -> f64 {
    let x = beta_quantile(2.0 * (1.0 - p), freedom / 2.0, 0.5);
    sqrt(freedom * (1.0 - x) / x.max(1e-300))
}

/// `P(X >= x)` for a beta-binomial count out of `n`.
///
/// Terms follow one another by ratio; the shorter and safer side of the distribution is summed. Where
/// that would take some hundred thousand terms, see [`beta_share_upper`].
pub(super) fn beta_binomial_upper(x: u64, n: u64, a: f64, b: f64) -> f64 {
    if x == 0 {
        return 1.0;
    }
    if x > n {
        return 0.0;
    }
    let (size, at) = (n as f64, x as f64);
    if size * a * b * (a + b + size) > square(WIDE * (a + b)) * (a + b + 1.0) {
        return beta_share_upper((at - 0.5) / size, size, a, b);
    }
    let start = exp(ln_choose(size, at) + ln_beta(at + a, size - at + b) - ln_beta(a, b));
    let mean = size * a / (a + b);
    let (mut term, mut k) = (start, at);
    if at > mean {
        let mut sum = 0.0;
        while term > 0.0 {
            sum += term;
            if k >= size || term < sum * 1e-14 {
                break;
            }
            term *= (size - k) / (k + 1.0) * (a + k) / (b + size - k - 1.0);
            k += 1.0;
        }
        sum.min(1.0)
    } else {
        let mut below = 0.0;
        while k > 0.0 {
            term *= k * (b + size - k) / ((size - k + 1.0) * (a + k - 1.0));
            k -= 1.0;
            below += term;
            if term < below * 1e-16 {
                break;
            }
        }
        (1.0 - below).clamp(0.0, 1.0)
    }
}

/// The standard deviation from which on a count is as good as continuous.
const WIDE: f64 = 20_000.0;

/// `P(share >= x)` for the share of a beta-binomial count out of `size` that is taken as continuous: beta
/// with the same mean and variance, and normal once that beta is narrow.
fn beta_share_upper(x: f64, size: f64, a: f64, b: f64) -> f64 {
    let mean = a / (a + b);
    let strength = size * (a + b + 1.0) / (a + b + size) - 1.0;
    if strength > 1e8 {
        let deviation = sqrt(mean * (1.0 - mean) / (strength + 1.0));
        return normal_cdf((mean - x) / deviation);
    }
    incomplete_beta((1.0 - mean) * strength, mean * strength, 1.0 - x)
}

/// The smallest and the largest beta-binomial count out of `n` that the tails on both sides leave.
pub(super) fn beta_binomial_limits(n: u64, a: f64, b: f64, tail: f64) -> (u64, u64) {
    let first = |tail: f64| {
        // The smallest count with P(X > count) <= tail.
        let (mut low, mut high) = (0_u64, n);
        while low < high {
            let middle = low.midpoint(high);
            if beta_binomial_upper(middle.saturating_add(1), n, a, b) <= tail {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        low
    };
    (first(1.0 - tail), first(tail))
}

/// `P(X = x)` when `drawn` of `total` are drawn and `marked` are marked.
pub(super) fn ln_hypergeometric(x: u64, total: u64, marked: u64, drawn: u64) -> f64 {
    let (x, total, marked, drawn) = (x as f64, total as f64, marked as f64, drawn as f64);
    ln_choose(marked, x) + ln_choose(total - marked, drawn - x) - ln_choose(total, drawn)
}

/// `P(X >= x)` for the same.
pub(super) fn hypergeometric_upper(x: u64, total: u64, marked: u64, drawn: u64) -> f64 {
    let lowest = drawn.saturating_sub(total.saturating_sub(marked));
    let highest = marked.min(drawn);
    if x <= lowest {
        return 1.0;
    }
    if x > highest {
        return 0.0;
    }
    let (t, m, d) = (total as f64, marked as f64, drawn as f64);
    let start = exp(ln_hypergeometric(x, total, marked, drawn));
    if (x as f64) > d * m / t {
        let (mut term, mut k, mut sum) = (start, x as f64, 0.0);
        loop {
            sum += term;
            if k >= highest as f64 || term < sum * 1e-16 {
                return sum.min(1.0);
            }
            term *= (m - k) * (d - k) / ((k + 1.0) * (t - m - d + k + 1.0));
            k += 1.0;
        }
    }
    let (mut term, mut k, mut below) = (start, x as f64, 0.0);
    while k > lowest as f64 {
        term *= k * (t - m - d + k) / ((m - k + 1.0) * (d - k + 1.0));
        k -= 1.0;
        below += term;
        if term < below * 1e-16 {
            break;
        }
    }
    (1.0 - below).clamp(0.0, 1.0)
}

/// `P(X <= k)` of the binomial distribution.
pub(super) fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    incomplete_beta(n.saturating_sub(k) as f64, k as f64 + 1.0, 1.0 - p)
}

/// The smallest count whose distribution function reaches `p`: negative binomial with this mean and
/// `size`, or Poisson when `size` is infinite.
pub(super) fn count_quantile(p: f64, mean: f64, size: f64) -> u64 {
    let cdf = |k: u64| {
        if size.is_finite() {
            incomplete_beta(size, k as f64 + 1.0, size / (size + mean))
        } else {
            1.0 - incomplete_gamma(k as f64 + 1.0, mean)
        }
    };
    let mut high = 1_u64;
    while cdf(high) < p && high < 1 << 52 {
        high = high.saturating_mul(2);
    }
    let mut low = 0_u64;
    while low < high {
        let middle = low.midpoint(high);
        if cdf(middle) >= p { high = middle } else { low = middle.saturating_add(1) }
    }
    low
}
