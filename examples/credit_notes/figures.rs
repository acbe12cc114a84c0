//! The figures: sums over the rows of the slice, exact in thousandths of a pound.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use crate::arguments::{Arguments, Slice};
use crate::matching::{Credit, Extent, Kind, Matched, age, is_sale};
use crate::read::{Book, Quick, Row};

/// Money and the number of lines behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Thousandths of a pound.
    pub value: i128,
    /// Invoice lines.
    pub lines: i128,
}

impl Sum {
    /// Adds one line.
    pub fn add(&mut self, value: i128) {
        self.value += value;
        self.lines += 1;
    }

    /// Both less another.
    pub fn less(self, other: Self) -> Self {
        Self { value: self.value - other.value, lines: self.lines - other.lines }
    }
}

/// Sales and credits of one part of the slice: a month, a country, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// All sales.
    pub sold: Sum,
    /// Sales of goods.
    pub goods_sold: Sum,
    /// All credits.
    pub credited: Sum,
    /// Credits by kind.
    pub kinds: BTreeMap<Kind, Sum>,
    /// Credits of goods by age class; the last class has no upper end.
    pub ages: Vec<Sum>,
}

impl Part {
    /// Credits of one kind.
    pub fn kind(&self, kind: Kind) -> Sum {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// Credits of goods.
    pub fn goods_credited(&self) -> Sum {
        self.credited.less(self.kind(Kind::NotGoods))
    }

    /// What counts as sold after leaving out what the kinds up to this one explain away.
    ///
    /// A reversed entry was never a sale and a rebill is not a second sale, so each step takes the
    /// same amount off the credits and off the sales.
    pub fn sold_after(&self, kind: Kind) -> i128 {
        let reversed = self.kind(Kind::Reversed).value;
        match kind {
            Kind::NotGoods => self.goods_sold.value,
            Kind::Reversed => self.goods_sold.value - reversed,
            Kind::Rebilled | Kind::Explained => {
                self.goods_sold.value - reversed - self.kind(Kind::Rebilled).value
            }
        }
    }

    fn sale(&mut self, row: &Row, is_goods: bool) {
        self.sold.add(row.value());
        if is_goods {
            self.goods_sold.add(row.value());
        }
    }

    fn credit(&mut self, value: i128, kind: Kind, age_class: Option<usize>, classes: usize) {
        self.credited.add(value);
        self.kinds.entry(kind).or_default().add(value);
        self.ages.resize(classes, Sum::default());
        if let Some(class) = age_class {
            self.ages[class].add(value);
        }
    }
}

/// All figures of the slice.
#[derive(Debug, Default)]
pub struct Figures {
    /// The whole slice.
    pub all: Part,
    /// By month.
    pub months: BTreeMap<i32, Part>,
    /// By position of the country.
    pub countries: BTreeMap<u32, Part>,
    /// By country and month: what counts as sold, and what is explained.
    pub country_months: BTreeMap<(u32, i32), Part>,
    /// By position of the stock code, goods credits that are left.
    pub products: Vec<(u32, Sum)>,
    /// Credits of goods by extent of the match.
    pub extents: BTreeMap<Extent, Sum>,
    /// Ages in days (rounded up) of explained credits, and their lines.
    pub age_days: BTreeMap<i64, i128>,
    /// Lines sold and lines explained, by stock code and month.
    pub product_months: HashMap<(u32, i32), (u64, u64), BuildHasherDefault<Quick>>,
    /// Positions in the list of credits of those that are counted.
    pub counted: Vec<usize>,
    /// The largest entries reversed, as positions in the list of credits.
    pub entry_errors: Vec<usize>,
    /// Notes: credit notes counted.
    pub notes: usize,
    /// Rows that are neither sale nor credit: stock movements.
    pub stock_rows: i128,
    /// All rows of the slice.
    pub rows: i128,
}

/// The slice with names turned into positions.
struct Counted {
    countries: Vec<bool>,
    customers: Vec<bool>,
    from: i32,
    to: i32,
}

impl Counted {
    fn new(book: &Book, slice: &Slice) -> Self {
        let chosen = |names: &[String], set: &std::collections::BTreeSet<String>| {
            names.iter().map(|name| set.is_empty() || set.contains(name)).collect()
        };
        Self {
            countries: chosen(book.countries.texts(), &slice.countries),
            customers: chosen(book.customers.texts(), &slice.customers),
            from: slice.month_from.unwrap_or(i32::MIN),
            to: slice.month_to.unwrap_or(i32::MAX),
        }
    }

    fn has(&self, row: &Row) -> bool {
        self.countries[row.country as usize]
            && self.customers[row.customer as usize]
            && (self.from..=self.to).contains(&row.month)
    }
}

/// Sums up the slice.
pub fn figures(book: &Book, matched: &Matched, arguments: &Arguments) -> Figures {
    let counted = Counted::new(book, &arguments.slice);
    let mut figures = Figures::default();
    sales(&mut figures, book, matched, &counted);
    let classes = &arguments.rules.age_classes;
    let mut products: HashMap<u32, Sum> = HashMap::new();
    let mut notes: Vec<u32> = Vec::new();
    for (position, credit) in matched.credits.iter().enumerate() {
        let row = &book.rows[credit.row];
        if !counted.has(row) {
            continue;
        }
        figures.counted.push(position);
        notes.push(row.invoice);
        let value = -row.value();
        let age = age(book, credit);
        let class = age.map(|age| classes.partition_point(|end| *end < age));
        let parts = [
            &mut figures.all,
            figures.months.entry(row.month).or_default(),
            figures.countries.entry(row.country).or_default(),
            figures.country_months.entry((row.country, row.month)).or_default(),
        ];
        for part in parts {
            part.credit(value, credit.kind, class, classes.len() + 1);
        }
        if credit.is_goods {
            figures.extents.entry(credit.extent).or_default().add(value);
        }
        match credit.kind {
            Kind::Explained => {
                figures.product_months.entry((row.code, row.month)).or_default().1 += 1;
                products.entry(row.code).or_default().add(value);
                if let Some(age) = age {
                    *figures.age_days.entry((age + 86_399).div_euclid(86_400)).or_default() += 1;
                }
            }
            Kind::Reversed => figures.entry_errors.push(position),
            Kind::NotGoods | Kind::Rebilled => {}
        }
    }
    notes.sort_unstable();
    notes.dedup();
    figures.notes = notes.len();
    figures.products = products.into_iter().collect();
    let name = |code: &u32| book.codes.text(*code);
    figures.products.sort_by(|(a, x), (b, y)| y.value.cmp(&x.value).then(name(a).cmp(name(b))));
    let value = |position: &usize| book.rows[matched.credits[*position].row].value();
    figures.entry_errors.sort_by_key(|position| (value(position), *position));
    figures
}

fn sales(figures: &mut Figures, book: &Book, matched: &Matched, counted: &Counted) {
    for (row, is_credit) in book.rows.iter().zip(&matched.is_credit) {
        if !counted.has(row) {
            continue;
        }
        figures.rows += 1;
        if is_sale(row, *is_credit) {
            let is_goods = matched.is_goods[row.code as usize];
            if is_goods {
                figures.product_months.entry((row.code, row.month)).or_default().0 += 1;
            }
            figures.all.sale(row, is_goods);
            figures.months.entry(row.month).or_default().sale(row, is_goods);
            figures.countries.entry(row.country).or_default().sale(row, is_goods);
            figures.country_months.entry((row.country, row.month)).or_default().sale(row, is_goods);
        } else if !is_credit {
            figures.stock_rows += 1;
        }
    }
}

/// The name of each product: its most frequent description on sale rows with a price.
pub fn product_names(book: &Book, matched: &Matched) -> HashMap<u32, String> {
    let mut counts: HashMap<(u32, u32), u32> = HashMap::new();
    for (row, is_credit) in book.rows.iter().zip(&matched.is_credit) {
        if is_sale(row, *is_credit) && row.price > 0 {
            *counts.entry((row.code, row.description)).or_default() += 1;
        }
    }
    let mut best: HashMap<u32, (u32, &str)> = HashMap::new();
    for ((code, description), count) in counts {
        let text = book.descriptions.text(description);
        let held = best.entry(code).or_insert((0, ""));
        if (count, std::cmp::Reverse(text)) > (held.0, std::cmp::Reverse(held.1)) {
            *held = (count, text);
        }
    }
    best.into_iter().map(|(code, (_, text))| (code, text.to_owned())).collect()
}

/// Money given back on a credit, in thousandths of a pound.
pub fn worth(book: &Book, credit: &Credit) -> i128 {
    -book.rows[credit.row].value()
}
