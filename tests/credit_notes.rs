//! The host side of the main example: its numbers on the real data, and on any slice of it.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

#[path = "../examples/credit_notes/arguments.rs"]
mod arguments;
#[path = "../examples/credit_notes/drill.rs"]
mod drill;
#[path = "../examples/credit_notes/figures.rs"]
mod figures;
#[path = "../examples/credit_notes/matching.rs"]
mod matching;
#[path = "../examples/credit_notes/read.rs"]
mod read;

use std::path::Path;
use std::sync::OnceLock;

use arguments::{Arguments, Duplicates, Order, fits};
use drill::{drill, is_slip};
use figures::{Figures, figures};
use matching::{Credit, Extent, Kind, Matched, matched, reduction};
use read::Book;

const GERMANY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/online-retail/germany.csv");

/// All rows, read once for all tests.
fn everything() -> &'static (Book, Matched) {
    static ALL: OnceLock<(Book, Matched)> = OnceLock::new();
    ALL.get_or_init(|| {
        let arguments = Arguments::default();
        let book = read::read(&arguments.data, Duplicates::Keep).unwrap();
        let matched = matched(&book, &arguments.rules);
        (book, matched)
    })
}

fn germany() -> (Book, Matched) {
    let book = read::read(Path::new(GERMANY), Duplicates::Keep).unwrap();
    let matched = matched(&book, &Arguments::default().rules);
    (book, matched)
}

fn given(words: &[&str]) -> Arguments {
    Arguments::parse(words.iter().map(|word| (*word).to_owned())).unwrap().unwrap()
}

fn slice(words: &[&str]) -> Figures {
    let (book, matched) = everything();
    figures(book, matched, &given(words))
}

/// Rounded half up to pence.
fn pence(thousandths: i128) -> i128 {
    (thousandths + 5).div_euclid(10)
}

#[test]
fn the_numbers_of_the_whole_file_are_exact() {
    let figures = slice(&[]);
    let all = &figures.all;
    assert_eq!(figures.rows, 541_909);
    assert_eq!(figures.notes, 3_836);
    assert_eq!(all.credited.lines, 9_288);
    assert_eq!(pence(all.credited.value), 89_681_249);
    assert_eq!(all.sold.value, 10_644_560_424);
    assert_eq!(pence(all.goods_credited().value), 47_872_418);
    let lines = |extent| figures.extents[&extent].lines;
    assert_eq!(lines(Extent::Full), 7_432);
    assert_eq!(lines(Extent::Part), 51);
    assert_eq!(lines(Extent::NoSale), 1_056);
    assert_eq!(lines(Extent::NoCustomer), 165);
}

#[test]
fn the_waterfall_ends_at_the_explained_rate() {
    let figures = slice(&[]);
    let all = &figures.all;
    let basis_points = |part: i128, whole: i128| (part * 100_000 / whole + 5) / 10;
    assert_eq!(basis_points(all.credited.value, all.sold.value), 843);
    assert_eq!(basis_points(all.kind(Kind::Explained).value, all.sold_after(Kind::Explained)), 155);
    let kinds: i128 = all.kinds.values().map(|sum| sum.value).sum();
    assert_eq!(kinds, all.credited.value);
}

#[test]
fn months_and_countries_split_the_whole_without_rest() {
    let (book, matched) = everything();
    let whole = slice(&[]);
    let same = |parts: Vec<Figures>| {
        let sum = |of: &dyn Fn(&Figures) -> i128| parts.iter().map(of).sum::<i128>();
        assert_eq!(sum(&|f| f.rows), whole.rows);
        assert_eq!(sum(&|f| f.all.sold.value), whole.all.sold.value);
        assert_eq!(sum(&|f| f.all.goods_sold.lines), whole.all.goods_sold.lines);
        for kind in [Kind::NotGoods, Kind::Reversed, Kind::Rebilled, Kind::Explained] {
            assert_eq!(sum(&|f| f.all.kind(kind).value), whole.all.kind(kind).value);
        }
    };
    let months = whole.months.keys().map(|month| {
        let name = read::month_name(*month);
        let part = slice(&["--month-from", &name, "--month-to", &name]);
        assert_eq!(part.all, whole.months[month]);
        part
    });
    same(months.collect());
    let countries = whole.countries.keys().map(|place| {
        let part = figures(book, matched, &given(&["--country", book.countries.text(*place)]));
        assert_eq!(part.all, whole.countries[place]);
        part
    });
    same(countries.collect());
}

#[test]
fn a_country_alone_gives_the_same_sums_as_its_own_file() {
    let (book, matched) = germany();
    let alone = figures(&book, &matched, &Arguments::default());
    let within = slice(&["--country", "Germany"]);
    assert_eq!(alone.rows, 9_495);
    assert_eq!(alone.all.sold, within.all.sold);
    assert_eq!(alone.all.credited, within.all.credited);
    assert_eq!(alone.all.goods_credited(), within.all.goods_credited());
}

#[test]
fn a_customer_alone_has_only_his_own_rows() {
    let part = slice(&["--customer", "15749", "--month-from", "2011-04", "--month-to", "2011-04"]);
    assert_eq!(part.notes, 1);
    assert_eq!(pence(part.all.credited.value), 2_299_840);
}

/// The rule of the match in its plainest form: for each credit look back over every row.
fn slow_match(book: &Book, order: Order) -> Vec<Vec<(usize, i64)>> {
    let mut left: Vec<i64> = book.rows.iter().map(|row| row.quantity).collect();
    let mut all = Vec::new();
    for (position, row) in book.rows.iter().enumerate() {
        let code = book.codes.text(row.code);
        let goods = Arguments::default().rules.goods.iter().any(|pattern| fits(code, pattern));
        if !book.invoices.text(row.invoice).starts_with('C') {
            continue;
        }
        let mut used = Vec::new();
        let mut missing = -row.quantity;
        let mut before: Vec<usize> = (0..position).collect();
        if order == Order::Newest {
            before.reverse();
        }
        for earlier in before {
            let sale = &book.rows[earlier];
            let fits =
                goods && row.customer > 0 && sale.customer == row.customer && sale.code == row.code;
            let sold = sale.quantity > 0 && !book.invoices.text(sale.invoice).starts_with('C');
            let units = left[earlier].min(missing);
            if fits && sold && units > 0 {
                left[earlier] -= units;
                missing -= units;
                used.push((earlier, units));
            }
        }
        all.push(used);
    }
    all
}

/// A small shop with few customers and codes, so that credits meet many sales.
fn small_shop(mut seed: u64) -> Book {
    let mut below = |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % limit
    };
    let mut text =
        "invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country\n"
            .to_owned();
    for number in 0..300_u64 {
        let credit = below(3) == 0;
        let (code, customer) =
            (["22423", "85123A", "POST"][below(3) as usize], ["", "1", "2"][below(3) as usize]);
        let (prefix, sign) = if credit { ("C", "-") } else { ("", "") };
        let (units, day, hour) = (1 + below(9), 1 + number / 15, number % 15);
        text += &format!(
            "{prefix}{number},{code},X,{sign}{units},2011-05-{day:02}T{hour:02}:00:00,1.25,{customer},France\n"
        );
    }
    read::parse(text.as_bytes(), Duplicates::Keep).unwrap()
}

#[test]
fn the_match_agrees_with_the_plain_rule() {
    let germany = read::read(Path::new(GERMANY), Duplicates::Keep).unwrap();
    let books: Vec<Book> = (0..40).map(small_shop).chain([germany]).collect();
    for (name, order) in [("newest", Order::Newest), ("oldest", Order::Oldest)] {
        let mut several = 0;
        for book in &books {
            let matched = matched(book, &given(&["--match", name]).rules);
            let used = |credit: &Credit| {
                credit.used.iter().map(|used| (used.row, used.quantity)).collect()
            };
            let quick: Vec<Vec<(usize, i64)>> = matched.credits.iter().map(used).collect();
            assert_eq!(quick, slow_match(book, order), "{name} first");
            several += quick.iter().filter(|used| used.len() > 1).count();
        }
        assert!(several > 100, "credits use several sales");
    }
}

#[test]
fn a_rebill_needs_as_many_units_of_the_code_within_its_hours() {
    let (book, matched) = germany();
    for credit in matched.credits.iter().filter(|credit| credit.is_goods) {
        let row = &book.rows[credit.row];
        let soon = book.rows[credit.row..].iter().filter(|sale| {
            sale.customer == row.customer
                && sale.code == row.code
                && sale.quantity > 0
                && sale.at <= row.at + 24 * 3600
                && !book.invoices.text(sale.invoice).starts_with('C')
        });
        let units: i64 = soon.map(|sale| sale.quantity).sum();
        let rebilled = row.customer > 0 && units > 0 && units >= -row.quantity;
        let expected = rebilled && credit.kind != Kind::Reversed;
        assert_eq!(credit.kind == Kind::Rebilled, expected, "{row:?}");
    }
}

#[test]
fn the_windows_decide_what_is_reversed_and_rebilled() {
    let (book, _) = everything();
    let count = |words: &[&str], kind| {
        let arguments = given(words);
        let matched = matched(book, &arguments.rules);
        matched.credits.iter().filter(|credit| credit.kind == kind).count()
    };
    assert_eq!(count(&[], Kind::Reversed), 547);
    assert_eq!(count(&["--reverse-minutes", "1440"], Kind::Reversed), 547 + 289);
    assert!(count(&["--reverse-minutes", "59"], Kind::Reversed) < 547);
    assert_eq!(count(&["--rebill-hours", "0"], Kind::Rebilled), 0);
}

#[test]
fn april_2011_is_a_rebill_with_one_code_wrong_by_one_digit() {
    let (book, matched) = everything();
    let figures = slice(&["--month-from", "2011-04", "--month-to", "2011-04"]);
    let found = drill(book, matched, &figures, None, 24 * 3600).unwrap();
    assert_eq!(book.invoices.text(found.note), "C550456");
    assert_eq!(book.invoices.text(found.invoice), "550461");
    assert_eq!(found.seconds, 12 * 60);
    assert_eq!((found.credited(), found.rebilled()), (22_998_400, 21_535_900));
    let slips: Vec<_> = found
        .lines
        .iter()
        .filter(|pair| pair.is_other_code())
        .map(|pair| {
            (book.codes.text(pair.credited.code), book.codes.text(pair.again.unwrap().code))
        })
        .collect();
    assert_eq!(slips, [("47566B", "47556B")]);
    let of_note = |credit: &&Credit| book.rows[credit.row].invoice == found.note;
    let by_code: i128 =
        matched.credits.iter().filter(of_note).map(|credit| reduction(book, credit)).sum();
    assert_eq!(by_code, 877_500, "without the line whose code is wrong");
}

#[test]
fn codes_of_goods_are_told_by_pattern() {
    let goods =
        |code: &str| Arguments::default().rules.goods.iter().any(|pattern| fits(code, pattern));
    for code in ["85123A", "22423", "15056BL", "84968f", "DCGS0004", "DCGSSBOY", "gift_0001_20"] {
        assert!(goods(code), "{code}");
    }
    for code in ["POST", "M", "C2", "BANK CHARGES", "8512", "851234", "85123ABC", "", "D", "DOT"] {
        assert!(!goods(code), "{code}");
    }
}

#[test]
fn a_slip_is_one_wrong_sign_or_two_that_changed_places() {
    assert!(is_slip("47566B", "47556B"));
    assert!(is_slip("22197", "22179"));
    assert!(!is_slip("22197", "22197"));
    assert!(!is_slip("22197", "2219"));
    assert!(!is_slip("22197", "29127"));
}

#[test]
fn words_that_are_not_understood_are_named() {
    let parse = |words: &[&str]| Arguments::parse(words.iter().map(|word| (*word).to_owned()));
    assert!(parse(&["--help"]).unwrap().is_none());
    for wrong in [
        &["--countri", "Germany"][..],
        &["--country"],
        &["--month-from", "2011-13"],
        &["--month-from", "2011-05", "--month-to", "2011-04"],
        &["--age-classes", "24,1"],
        &["--match", "best"],
        &["--policy-days", "-1"],
        &["--help-me", "x"],
    ] {
        assert!(parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_row_that_is_no_invoice_row_is_refused_with_its_line() {
    let head =
        "invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country";
    let good = "536365,85123A,HEART,6,2010-12-01T08:26:00,2.55,17850,United Kingdom";
    let read =
        |row: &str| read::parse(format!("{head}\n{good}\n{row}\n").as_bytes(), Duplicates::Keep);
    assert_eq!(read(good).unwrap().rows.len(), 2);
    for wrong in [
        "536366,22423,X,six,2010-12-01T08:26:00,2.55,17850,United Kingdom",
        "536366,22423,X,6,2010-13-01T08:26:00,2.55,17850,United Kingdom",
        "536366,22423,X,6,2010-12-01T08:26:00,2.5555,17850,United Kingdom",
        "536366,22423,X,6,2010-12-01T08:26:00,,17850,United Kingdom",
    ] {
        assert!(read(wrong).unwrap_err().starts_with("line 3 "), "{wrong}");
    }
    let twice = format!("{head}\n{good}\n{good}\n");
    assert_eq!(read::parse(twice.as_bytes(), Duplicates::Drop).unwrap().rows.len(), 1);
}
