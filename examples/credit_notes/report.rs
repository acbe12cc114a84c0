//! Everything the report shows, computed once for terminal and page.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;

use aftersale::analytics::alarm::{Alarm, Screening};

use crate::arguments::Arguments;
use crate::drill::{Drill, drill};
use crate::engine::cases::{Cases, cases, invoices};
use crate::engine::reasons::{Reasons, reasons};
use crate::engine::verdicts::{Judge, Verdicts, verdicts};
use crate::engine::{Frozen, MonthRates, Shop, alarms, month_alarms, month_rates};
use crate::figures::{Figures, Part, figures, product_names};
use crate::matching::{Kind, Matched, matched};
use crate::notes::{self, Note};
use crate::read::Book;
use crate::support::text::count;

/// All results of one run.
pub struct Report<'a> {
    /// What was asked for.
    pub arguments: &'a Arguments,
    /// The rows.
    pub book: &'a Book,
    /// The credits with their sales.
    pub matched: Matched,
    /// The sums.
    pub figures: Figures,
    /// Names of products by position of the code.
    pub names: HashMap<u32, String>,
    /// What became of the invoices.
    pub frozen: Frozen,
    /// Rates with intervals by month.
    pub rates: Vec<MonthRates>,
    /// Months that stand out.
    pub month_alarms: Screening<i32>,
    /// Countries that stand out, by month.
    pub country_alarms: BTreeMap<i32, Screening<u32>>,
    /// Products that stand out, by month.
    pub product_alarms: BTreeMap<i32, Screening<u32>>,
    /// The largest credit and rebill.
    pub drill: Option<Drill>,
    /// What became of the cases.
    pub cases: Cases,
    /// The stock notes.
    pub notes: Vec<Note>,
    /// What they say.
    pub reasons: Reasons,
    /// The verdicts.
    pub verdicts: Verdicts,
}

impl<'a> Report<'a> {
    /// Computes the report.
    ///
    /// # Errors
    ///
    /// When the engine refuses an input.
    pub fn new(book: &'a Book, arguments: &'a Arguments) -> Result<Self, Box<dyn Error>> {
        let matched = matched(book, &arguments.rules);
        let figures = figures(book, &matched, arguments);
        if figures.rows == 0 {
            return Err(
                "no row of the file is in this slice; check countries, customers and months".into(),
            );
        }
        let shop = Shop::new(book, &matched)?;
        let wanted = invoices(&shop, &matched, &figures);
        let (frozen, sales) = shop.freeze(|invoice| wanted[invoice])?;
        let judge = Judge::new(&shop, arguments.policy_days)?;
        let cases = cases(&shop, &judge, &matched, &figures, sales)?;
        let notes = notes::read(&arguments.notes)?;
        let reasons = reasons(&notes)?;
        let verdicts = verdicts(&shop, &judge, &matched, &figures)?;
        let countries: Vec<u32> = figures.countries.keys().copied().collect();
        let country_counts = |country, month| {
            let part = figures.country_months.get(&(country, month));
            part.map_or((0, 0), |part| {
                (lines(part.goods_sold.lines), lines(part.kind(Kind::Explained).lines))
            })
        };
        let mut codes: Vec<u32> = figures.product_months.keys().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        let product_counts =
            |code, month| figures.product_months.get(&(code, month)).copied().unwrap_or_default();
        let window = arguments.rules.rebill;
        Ok(Self {
            names: product_names(book, &matched),
            rates: month_rates(&figures)?,
            month_alarms: month_alarms(&figures)?,
            country_alarms: alarms(&figures, &countries, &country_counts)?,
            product_alarms: alarms(&figures, &codes, &product_counts)?,
            drill: drill(book, &matched, &figures, arguments.drill.as_deref(), window),
            frozen,
            cases,
            reasons,
            notes,
            verdicts,
            arguments,
            book,
            matched,
            figures,
        })
    }

    /// The name of a product.
    pub fn product(&self, code: u32) -> &str {
        self.names.get(&code).map_or_else(|| self.book.codes.text(code), String::as_str)
    }

    /// The steps of the waterfall.
    pub fn steps(&self) -> [Step; 5] {
        let all = &self.figures.all;
        let left = |name, kind: Kind, credited| Step {
            name,
            taken: all.kind(kind),
            credited,
            sold: all.sold_after(kind),
        };
        let goods = all.goods_credited().value;
        let reversed = goods - all.kind(Kind::Reversed).value;
        let explained = all.kind(Kind::Explained);
        [
            Step {
                name: "All credit notes",
                taken: all.credited,
                credited: all.credited.value,
                sold: all.sold.value,
            },
            left("Not goods: postage, fees, manual", Kind::NotGoods, goods),
            left("Entries reversed within the hour", Kind::Reversed, reversed),
            left("Credited and sold again within a day", Kind::Rebilled, explained.value),
            Step {
                name: "Explained: goods that may have come back",
                taken: explained,
                credited: explained.value,
                sold: all.sold_after(Kind::Explained),
            },
        ]
    }

    /// The stock notes that name an invoice or credit note.
    pub fn notes_on(&self, number: &str) -> Vec<&str> {
        let number = number.to_lowercase();
        let texts = self.notes.iter().map(|note| note.text.as_str());
        texts.filter(|text| text.to_lowercase().contains(&number)).collect()
    }

    /// Countries with their part, most explained value first.
    pub fn countries(&self) -> Vec<(&str, &Part)> {
        let mut list: Vec<_> = self
            .figures
            .countries
            .iter()
            .map(|(place, part)| (self.book.countries.text(*place), part))
            .collect();
        list.sort_by_key(|(name, part)| {
            (std::cmp::Reverse(part.kind(Kind::Explained).value), *name)
        });
        list
    }

    /// Alarms over countries with their month, surest first within the month.
    pub fn flagged(&self) -> Vec<(i32, &Alarm<u32>)> {
        let each = self.country_alarms.iter();
        each.flat_map(|(month, screening)| screening.alarms.iter().map(|alarm| (*month, alarm)))
            .collect()
    }
}

/// One step of the waterfall.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// What this step takes off; the whole in the first and last step.
    pub taken: crate::figures::Sum,
    /// What is left after it.
    pub credited: i128,
    /// What counts as sold after it.
    pub sold: i128,
}

fn lines(count: i128) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Thousandths of a pound as pounds and pence, rounded half up: `896,812.49`.
pub fn pounds(thousandths: i128) -> String {
    crate::support::text::minor((thousandths + 5).div_euclid(10), 2)
}

/// What the data cannot know.
pub const UNKNOWN: [&str; 7] = [
    "**Why.** No credit note carries a reason. The only words are notes on stock movements, and those belong to no customer.",
    "**Whether goods came back at all.** A credit note is money. Price corrections, goodwill and real returns look the same.",
    "**Which invoice is corrected.** Never stated; the match by customer and code is the best guess, newest sale first.",
    "**Purchases before December 2010.** Credits early in the year may have a sale that is outside the data.",
    "**When goods were delivered.** Windows are counted from the invoice, so a late parcel makes a return look late.",
    "**Tax.** The file does not say whether prices hold it; amounts are taken as they stand.",
    "**Returns still to come.** The last weeks of sales have had little time to come back, so their rates will rise.",
];

impl Report<'_> {
    /// The fates of the cases with their number, what the seller credited and what was due.
    pub fn fates(&self) -> impl Iterator<Item = [String; 4]> {
        self.cases.fates.iter().map(|(fate, sum)| {
            let (credited, refunded) = (pounds(sum.credited), pounds(sum.refunded));
            [fate.name().to_owned(), count(sum.cases), credited, refunded]
        })
    }

    /// That the cases replay, and how many refunds equal their note.
    pub fn replayed(&self) -> String {
        let cases = &self.cases;
        format!(
            "{} events on {} orders; replayed, each order has the same state. {} refunds equal the credit note to the penny.",
            count(cases.events as i128),
            count(cases.orders as i128),
            count(cases.equal as i128),
        )
    }
}
