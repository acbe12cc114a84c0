//! Every choice that decides a number, as an argument with its default.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the program prints for `--help`.
pub const HELP: &str = "\
Credit notes explained: 13 months of real invoices through the engine.

  cargo run --release --example credit_notes -- [OPTIONS]

What is looked at (matching always uses the whole history of a customer)
  --country NAME         only this country; may be repeated
  --month-from YYYY-MM   first invoice month
  --month-to YYYY-MM     last invoice month
  --customer ID          only this customer; may be repeated

What the words mean
  --credit-prefix TEXT   invoices that start with it are credit notes        [C]
  --goods PATTERNS       codes of goods, separated by commas; in a pattern
                         9 is a digit, ? a letter or nothing, * any rest     [99999??,DCGS*,gift_*]
  --duplicates keep|drop exact duplicate rows                                [keep]
  --match newest|oldest  which earlier sale a credit uses up first           [newest]
  --age-classes HOURS    upper ends of the age classes, in hours             [1,24,720]
  --reverse-minutes N    a credit this soon after its sale is an entry
                         reversed, not a return                              [60]
  --rebill-hours N       a credit sold again this soon is a rebill           [24]
  --duplicate-hours N    an equal credit line this soon after another is a
                         possible duplicate                                  [24]

How it is judged
  --policy-days N        the voluntary policy: days to return after invoice  [30]

Where it comes from and goes to
  --data FILE            invoices, .csv or .csv.gz     [examples/data/online-retail/online_retail.csv.gz]
  --notes FILE           stock notes                   [examples/data/online-retail/stock_notes.csv]
  --out FILE             the page                      [target/credit_notes.html]
  --drill NOTE           the credit note to look into  [the largest credit and rebill]
  --top N                rows of the Pareto charts     [12]
  --help                 this text
";

/// What to look at, what the words mean, where to read and write.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The slice that is counted.
    pub slice: Slice,
    /// What the words mean.
    pub rules: Rules,
    /// Calendar days to return after the invoice.
    pub policy_days: u16,
    /// The invoices.
    pub data: PathBuf,
    /// The stock notes.
    pub notes: PathBuf,
    /// The page.
    pub out: PathBuf,
    /// The credit note to look into, or the largest credit and rebill.
    pub drill: Option<String>,
    /// Rows of the Pareto charts.
    pub top: usize,
}

/// The rows that are counted; empty sets and open ends hold nothing back.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Countries by name.
    pub countries: BTreeSet<String>,
    /// Customers by number.
    pub customers: BTreeSet<String>,
    /// First month counted.
    pub month_from: Option<i32>,
    /// Last month counted.
    pub month_to: Option<i32>,
}

/// The definitions that decide the numbers.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How the number of a credit note starts.
    pub credit_prefix: String,
    /// Patterns of goods codes.
    pub goods: Vec<String>,
    /// Whether exact duplicate rows count.
    pub duplicates: Duplicates,
    /// Which earlier sale is used up first.
    pub order: Order,
    /// Upper ends of the age classes, in seconds, rising.
    pub age_classes: Vec<i64>,
    /// Up to this age a credit reverses an entry, in seconds.
    pub reverse: i64,
    /// Up to this time after a credit a new sale is a rebill, in seconds.
    pub rebill: i64,
    /// Up to this time after an equal credit line another is a possible duplicate, in seconds.
    pub duplicate: i64,
}

/// What becomes of exact duplicate rows of one invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// They count: the seller may have scanned a thing twice.
    Keep,
    /// Only the first counts.
    Drop,
}

/// Which earlier sale a credit uses up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one sold last.
    Newest,
    /// The one sold first.
    Oldest,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            credit_prefix: "C".into(),
            goods: ["99999??", "DCGS*", "gift_*"].map(String::from).to_vec(),
            duplicates: Duplicates::Keep,
            order: Order::Newest,
            age_classes: [1, 24, 720].map(|hours| hours * 3600).to_vec(),
            reverse: 3600,
            rebill: 24 * 3600,
            duplicate: 24 * 3600,
        }
    }
}

impl Default for Arguments {
    fn default() -> Self {
        let data =
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/online-retail"));
        Self {
            slice: Slice::default(),
            rules: Rules::default(),
            policy_days: 30,
            notes: data.join("stock_notes.csv"),
            data: data.join("online_retail.csv.gz"),
            out: PathBuf::from("target/credit_notes.html"),
            drill: None,
            top: 12,
        }
    }
}

impl Arguments {
    /// Reads the words after the program name; `None` asks for the help text.
    ///
    /// # Errors
    ///
    /// One sentence on the first word that is not understood.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut found = Self::default();
        let mut words = words.into_iter();
        while let Some(name) = words.next() {
            if name == "--help" || name == "-h" {
                return Ok(None);
            }
            if !HELP.contains(&format!("  {name} ")) {
                return Err(format!("{name} is not an option; --help lists them"));
            }
            let value = words.next().ok_or_else(|| format!("{name} needs a value; see --help"))?;
            found.set(&name, value).map_err(|why| format!("{name}: {why}"))?;
        }
        if let (Some(from), Some(to)) = (found.slice.month_from, found.slice.month_to)
            && from > to
        {
            return Err("--month-from is after --month-to".into());
        }
        Ok(Some(found))
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "--country" => drop(self.slice.countries.insert(value)),
            "--customer" => drop(self.slice.customers.insert(value)),
            "--month-from" => self.slice.month_from = Some(month(&value)?),
            "--month-to" => self.slice.month_to = Some(month(&value)?),
            "--credit-prefix" => self.rules.credit_prefix = value,
            "--goods" => self.rules.goods = value.split(',').map(|p| p.trim().to_owned()).collect(),
            "--duplicates" => self.rules.duplicates = one_of(&value, &DUPLICATES)?,
            "--match" => self.rules.order = one_of(&value, &ORDERS)?,
            "--age-classes" => self.rules.age_classes = age_classes(&value)?,
            "--reverse-minutes" => self.rules.reverse = 60 * i64::from(number::<u32>(&value)?),
            "--rebill-hours" => self.rules.rebill = 3600 * i64::from(number::<u32>(&value)?),
            "--duplicate-hours" => self.rules.duplicate = 3600 * i64::from(number::<u32>(&value)?),
            "--policy-days" => self.policy_days = number(&value)?,
            "--data" => self.data = value.into(),
            "--notes" => self.notes = value.into(),
            "--out" => self.out = value.into(),
            "--drill" => self.drill = Some(value),
            "--top" => self.top = number(&value)?,
            _ => return Err("this option takes no value".into()),
        }
        Ok(())
    }
}

const DUPLICATES: [(&str, Duplicates); 2] =
    [("keep", Duplicates::Keep), ("drop", Duplicates::Drop)];
const ORDERS: [(&str, Order); 2] = [("newest", Order::Newest), ("oldest", Order::Oldest)];

fn one_of<T: Copy>(text: &str, names: &[(&str, T)]) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("`{text}` is not one of {}", names.join(", "))
    })
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number in range"))
}

fn age_classes(text: &str) -> Result<Vec<i64>, String> {
    let ends = text.split(',').map(|part| Ok(3600 * i64::from(number::<u32>(part.trim())?)));
    let ends: Vec<i64> = ends.collect::<Result<_, String>>()?;
    if ends.windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(ends)
    } else {
        Err(format!("`{text}` must rise"))
    }
}

/// A month as one number: `2011-04` is 2011 * 12 + 3.
fn month(text: &str) -> Result<i32, String> {
    let wrong = || format!("`{text}` is not a month like 2011-04");
    let (year, month) = text.split_once('-').ok_or_else(wrong)?;
    let year: u16 = year.parse().map_err(|_| wrong())?;
    let month: u16 = month.parse().map_err(|_| wrong())?;
    if !(1..=12).contains(&month) {
        return Err(wrong());
    }
    Ok(i32::from(year) * 12 + i32::from(month) - 1)
}

/// Whether a code fits a pattern: `9` is a digit, `?` a letter or nothing, `*` any rest.
pub fn fits(code: &str, pattern: &str) -> bool {
    let mut letters = code.chars().peekable();
    for sign in pattern.chars() {
        match sign {
            '*' => return true,
            '9' if letters.next_if(char::is_ascii_digit).is_some() => {}
            '?' => drop(letters.next_if(char::is_ascii_alphabetic)),
            '9' => return false,
            plain if letters.next_if_eq(&plain).is_some() => {}
            _ => return false,
        }
    }
    letters.peek().is_none()
}
