//! Which sale a credit corrects. The file never says; customer and code have to.

use std::collections::HashMap;

use crate::arguments::{Order, Rules, fits};
use crate::read::{Book, Row};

/// A line of a credit note and what was found about it.
#[derive(Clone, Debug)]
pub struct Credit {
    /// Position of the row.
    pub row: usize,
    /// Whether its code is one of goods.
    pub is_goods: bool,
    /// How much of it has an earlier sale; not asked for what is not goods.
    pub extent: Extent,
    /// The sale rows it used up, in the order of use.
    pub used: Vec<Used>,
    /// What kind of credit it is.
    pub kind: Kind,
    /// Sale rows of the same customer and code within the rebill window after it.
    pub sold_again: Vec<usize>,
    /// Position in the list of credits of an equal line not long before.
    pub twin: Option<usize>,
}

/// A part of a sale row that a credit used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// Position of the sale row.
    pub row: usize,
    /// Units.
    pub quantity: i64,
}

/// How much of a credit has an earlier sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// All of it.
    Full,
    /// Some of it.
    Part,
    /// Nothing: bought before the data begins, or under another number or code.
    NoSale,
    /// The row has no customer.
    NoCustomer,
}

/// What a credit line is, as far as the rows can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Postage, fees, manual entries, discounts.
    NotGoods,
    /// A wrong entry taken back at once.
    Reversed,
    /// Credited and sold again at once, usually at another price.
    Rebilled,
    /// What is left: goods that may have come back.
    Explained,
}

/// A book with its credits matched.
#[derive(Debug)]
pub struct Matched {
    /// For each row whether its invoice is a credit note.
    pub is_credit: Vec<bool>,
    /// For each code whether it is one of goods.
    pub is_goods: Vec<bool>,
    /// The credits in file order.
    pub credits: Vec<Credit>,
}

/// Whether a row is a sale: not on a credit note, units above zero.
pub fn is_sale(row: &Row, is_credit: bool) -> bool {
    !is_credit && row.quantity > 0
}

/// Age of a credit in seconds: since the newest sale row it used.
pub fn age(book: &Book, credit: &Credit) -> Option<i64> {
    let newest = credit.used.iter().map(|used| book.rows[used.row].at).max()?;
    Some(book.rows[credit.row].at - newest)
}

/// What the customer saves when a credit is sold again: its units at the old price less the same
/// units at the new prices, in thousandths of a pound. Below zero when the new price is higher.
pub fn reduction(book: &Book, credit: &Credit) -> i128 {
    let row = &book.rows[credit.row];
    let mut missing = -row.quantity;
    let mut saved = 0;
    for again in credit.sold_again.iter().map(|place| &book.rows[*place]) {
        let units = again.quantity.min(missing);
        saved += i128::from(units) * i128::from(row.price - again.price);
        missing -= units;
    }
    saved
}

fn key(row: &Row) -> u64 {
    u64::from(row.customer) << 32 | u64::from(row.code)
}

/// The rows of one customer and code that are still open to be credited.
#[derive(Default)]
struct Shelf {
    rows: Vec<usize>,
    first_open: usize,
}

/// Matches every credit of goods with earlier sales of the same customer and code, in file order.
pub fn matched(book: &Book, rules: &Rules) -> Matched {
    let credit_note: Vec<bool> = book
        .invoices
        .texts()
        .iter()
        .map(|number| number.starts_with(&rules.credit_prefix))
        .collect();
    let is_credit: Vec<bool> =
        book.rows.iter().map(|row| credit_note[row.invoice as usize]).collect();
    let is_goods: Vec<bool> = book
        .codes
        .texts()
        .iter()
        .map(|code| rules.goods.iter().any(|pattern| fits(code, pattern)))
        .collect();
    // Only sales that some credit could name are worth remembering.
    let mut shelves: HashMap<u64, Shelf> = HashMap::new();
    for (row, _) in
        book.rows.iter().zip(&is_credit).filter(|(row, credit)| **credit && row.customer > 0)
    {
        shelves.entry(key(row)).or_default();
    }
    let mut left: Vec<i64> = vec![0; book.rows.len()];
    let mut twins: HashMap<(u64, i64, i64), usize> = HashMap::new();
    let mut credits: Vec<Credit> = Vec::new();
    for (position, row) in book.rows.iter().enumerate() {
        if !is_credit[position] {
            if is_sale(row, false)
                && row.customer > 0
                && let Some(shelf) = shelves.get_mut(&key(row))
            {
                shelf.rows.push(position);
                left[position] = row.quantity;
            }
            continue;
        }
        let is_goods = is_goods[row.code as usize];
        let mut used = Vec::new();
        if is_goods && let Some(shelf) = shelves.get_mut(&key(row)) {
            used = use_up(shelf, &mut left, -row.quantity, rules.order);
        }
        let mut twin = None;
        if is_goods && row.customer > 0 {
            let last = twins.insert((key(row), row.quantity, row.price), credits.len());
            twin = last.filter(|last| row.at - book.rows[credits[*last].row].at <= rules.duplicate);
        }
        let found: i64 = used.iter().map(|used| used.quantity).sum();
        let extent = if row.customer == 0 {
            Extent::NoCustomer
        } else if found == 0 {
            Extent::NoSale
        } else if found < -row.quantity {
            Extent::Part
        } else {
            Extent::Full
        };
        let kind = if is_goods { Kind::Explained } else { Kind::NotGoods };
        credits.push(Credit {
            row: position,
            is_goods,
            extent,
            used,
            kind,
            sold_again: Vec::new(),
            twin,
        });
    }
    for credit in credits.iter_mut().filter(|credit| credit.is_goods) {
        let row = &book.rows[credit.row];
        if age(book, credit).is_some_and(|age| age <= rules.reverse) {
            credit.kind = Kind::Reversed;
        } else if let Some(shelf) = shelves.get(&key(row)).filter(|_| row.customer > 0) {
            let after = shelf.rows.partition_point(|sale| *sale < credit.row);
            let soon = |sale: &&usize| book.rows[**sale].at - row.at <= rules.rebill;
            let again: Vec<usize> = shelf.rows[after..].iter().take_while(soon).copied().collect();
            let units: i64 = again.iter().map(|sale| book.rows[*sale].quantity).sum();
            if !again.is_empty() && units >= -row.quantity {
                credit.kind = Kind::Rebilled;
                credit.sold_again = again;
            }
        }
    }
    Matched { is_credit, is_goods, credits }
}

fn use_up(shelf: &mut Shelf, left: &mut [i64], wanted: i64, order: Order) -> Vec<Used> {
    let mut missing = wanted;
    let mut used = Vec::new();
    let mut take = |row: usize, missing: &mut i64| {
        let quantity = left[row].min(*missing);
        if quantity > 0 {
            left[row] -= quantity;
            *missing -= quantity;
            used.push(Used { row, quantity });
        }
        left[row] == 0
    };
    match order {
        // Rows used up stay on the shelf for the rebill search; those at the end are passed over.
        Order::Newest => {
            for row in shelf.rows.iter().rev() {
                if missing <= 0 {
                    break;
                }
                take(*row, &mut missing);
            }
        }
        Order::Oldest => {
            while missing > 0 && shelf.first_open < shelf.rows.len() {
                if take(shelf.rows[shelf.first_open], &mut missing) {
                    shelf.first_open += 1;
                }
            }
        }
    }
    used
}
