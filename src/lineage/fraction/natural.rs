//! Whole numbers of any size: as much as exact fractions need, and no more.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// A whole number of zero or more: limbs of 64 bits, lowest first, the highest never zero. One form
/// per value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Natural {
    /// One limb.
    Small(u64),
    /// Two limbs or more.
    Large(Vec<u64>),
}

impl From<u64> for Natural {
    fn from(value: u64) -> Self {
        Self::Small(value)
    }
}

impl Natural {
    pub(super) const ZERO: Self = Self::Small(0);
    pub(super) const ONE: Self = Self::Small(1);

    fn new(mut limbs: Vec<u64>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        match limbs.as_slice() {
            [] => Self::ZERO,
            [only] => Self::Small(*only),
            _ => Self::Large(limbs),
        }
    }

    fn limbs(&self) -> &[u64] {
        match self {
            Self::Small(0) => &[],
            Self::Small(only) => core::slice::from_ref(only),
            Self::Large(limbs) => limbs,
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    pub(super) const fn to_u64(&self) -> Option<u64> {
        match self {
            Self::Small(value) => Some(*value),
            Self::Large(_) => None,
        }
    }

    pub(super) fn bits(&self) -> usize {
        let limbs = self.limbs();
        let unused = limbs.last().map_or(0, |top| top.leading_zeros()) as usize;
        limbs.len().saturating_mul(64).saturating_sub(unused)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (long, short) = ordered(self.limbs(), other.limbs());
        let mut sum = long.to_vec();
        let mut carry = false;
        for (place, limb) in sum.iter_mut().enumerate() {
            let add = short.get(place).copied().unwrap_or(0);
            let (first, over) = limb.overflowing_add(add);
            let (second, over_again) = first.overflowing_add(carry.into());
            (*limb, carry) = (second, over | over_again);
        }
        if carry {
            sum.push(1);
        }
        Self::new(sum)
    }

    /// The difference; none below zero.
    pub(super) fn minus(&self, other: &Self) -> Option<Self> {
        if *self < *other {
            return None;
        }
        let mut rest = self.limbs().to_vec();
        subtract(&mut rest, other.limbs());
        Some(Self::new(rest))
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        if let (Some(a), Some(b)) = (self.to_u64(), other.to_u64()) {
            let wide = u128::from(a).wrapping_mul(u128::from(b));
            return Self::new(vec![wide as u64, (wide >> 64) as u64]);
        }
        let (a, b) = (self.limbs(), other.limbs());
        let mut product = vec![0_u64; a.len().saturating_add(b.len())];
        for (place, &x) in a.iter().enumerate() {
            let mut carry = 0_u64;
            let row = product.get_mut(place..).unwrap_or_default();
            let factors = b.iter().copied().chain(core::iter::repeat(0));
            for (slot, y) in row.iter_mut().zip(factors).take(b.len().saturating_add(1)) {
                // At most (2^64 - 1)^2 + 2 * (2^64 - 1) = 2^128 - 1.
                let wide = u128::from(x)
                    .wrapping_mul(u128::from(y))
                    .wrapping_add(u128::from(*slot))
                    .wrapping_add(u128::from(carry));
                (*slot, carry) = (wide as u64, (wide >> 64) as u64);
            }
        }
        Self::new(product)
    }

    /// The greatest common divisor, by halving and subtracting; of zero and `n` it is `n`.
    pub(super) fn gcd(&self, other: &Self) -> Self {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        let twos = self.trailing_zeros().min(other.trailing_zeros());
        let (mut a, mut b) = (self.limbs().to_vec(), other.limbs().to_vec());
        odd(&mut a);
        odd(&mut b);
        loop {
            if let ([x], [y]) = (a.as_slice(), b.as_slice()) {
                let small = crate::number::greatest_common_divisor(*x, *y);
                return Self::Small(small).shifted_left(twos);
            }
            match compare(&a, &b) {
                Ordering::Equal => return Self::new(a).shifted_left(twos),
                Ordering::Less => core::mem::swap(&mut a, &mut b),
                Ordering::Greater => {}
            }
            subtract(&mut a, &b);
            odd(&mut a);
        }
    }

    fn trailing_zeros(&self) -> usize {
        let zeros = self.limbs().iter().take_while(|&&limb| limb == 0).count();
        let next = self.limbs().get(zeros).map_or(0, |limb| limb.trailing_zeros());
        zeros.saturating_mul(64).saturating_add(next as usize)
    }

    fn shifted_left(&self, bits: usize) -> Self {
        let mut limbs = vec![0; bits / 64];
        let bits = (bits % 64) as u32;
        let mut carry = 0_u64;
        for &limb in self.limbs() {
            let wide = u128::from(limb) << bits;
            limbs.push(wide as u64 | carry);
            carry = (wide >> 64) as u64;
        }
        limbs.push(carry);
        Self::new(limbs)
    }

    /// The quotient by a divisor of this number.
    pub(super) fn over(&self, divisor: &Self) -> Self {
        if *divisor == Self::ONE {
            return self.clone();
        }
        self.divided(divisor).0
    }

    /// Quotient and rest; division by zero gives zero and the number itself.
    pub(super) fn divided(&self, divisor: &Self) -> (Self, Self) {
        match (self.to_u64(), divisor.to_u64()) {
            (_, Some(0)) => (Self::ZERO, self.clone()),
            (Some(a), Some(b)) => {
                let quotient = a.checked_div(b).unwrap_or(0);
                (Self::Small(quotient), Self::Small(a.checked_rem(b).unwrap_or(0)))
            }
            (_, Some(b)) => {
                let mut quotient = self.limbs().to_vec();
                let rest = divide_small(&mut quotient, b);
                (Self::new(quotient), Self::Small(rest))
            }
            _ => self.divided_long(divisor),
        }
    }

    /// Long division by a divisor of two limbs or more: the quotient limb is estimated from the
    /// highest limbs and corrected, as by hand (Knuth, The Art of Computer Programming 4.3.1 D).
    fn divided_long(&self, divisor: &Self) -> (Self, Self) {
        let shift = divisor.limbs().last().map_or(0, |top| top.leading_zeros()) as usize;
        let by = divisor.shifted_left(shift);
        let by = by.limbs();
        let mut rest = self.shifted_left(shift).limbs().to_vec();
        rest.push(0);
        let places = rest.len().saturating_sub(by.len());
        let mut quotient = vec![0_u64; places];
        let top = by.last().copied().unwrap_or(1);
        for place in (0..places).rev() {
            let Some(window) = rest.get_mut(place..) else { continue };
            let high = |at: usize| window.get(at).copied().unwrap_or(0);
            let size = by.len();
            let head = (u128::from(high(size)) << 64) | u128::from(high(size.saturating_sub(1)));
            let mut guess = head.checked_div(top.into()).unwrap_or(0).min(u64::MAX.into()) as u64;
            // With a normalized divisor the guess is at most two too large.
            let mut part = Self::new(by.to_vec()).times(&Self::Small(guess));
            while compare(trimmed(window), part.limbs()) == Ordering::Less {
                guess = guess.saturating_sub(1);
                part = Self::new(by.to_vec()).times(&Self::Small(guess));
            }
            subtract(window, part.limbs());
            if let Some(slot) = quotient.get_mut(place) {
                *slot = guess;
            }
        }
        let mut rest = Self::new(rest).limbs().to_vec();
        shift_right(&mut rest, shift as u32);
        (Self::new(quotient), Self::new(rest))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.limbs(), other.limbs())
    }
}

impl fmt::Display for Natural {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: usize = 19;
        let mut limbs = self.limbs().to_vec();
        let mut groups: Vec<u64> = Vec::new();
        while !limbs.is_empty() {
            groups.push(divide_small(&mut limbs, 10_u64.pow(DIGITS as u32)));
        }
        let mut text = String::new();
        for (place, group) in groups.iter().rev().enumerate() {
            let width = if place == 0 { 1 } else { DIGITS };
            text.push_str(&alloc::format!("{group:0width$}"));
        }
        f.pad_integral(true, "", if text.is_empty() { "0" } else { &text })
    }
}

fn ordered<'a>(a: &'a [u64], b: &'a [u64]) -> (&'a [u64], &'a [u64]) {
    if a.len() >= b.len() { (a, b) } else { (b, a) }
}

/// Compares limbs without leading zeros.
fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn trimmed(limbs: &[u64]) -> &[u64] {
    let used = limbs.iter().rposition(|&limb| limb != 0).map_or(0, |at| at.saturating_add(1));
    limbs.get(..used).unwrap_or_default()
}

/// Subtracts what is not larger.
fn subtract(from: &mut [u64], other: &[u64]) {
    let mut borrow = false;
    for (place, limb) in from.iter_mut().enumerate() {
        let take = other.get(place).copied().unwrap_or(0);
        if place >= other.len() && !borrow {
            break;
        }
        let (first, under) = limb.overflowing_sub(take);
        let (second, under_again) = first.overflowing_sub(borrow.into());
        (*limb, borrow) = (second, under | under_again);
    }
}

fn shift_right(limbs: &mut [u64], bits: u32) {
    if bits == 0 {
        return;
    }
    let mut carry = 0_u64;
    for limb in limbs.iter_mut().rev() {
        let wide = (u128::from(*limb) << 64) >> bits;
        *limb = (wide >> 64) as u64 | carry;
        carry = wide as u64;
    }
}

/// Takes out all factors of two, and leading zeros.
fn odd(limbs: &mut Vec<u64>) {
    let zeros = limbs.iter().take_while(|&&limb| limb == 0).count();
    limbs.drain(..zeros);
    let bits = limbs.first().map_or(0, |limb| limb.trailing_zeros());
    shift_right(limbs, bits);
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

/// Divides in place, leading zeros removed; gives the rest.
fn divide_small(limbs: &mut Vec<u64>, divisor: u64) -> u64 {
    let mut rest = 0_u64;
    for limb in limbs.iter_mut().rev() {
        let wide = (u128::from(rest) << 64) | u128::from(*limb);
        *limb = wide.checked_div(divisor.into()).unwrap_or(0) as u64;
        rest = wide.checked_rem(divisor.into()).unwrap_or(0) as u64;
    }
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    rest
}
