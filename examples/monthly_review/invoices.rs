//! Thirteen months of invoices: which order lines came back, by month of sale and age.
//!
//! Counted are order lines, not units: six hundred cards of one line come back together and are one
//! event. A credit never names its invoice; it is matched with the newest earlier sale of the same
//! customer and code. Credits within an hour of the sale are wrong entries: neither sold nor returned.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;

use aftersale::analytics::month::Month;
use chrono::{NaiveDate, NaiveDateTime};

/// One order line of goods with a known customer.
#[derive(Clone, Debug)]
pub struct Line {
    /// Position of the stock code.
    pub code: usize,
    /// The customer.
    pub customer: u32,
    /// Position of the market.
    pub market: usize,
    /// Position of the family.
    pub family: usize,
    /// Position of the price band.
    pub band: usize,
    /// When it was sold.
    pub at: NaiveDateTime,
    /// Units.
    pub units: i64,
    /// Price paid for all, pence.
    pub pence: i64,
    /// The first return: months after the month of sale, and the value returned in all, pence.
    pub returned: Option<(usize, i64)>,
    /// Units returned.
    pub units_back: i64,
}

impl Line {
    /// The month of sale.
    pub fn month(&self) -> Month {
        Month::of(self.at.date()).unwrap_or_else(|_| unreachable!("dates are of 2010 and 2011"))
    }
}

/// The lines, and the names behind their positions.
#[derive(Debug, Default)]
pub struct Shop {
    /// Order lines.
    pub lines: Vec<Line>,
    /// Stock code and description.
    pub codes: Vec<(String, String)>,
    /// Credits matched, credits of goods without an earlier sale, wrong entries left out.
    pub credits: (u32, u32, u32),
    /// Returned value by month of the credit, pence.
    pub credited: HashMap<Month, (u64, i64)>,
}

/// Markets: the file's countries, small ones put together.
pub const MARKETS: [(&str, &str); 5] = [
    ("United Kingdom", "英国"),
    ("Germany", "德国"),
    ("France", "法国"),
    ("EIRE", "爱尔兰"),
    ("other countries", "其他国家"),
];

/// Price bands of one unit.
pub const BANDS: [(&str, &str); 4] = [
    ("below £1", "1 镑以下"),
    ("£1 to £2.99", "1–2.99 镑"),
    ("£3 to £7.99", "3–7.99 镑"),
    ("£8 and more", "8 镑以上"),
];

/// Families by the first word that fits the description.
pub const FAMILIES: [(&[&str], &str, &str); 12] = [
    (&["CHRISTMAS", "XMAS", "ADVENT"], "Christmas", "圣诞用品"),
    (&["BAG", "SHOPPER", "PURSE"], "bags", "包袋"),
    (&["LUNCH", "BOTTLE", "SNACK"], "lunch", "餐盒水壶"),
    (&["CAKE", "BAKING", "KITCHEN", "JAR", "TIN"], "kitchen", "厨房"),
    (&["MUG", "CUP", "TEA", "PLATE", "BOWL", "GLASS"], "tableware", "餐具"),
    (&["LIGHT", "LAMP", "LANTERN", "CANDLE"], "lights", "灯烛"),
    (&["CLOCK", "ALARM"], "clocks", "钟表"),
    (&["SIGN", "FRAME", "PICTURE", "DOORMAT"], "decoration", "装饰"),
    (&["CARD", "WRAP", "PAPER", "RIBBON", "TISSUE"], "paper", "纸品"),
    (&["HEART", "HANGING", "WICKER"], "hanging", "挂饰"),
    (&["BOX", "DRAWER", "CABINET", "STORAGE"], "storage", "收纳"),
    (&[""], "other goods", "其他商品"),
];

fn family(description: &str) -> usize {
    let fits = |words: &[&str]| words.iter().any(|word| description.contains(word));
    FAMILIES.iter().position(|(words, ..)| fits(words)).unwrap_or(FAMILIES.len() - 1)
}

fn band(mills: i64) -> usize {
    [1_000, 3_000, 8_000].iter().position(|limit| mills < *limit).unwrap_or(3)
}

/// Thousandths of a pound.
fn mills(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}");
    Some(whole.parse::<i64>().ok()? * 1000 + part.get(..3)?.parse::<i64>().ok()?)
}

/// Reads the file and matches credits with sales.
pub fn read(path: &str) -> Result<Shop, Box<dyn Error>> {
    let file = flate2::read::GzDecoder::new(File::open(path)?);
    let mut reader = csv::Reader::from_reader(file);
    let mut shop = Shop::default();
    let mut codes: HashMap<String, usize> = HashMap::new();
    let mut sold: HashMap<(u32, usize), Vec<usize>> = HashMap::new();
    let mut wrong: Vec<usize> = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let field = |at: usize| record.get(at).unwrap_or("");
        let goods = field(1).starts_with(|c: char| c.is_ascii_digit());
        let (Some(price), Ok(units), Ok(customer)) =
            (mills(field(5)), field(3).parse::<i64>(), field(6).parse::<u32>())
        else {
            continue;
        };
        if !goods || price <= 0 {
            continue;
        }
        let at = NaiveDateTime::parse_from_str(field(4), "%Y-%m-%dT%H:%M:%S")
            .map_err(|error| error.to_string())?;
        let code = *codes.entry(field(1).to_owned()).or_insert_with(|| {
            shop.codes.push((field(1).to_owned(), field(2).trim().to_owned()));
            shop.codes.len() - 1
        });
        if units > 0 {
            let market = MARKETS.iter().position(|(name, _)| *name == field(7));
            sold.entry((customer, code)).or_default().push(shop.lines.len());
            shop.lines.push(Line {
                code,
                customer,
                market: market.unwrap_or(MARKETS.len() - 1),
                family: family(field(2)),
                band: band(price),
                at,
                units,
                pence: (price * units + 5) / 10,
                returned: None,
                units_back: 0,
            });
        } else {
            let earlier = sold.get(&(customer, code)).map_or(&[][..], Vec::as_slice);
            credit(&mut shop, earlier, at, -units, &mut wrong);
        }
    }
    wrong.sort_unstable();
    for place in wrong.iter().rev() {
        shop.lines.remove(*place);
    }
    Ok(shop)
}

/// Uses up the newest sales that still have units.
fn credit(
    shop: &mut Shop,
    earlier: &[usize],
    at: NaiveDateTime,
    units: i64,
    wrong: &mut Vec<usize>,
) {
    let mut left = units;
    let mut matched = false;
    for place in earlier.iter().rev() {
        let line = &mut shop.lines[*place];
        let open = line.units - line.units_back;
        if left == 0 || open == 0 || line.at > at {
            continue;
        }
        matched = true;
        let taken = left.min(open);
        left -= taken;
        if (at - line.at).num_minutes() < 60 && taken == line.units {
            line.units_back = line.units;
            wrong.push(*place);
            continue;
        }
        line.units_back += taken;
        let pence = line.pence * taken / line.units;
        let month = Month::of(at.date()).unwrap_or(line.month());
        let age = usize::try_from(month.since(line.month())).unwrap_or(0);
        let (first, value) = line.returned.unwrap_or((age, 0));
        line.returned = Some((first, value + pence));
        let sum = shop.credited.entry(month).or_default();
        *sum = (sum.0 + 1, sum.1 + pence);
    }
    if matched {
        shop.credits.0 += 1;
    } else {
        shop.credits.1 += 1;
    }
    shop.credits.2 = u32::try_from(wrong.len()).unwrap_or(u32::MAX);
}

/// A day of the calendar.
pub fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}
