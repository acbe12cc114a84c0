//! Money, quantities and numbers: nothing is lost, made or rounded in silence.

use aftersale::money::currency::{Currency, CurrencyError};
use aftersale::money::{Money, MoneyError};
use aftersale::number::{Exact, NumberError, Ratio, Rounding, divide, greatest_common_divisor};
use aftersale::quantity::{Quantity, QuantityError, Unit, UnitTable};
use proptest::prelude::*;

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn minors(parts: &[Money]) -> Vec<i64> {
    parts.iter().map(|part| part.minor()).collect()
}

/// Largest remainder by the words of its definition: floors first, then one missing unit at a time
/// to the largest fraction not served yet, the lowest position among equals.
fn shared_by_hand(amount: i64, weights: &[i64]) -> Vec<i64> {
    let weights: Vec<i128> = if weights.iter().all(|&weight| weight == 0) {
        vec![1; weights.len()]
    } else {
        weights.iter().map(|&weight| i128::from(weight)).collect()
    };
    let whole: i128 = weights.iter().sum();
    let size = i128::from(amount).abs();
    let mut parts: Vec<i128> = weights.iter().map(|weight| size * weight / whole).collect();
    let mut served = vec![false; weights.len()];
    while parts.iter().sum::<i128>() < size {
        let mut best = None;
        for position in 0..weights.len() {
            let fraction = size * weights[position] % whole;
            let better = best.is_none_or(|(_, most)| fraction > most);
            if !served[position] && better {
                best = Some((position, fraction));
            }
        }
        let (position, _) = best.unwrap();
        served[position] = true;
        parts[position] += 1;
    }
    let sign = i128::from(amount.signum());
    parts.into_iter().map(|part| i64::try_from(part * sign).unwrap()).collect()
}

fn weights() -> impl Strategy<Value = Vec<i64>> {
    let weight = prop_oneof![Just(0_i64), 1_i64..10, 1_i64..1_000_000, Just(i64::MAX)];
    prop::collection::vec(weight, 1..12)
}

proptest! {
    /// AMT-1: the parts of an amount sum to it exactly, for any weights.
    /// AMT-2: each part is within one minor unit of its exact share, and a zero weight gets nothing.
    #[test]
    fn parts_sum_to_the_whole(amount in any::<i64>(), weights in weights()) {
        prop_assume!(amount != i64::MIN);
        let parts = eur(amount).allocate(&weights).unwrap();
        let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
        prop_assert_eq!(sum, i128::from(amount));
        let whole: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        for (part, &weight) in parts.iter().zip(&weights).filter(|_| whole > 0) {
            let exact = i128::from(amount) * i128::from(weight);
            let off = (i128::from(part.minor()).checked_mul(whole).unwrap() - exact).abs();
            prop_assert!(off < whole);
            prop_assert!(weight > 0 || part.is_zero());
        }
    }

    /// AMT-3: sharing is largest remainder, ties to the lowest position, as a slow version says.
    #[test]
    fn sharing_agrees_with_the_definition(amount in -100_000_i64..100_000, weights in weights()) {
        let parts = eur(amount).allocate(&weights).unwrap();
        prop_assert_eq!(minors(&parts), shared_by_hand(amount, &weights));
    }

    /// AMT-4: scaling all weights changes nothing, and permuting equal weights moves at most single
    /// units.
    #[test]
    fn scaled_and_permuted_weights_share_alike(
        amount in 0_i64..1_000_000,
        weights in prop::collection::vec(0_i64..1_000, 1..10),
        factor in 1_i64..1_000,
        turn in 0_usize..10,
    ) {
        let parts = minors(&eur(amount).allocate(&weights).unwrap());
        let scaled: Vec<i64> = weights.iter().map(|weight| weight * factor).collect();
        prop_assert_eq!(&parts, &minors(&eur(amount).allocate(&scaled).unwrap()));
        let mut turned = weights.clone();
        turned.rotate_left(turn % weights.len());
        let mut back = minors(&eur(amount).allocate(&turned).unwrap());
        back.rotate_right(turn % weights.len());
        for (one, other) in parts.iter().zip(&back) {
            prop_assert!((one - other).abs() <= 1);
        }
    }

    /// AMT-5: a ladder starts at nothing, ends at the whole, never falls, and each rung is within
    /// half a minor unit of the exact share; steps sum to the rung they reach.
    #[test]
    fn a_ladder_climbs_to_the_whole(amount in 0_i64..10_000_000, whole in 1_i64..200) {
        let rungs: Vec<i64> =
            (0..=whole).map(|n| eur(amount).ladder(n, whole).unwrap().minor()).collect();
        prop_assert_eq!((rungs[0], *rungs.last().unwrap()), (0, amount));
        prop_assert!(rungs.is_sorted());
        for (n, rung) in (0..).zip(&rungs) {
            let n: i128 = n;
            let twice = 2 * (i128::from(*rung) * i128::from(whole) - i128::from(amount) * n);
            prop_assert!(-i128::from(whole) < twice && twice <= i128::from(whole));
        }
        let step = eur(amount).ladder_step(whole / 3, whole, whole).unwrap().minor();
        prop_assert_eq!(rungs[usize::try_from(whole / 3).unwrap()] + step, amount);
        // The other way round for an amount owed by the customer.
        let owed = eur(-amount).ladder(whole / 2, whole).unwrap().minor();
        prop_assert_eq!(owed, -rungs[usize::try_from(whole / 2).unwrap()]);
    }

    /// AMT-6: rounding is the mode it is named for.
    #[test]
    fn rounding_keeps_its_name(above in -1_000_i128..1_000, below in 1_i128..50) {
        let at = |mode| divide(above, below, mode).unwrap();
        prop_assert_eq!(at(Rounding::Down), above / below);
        let exact = above % below == 0;
        let up = above / below + if exact { 0 } else { above.signum() };
        prop_assert_eq!(at(Rounding::Up), up);
        for mode in [Rounding::HalfUp, Rounding::HalfDown, Rounding::HalfEven] {
            let off = (2 * (at(mode) * below - above)).abs();
            prop_assert!(off <= below);
            if off == below {
                match mode {
                    Rounding::HalfUp => prop_assert_eq!(at(mode), up),
                    Rounding::HalfDown => prop_assert_eq!(at(mode), above / below),
                    _ => prop_assert_eq!(at(mode) % 2, 0),
                }
            }
        }
        prop_assert_eq!(divide(above, 0, Rounding::Up), Err(NumberError::TooLarge));
    }

    /// AMT-7: adding, taking away, turning and summing money is exact or an error, never wrapped.
    #[test]
    fn arithmetic_is_exact_or_refused(one in any::<i64>(), other in any::<i64>()) {
        let wide = |sum: i128| i64::try_from(sum).ok();
        let minor = |money: Result<Money, MoneyError>| money.ok().map(Money::minor);
        let (left, right) = (i128::from(one), i128::from(other));
        prop_assert_eq!(minor(eur(one).checked_add(eur(other))), wide(left + right));
        prop_assert_eq!(minor(eur(one).checked_sub(eur(other))), wide(left - right));
        prop_assert_eq!(minor(eur(one).checked_mul(other)), wide(left * right));
        prop_assert_eq!(minor(eur(one).checked_neg()), wide(-left));
        let sum = Money::sum(Currency::EUR, [eur(one), eur(other)]);
        prop_assert_eq!(minor(sum), wide(left + right));
        let yen = Money::new(other, Currency::JPY);
        let mixed = MoneyError::MixedCurrencies { left: Currency::EUR, right: Currency::JPY };
        prop_assert_eq!(eur(one).checked_add(yen), Err(mixed));
    }

    /// AMT-8: money, quantities and exact numbers read back from the wire as they were.
    #[test]
    fn wire_forms_read_back(minor in any::<i64>(), digits in 0_u8..=6, steps in 0_i64..=i64::MAX) {
        let points = Currency::with_digits("PTS", digits).unwrap();
        for currency in [Currency::EUR, Currency::JPY, Currency::KWD, points] {
            let money = Money::new(minor, currency);
            let text = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
        }
        for unit in [Unit::PIECE, Unit::known("kg").unwrap(), Unit::with_digits("roll", 2).unwrap()] {
            let quantity = Quantity::new(steps, unit).unwrap();
            let text = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(serde_json::from_str::<Quantity>(&text).unwrap(), quantity);
        }
    }

    /// AMT-9: a conversion between units conserves the quantity exactly, or is refused.
    #[test]
    fn conversion_conserves(
        steps in 0_i64..1_000_000,
        above in 1_i64..100,
        below in 1_i64..100,
        digits in 0_u8..=3,
    ) {
        let base = Unit::with_digits("base", digits).unwrap();
        let pack = Unit::with_digits("pack", 3).unwrap();
        let factor = Ratio::new(above, below).unwrap();
        let table = UnitTable::new(base, [(pack, factor)]).unwrap();
        let packs = Quantity::new(steps, pack).unwrap();
        // steps / 1000 packs are steps * above * 10^digits / (1000 * below) steps of the base unit.
        let wide = i128::from(steps) * i128::from(above) * 10_i128.pow(digits.into());
        let whole = i128::from(below) * 1_000;
        match table.to_base(packs) {
            Ok(found) => {
                prop_assert_eq!(i128::from(found.steps()) * whole, wide);
                prop_assert_eq!(table.convert(found, pack), Ok(packs));
            }
            Err(error) => {
                prop_assert!(wide % whole != 0);
                prop_assert_eq!(error, QuantityError::Inexact { quantity: packs, unit: base });
            }
        }
    }

    /// AMT-10: hostile text for any number type gives a typed error or a value, never a panic.
    #[test]
    fn hostile_text_never_panics(text in "\\PC{0,40}", number in "-?[0-9]{0,40}(\\.[0-9]{0,40})?") {
        for text in [text, number] {
            let json = serde_json::to_string(&text).unwrap();
            let _ = serde_json::from_str::<Exact>(&json);
            let _ = serde_json::from_str::<Currency>(&json);
            let _ = serde_json::from_str::<Unit>(&json);
            for wire in [
                format!(r#"{{"amount":{json},"currency":"EUR"}}"#),
                format!(r#"{{"amount":"1","currency":{json}}}"#),
            ] {
                let _ = serde_json::from_str::<Money>(&wire);
            }
            for wire in [
                format!(r#"{{"amount":{json},"unit":"pcs"}}"#),
                format!(r#"{{"amount":"1","unit":{json}}}"#),
            ] {
                let _ = serde_json::from_str::<Quantity>(&wire);
            }
            let _ = serde_json::from_str::<UnitTable>(&format!(r#"{{"base":{json}}}"#));
        }
    }
}

/// AMT-11: a currency has the decimals of ISO 4217; a host can state others, and the two are
/// different currencies.
#[test]
fn decimals_follow_iso_4217() {
    for (codes, digits) in [
        ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0),
        ("EUR USD GBP CNY CHF TWD HUF", 2),
        ("BHD IQD JOD KWD LYD OMR TND", 3),
        ("CLF UYW", 4),
    ] {
        for code in codes.split(' ') {
            assert_eq!(Currency::iso(code).unwrap().minor_digits(), digits, "{code}");
        }
    }
    let whole = Currency::with_digits("TWD", 0).unwrap();
    assert_ne!(whole, Currency::iso("TWD").unwrap());
    assert_eq!(serde_json::to_string(&whole).unwrap(), "\"TWD:0\"");
    assert_eq!(serde_json::from_str::<Currency>("\"TWD:0\"").unwrap(), whole);
    let unknown = CurrencyError::Unknown { code: "ABC".into() };
    assert_eq!(Currency::iso("ABC"), Err(unknown));
    assert_eq!(Currency::iso("eur"), Err(CurrencyError::NotACode { code: "eur".into() }));
    let digits = CurrencyError::TooManyDigits { digits: 7 };
    assert_eq!(Currency::with_digits("PTS", 7), Err(digits));
}

fn refused<T: serde::de::DeserializeOwned + std::fmt::Debug>(json: &str, says: &str) {
    let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
    assert!(error.contains(says), "{json}: {error}");
}

/// AMT-12: what cannot be an amount on the wire is refused with its place and value.
#[test]
fn impossible_amounts_are_named() {
    refused::<Money>(r#"{"amount":"1.005","currency":"EUR"}"#, "1.005 is finer");
    refused::<Money>(r#"{"amount":"1.5","currency":"JPY"}"#, "1.5 is finer");
    refused::<Money>(r#"{"amount":"92233720368547758.08","currency":"EUR"}"#, "too large");
    refused::<Money>(r#"{"amount":"1e3","currency":"EUR"}"#, "`1e3`");
    refused::<Money>(r#"{"amount":"+1","currency":"EUR"}"#, "`+1`");
    refused::<Money>(r#"{"amount":" 1","currency":"EUR"}"#, "` 1`");
    refused::<Money>(r#"{"amount":1,"currency":"EUR"}"#, "invalid type");
    refused::<Money>(r#"{"amount":"1","currency":"EURO"}"#, "`EURO`");
    refused::<Money>(r#"{"amount":"1","currency":"EUR","tip":"2"}"#, "tip");
    refused::<Money>(r#"{"amount":"1","currency":"PTS","minor_digits":9}"#, "9 decimals");
    refused::<Exact>("0.1", "invalid type");
    refused::<Exact>("\"NaN\"", "`NaN`");
    refused::<Exact>("\"\"", "``");
    refused::<Exact>(&format!("\"{}\"", "9".repeat(30)), "not a plain decimal");
    refused::<Quantity>(r#"{"amount":"-1","unit":"pcs"}"#, "below zero");
    refused::<Quantity>(r#"{"amount":"0.5","unit":"pcs"}"#, "0.5 is finer");
    refused::<Quantity>(r#"{"amount":"99999999999999999999","unit":"pcs"}"#, "too large");
    refused::<Quantity>(r#"{"amount":"1","unit":"parsec"}"#, "`parsec`");
    refused::<Unit>("\"roll:7\"", "roll");
    refused::<Unit>("\"averylongunitcode:0\"", "averylongunitcode");
    refused::<Unit>("\"roll:x\"", "roll:x");
    refused::<Ratio>(r#"{"numerator":1,"denominator":0}"#, "1/0");
    refused::<Ratio>(r#"{"numerator":1,"denominator":-2}"#, "1/-2");
    refused::<Ratio>(r#"{"numerator":-9223372036854775808,"denominator":1}"#, "not a ratio");
    refused::<UnitTable>(
        r#"{"base":"pcs","factors":{"carton":{"numerator":0,"denominator":1}}}"#,
        "0/1",
    );
}

#[test]
fn the_largest_amounts_are_held_and_the_next_are_refused() {
    let most = Money::parse("92233720368547758.07", Currency::EUR).unwrap();
    assert_eq!(most.minor(), i64::MAX);
    assert!(most.checked_add(eur(1)).is_err());
    assert!(eur(i64::MIN).checked_neg().is_err());
    assert_eq!(
        minors(&most.allocate(&[i64::MAX, i64::MAX]).unwrap()).iter().sum::<i64>(),
        i64::MAX
    );
    assert_eq!(most.ladder(i64::MAX, i64::MAX), Ok(most));
    let part = MoneyError::NotAPart { part: 2, whole: 1 };
    assert_eq!(most.ladder(2, 1), Err(part));
    assert!(most.ladder(0, 0).is_err() && most.ladder(-1, 1).is_err());
    assert_eq!(eur(1).allocate(&[]), Err(MoneyError::NoParts { amount: eur(1) }));
    assert_eq!(eur(0).allocate(&[]), Ok(vec![]));
    let negative = MoneyError::NegativeWeight { position: 1 };
    assert_eq!(eur(1).allocate(&[1, -1]), Err(negative));
}

#[test]
fn cash_steps_and_ratios() {
    assert_eq!(eur(997).to_step(5, Rounding::HalfUp), Ok(eur(995)));
    assert_eq!(eur(998).to_step(5, Rounding::HalfUp), Ok(eur(1000)));
    assert_eq!(eur(995).to_step(10, Rounding::HalfDown), Ok(eur(990)));
    assert!(eur(1).to_step(0, Rounding::Up).is_err() && eur(1).to_step(-5, Rounding::Up).is_err());
    let third = Ratio::new(2, 6).unwrap();
    assert_eq!(third, Ratio::new(1, 3).unwrap());
    assert!(third < Ratio::new(1, 2).unwrap());
    assert_eq!(eur(100).scaled(third, Rounding::HalfUp), Ok(eur(33)));
    assert_eq!(greatest_common_divisor(0, 7), 7);
    assert_eq!(greatest_common_divisor(12, 18), 6);
}
