//! What the engine does: freezes every invoice as a sale, and says how sure the rates are.

pub mod cases;
pub mod reasons;
pub mod verdicts;

use std::collections::BTreeMap;
use std::error::Error;

use aftersale::analytics::alarm::{Options, Screening, Series, screen};
use aftersale::analytics::rate::{Confidence, Estimate, Proportion};
use aftersale::id::{CustomerId, OrderId, OrderLineId, ParcelId, Sku, TenderId};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Exact;
use aftersale::quantity::Quantity;
use aftersale::sale::Sale;
use aftersale::sale::draft::{
    LineDraft, PriceBasis, SaleDraft, Shipment, ShippedLine, Tender, TenderKind, WeightBase,
};
use aftersale::time::{Fold, Gap, Instant, Zone};
use rust_decimal::Decimal;

use crate::figures::{Figures, Part};
use crate::matching::{Kind, Matched, is_sale};
use crate::read::Book;

/// The rows of a book, invoice by invoice, as the engine wants them.
pub struct Shop<'a> {
    book: &'a Book,
    currency: Currency,
    zone: Zone,
    /// Sale rows of each invoice, by position of the invoice.
    rows: Vec<Vec<usize>>,
}

/// What became of the invoices.
#[derive(Debug, Default)]
pub struct Frozen {
    /// Invoices taken as sales.
    pub sales: usize,
    /// Their lines.
    pub lines: usize,
    /// Their total in thousandths of a pound, as the engine added it up.
    pub total: i128,
    /// Invoices refused, with every fault.
    pub refused: Vec<(String, String)>,
}

impl<'a> Shop<'a> {
    /// Collects the rows of each invoice.
    ///
    /// # Errors
    ///
    /// When currency or zone are unknown.
    pub fn new(book: &'a Book, matched: &Matched) -> Result<Self, Box<dyn Error>> {
        let mut rows = vec![Vec::new(); book.invoices.texts().len()];
        for (position, (row, is_credit)) in book.rows.iter().zip(&matched.is_credit).enumerate() {
            if is_sale(row, *is_credit) {
                rows[row.invoice as usize].push(position);
            }
        }
        // Four rows have a price of a tenth of a penny, so the books are kept in tenths.
        let currency = Currency::with_digits("GBP", 3)?;
        Ok(Self { book, currency, zone: "Europe/London".parse()?, rows })
    }

    /// The invoice as the engine wants it; `None` when it has no sale row.
    ///
    /// # Errors
    ///
    /// When a text or number is outside what the engine takes.
    pub fn draft(&self, invoice: usize) -> Result<Option<SaleDraft>, Box<dyn Error>> {
        let rows = &self.rows[invoice];
        let Some(first) = rows.first().map(|row| self.book.rows[*row]) else { return Ok(None) };
        let mut lines = Vec::with_capacity(rows.len());
        let mut shipped = Vec::with_capacity(rows.len());
        let mut total: i128 = 0;
        for (number, row) in rows.iter().enumerate() {
            let row = &self.book.rows[*row];
            total += row.value();
            let (id, quantity) = (line_id(number)?, Quantity::pieces(row.quantity)?);
            let (lots, serials) = (Vec::new(), Default::default());
            shipped.push(ShippedLine { line: id.clone(), quantity, lots, serials });
            lines.push(LineDraft {
                id,
                sku: Sku::new(self.book.codes.text(row.code))?,
                tags: Default::default(),
                quantity,
                unit_price: Exact::new(Decimal::new(row.price, 3)),
                list: None,
                components: Vec::new(),
                discounts: Vec::new(),
                taxes: Vec::new(),
            });
        }
        let placed_at = self.instant(first.time())?;
        let total = Money::from_wide(total, self.currency)?;
        let customer = self.book.customers.text(first.customer);
        let customer = if customer.is_empty() { None } else { Some(CustomerId::new(customer)?) };
        Ok(Some(SaleDraft {
            order: OrderId::new(self.book.invoices.text(first.invoice))?,
            version: 1,
            payer: customer.clone(),
            customer,
            channel: None,
            buyer_tier: None,
            country: None,
            currency: self.currency,
            placed_at,
            // The file does not say whether prices hold tax; no tax is taken out or put on.
            prices: PriceBasis::TaxIncluded,
            discount_weights: WeightBase::default(),
            lines,
            kits: Vec::new(),
            discounts: Vec::new(),
            promotions: Vec::new(),
            free_delivery: None,
            charges: Vec::new(),
            tax_totals: Vec::new(),
            tenders: vec![Tender {
                id: TenderId::new("account")?,
                kind: TenderKind::OnAccount,
                captured: total,
                in_kind: None,
                refunded_outside: None,
                refundable_until: None,
            }],
            shipments: vec![Shipment {
                parcel: ParcelId::new(self.book.invoices.text(first.invoice))?,
                // The file has invoices only; each is taken as shipped at its time.
                shipped_at: placed_at,
                delivered_at: None,
                signed_at: None,
                lines: shipped,
            }],
            total,
        }))
    }

    /// Local time of the shop as an instant.
    ///
    /// # Errors
    ///
    /// When it is outside the years 1 to 9999.
    pub fn instant(&self, local: chrono::NaiveDateTime) -> Result<Instant, Box<dyn Error>> {
        Ok(self.zone.resolve(local, Gap::Forward, Fold::First)?)
    }

    /// Turns every invoice into a sale, keeps those asked for, and counts.
    ///
    /// # Errors
    ///
    /// When a text or number is outside what the engine takes; a sale that does not add up is not
    /// an error but counted as refused.
    pub fn freeze(
        &self,
        keep: impl Fn(usize) -> bool,
    ) -> Result<(Frozen, BTreeMap<usize, Sale>), Box<dyn Error>> {
        let (mut frozen, mut kept) = (Frozen::default(), BTreeMap::new());
        for invoice in 0..self.rows.len() {
            let Some(draft) = self.draft(invoice)? else { continue };
            match Sale::freeze(draft) {
                Ok(sale) => {
                    frozen.sales += 1;
                    frozen.lines += sale.lines().len();
                    frozen.total += i128::from(sale.total().minor());
                    if keep(invoice) {
                        kept.insert(invoice, sale);
                    }
                }
                Err(refused) => {
                    let number = self.book.invoices.text(u32::try_from(invoice)?);
                    frozen.refused.push((number.to_owned(), refused.to_string()));
                }
            }
        }
        Ok((frozen, kept))
    }
}

fn line_id(number: usize) -> Result<OrderLineId, Box<dyn Error>> {
    Ok(OrderLineId::new((number + 1).to_string())?)
}

fn share(part: i128, whole: i128) -> Result<Proportion, Box<dyn Error>> {
    // A credit may follow its sale by months, so a thin month can credit more than it sells.
    let whole = u64::try_from(whole)?;
    Ok(Proportion::new(u64::try_from(part)?.min(whole), whole)?)
}

/// The rates of one month by invoice line, with Wilson intervals of 95 percent.
pub struct MonthRates {
    /// All credit lines for all lines sold.
    pub naive: Option<Estimate>,
    /// Explained credit lines of goods for the goods lines sold.
    pub explained: Option<Estimate>,
}

/// The rates by invoice line, month by month.
///
/// # Errors
///
/// When counts are too large to be held exactly.
pub fn month_rates(figures: &Figures) -> Result<Vec<MonthRates>, Box<dyn Error>> {
    let wilson = |part, whole| -> Result<Option<Estimate>, Box<dyn Error>> {
        Ok(share(part, whole)?.wilson(Confidence::NINETY_FIVE))
    };
    let rate = |part: &Part| -> Result<MonthRates, Box<dyn Error>> {
        Ok(MonthRates {
            naive: wilson(part.credited.lines, part.sold.lines)?,
            explained: wilson(part.kind(Kind::Explained).lines, part.goods_sold.lines)?,
        })
    };
    figures.months.values().map(rate).collect()
}

/// The least number of months in the past of a series.
const MONTHS_BEFORE: usize = 3;

/// Screens the months as one family: those whose explained rate their own past does not explain,
/// from the fourth month on.
///
/// # Errors
///
/// When counts are too large to be held exactly.
pub fn month_alarms(figures: &Figures) -> Result<Screening<i32>, Box<dyn Error>> {
    let mut past = Vec::new();
    let mut series = Vec::new();
    for (month, part) in &figures.months {
        let now = share(part.kind(Kind::Explained).lines, part.goods_sold.lines)?;
        if past.len() >= MONTHS_BEFORE {
            let past = past.clone();
            series.push(Series { key: *month, past, now, cost_per_return: None });
        }
        past.push(now);
    }
    Ok(screen(&series, &Options::default())?)
}

/// Lines sold and lines explained, by some key and month.
type Counts<'a> = &'a dyn Fn(u32, i32) -> (u64, u64);

/// Screens one family month by month: the series whose explained credits their own past does not
/// explain.
///
/// # Errors
///
/// When counts are too large to be held exactly.
pub fn alarms(
    figures: &Figures,
    keys: &[u32],
    counts: Counts<'_>,
) -> Result<BTreeMap<i32, Screening<u32>>, Box<dyn Error>> {
    let months: Vec<i32> = figures.months.keys().copied().collect();
    let mut found = BTreeMap::new();
    for (place, month) in months.iter().enumerate().skip(MONTHS_BEFORE) {
        let mut family = Vec::with_capacity(keys.len());
        for key in keys {
            let at = |month: &i32| -> Result<Proportion, Box<dyn Error>> {
                let (sold, back) = counts(*key, *month);
                share(back.into(), sold.into())
            };
            let past = months[..place].iter().map(at).collect::<Result<_, _>>()?;
            family.push(Series { key: *key, past, now: at(month)?, cost_per_return: None });
        }
        found.insert(*month, screen(&family, &Options::default())?);
    }
    Ok(found)
}
