//! Tax documents: the credit note and the invoice that a settlement calls for, by tax rate.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Document, Entry, Settlement, Target};
use crate::money::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::number::{Exact, Rounding};
use crate::sale::draft::TaxCode;
use crate::sale::{Paid, Sale};

/// The amounts of one tax document, by tax rate, all zero or above on a usual document.
///
/// Totals are sums of rounded amounts and are not rounded again (EN 16931, BR-CO-10 and following).
/// Taxes are those frozen at the sale: a full return mirrors the invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxDocument {
    /// The amounts for each tax and rate, in ascending order of both.
    pub groups: Vec<RateGroup>,
    /// The sum without tax.
    pub net: Money,
    /// All taxes.
    pub tax: Money,
    /// The sum with tax.
    pub gross: Money,
}

/// The amounts of one tax at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateGroup {
    /// Which tax.
    pub code: TaxCode,
    /// Its rate.
    pub rate: Exact,
    /// The taxable amount. With several taxes on one line it counts in the group of each.
    pub net: Money,
    /// The tax, from the amounts frozen at the sale.
    pub tax: Money,
    /// The tax computed again on the taxable amount of the group, half up.
    pub recomputed: Money,
    /// What bears the difference `tax - recomputed`: the entry with the largest taxable amount.
    pub difference_on: Target,
}

/// The documents that one settlement calls for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxDocuments {
    /// What is credited: amounts in favor of the customer are above zero.
    pub credit_note: TaxDocument,
    /// What is invoiced anew (exchange goods, fees that are supplies of their own): amounts owed by
    /// the customer are above zero.
    pub invoice: TaxDocument,
}

impl TaxDocuments {
    /// The documents of a settlement.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when a settlement from outside mixes currencies or overflows.
    pub fn of(settlement: &Settlement) -> Result<Self, MoneyError> {
        let currency = settlement.total.currency();
        let on = |document| settlement.entries.iter().filter(move |e| e.document == document);
        let credited: Vec<(Target, Paid)> =
            on(Document::CreditNote).map(|entry| (entry.target.clone(), paid(entry))).collect();
        let mut invoiced = Vec::new();
        for entry in on(Document::Invoice) {
            invoiced.push((entry.target.clone(), super::compute::opposite(&paid(entry))?));
        }
        Ok(Self {
            credit_note: TaxDocument::from_parts(currency, &credited)?,
            invoice: TaxDocument::from_parts(currency, &invoiced)?,
        })
    }
}

impl TaxDocument {
    /// The invoice of the sale itself, from its frozen amounts.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when amounts of absurd size overflow.
    pub fn of_sale(sale: &Sale) -> Result<Self, MoneyError> {
        let lines = sale
            .lines()
            .map(|line| (Target::Line(line.ordered.id.clone()), line.frozen.paid.clone()));
        let charges = sale
            .charges()
            .map(|charge| (Target::Charge(charge.charged.id.clone()), charge.paid.clone()));
        Self::from_parts(sale.currency(), &lines.chain(charges).collect::<Vec<_>>())
    }

    fn from_parts(currency: Currency, parts: &[(Target, Paid)]) -> Result<Self, MoneyError> {
        let zero = Money::zero(currency);
        let mut document = Self { groups: Vec::new(), net: zero, tax: zero, gross: zero };
        let mut largest: Vec<Money> = Vec::new();
        for (target, paid) in parts {
            let (net, tax) = (paid.net()?, paid.tax()?);
            document.net = document.net.checked_add(net)?;
            document.tax = document.tax.checked_add(tax)?;
            document.gross = document.gross.checked_add(paid.gross)?;
            for tax in &paid.taxes {
                let same = |group: &RateGroup| group.code == tax.code && group.rate == tax.rate;
                let Some(at) = document.groups.iter().position(same) else {
                    largest.push(net);
                    document.groups.push(RateGroup {
                        code: tax.code.clone(),
                        rate: tax.rate,
                        net,
                        tax: tax.amount,
                        recomputed: zero,
                        difference_on: target.clone(),
                    });
                    continue;
                };
                if let (Some(group), Some(most)) =
                    (document.groups.get_mut(at), largest.get_mut(at))
                {
                    group.net = group.net.checked_add(net)?;
                    group.tax = group.tax.checked_add(tax.amount)?;
                    if net > *most {
                        *most = net;
                        group.difference_on = target.clone();
                    }
                }
            }
        }
        for group in &mut document.groups {
            let exact = group.net.amount().checked_mul(group.rate.decimal());
            let exact = exact.ok_or(MoneyError::TooLarge { currency })?;
            group.recomputed = Money::rounded(exact, currency, Rounding::HalfUp)?;
        }
        document.groups.sort_by(|one, other| (&one.code, one.rate).cmp(&(&other.code, other.rate)));
        Ok(document)
    }
}

fn paid(entry: &Entry) -> Paid {
    Paid { gross: entry.gross, taxes: entry.taxes.clone() }
}
