//! Credit notes explained: what 13 months of real invoices say about returns, and what they cannot.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a program: sums of a file that fits in memory, positions from the same lists"
)]
mod arguments;
mod drill;
mod engine;
mod figures;
mod matching;
mod notes;
mod read;
#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(arguments) = arguments::Arguments::parse(std::env::args().skip(1))? else {
        print!("{}", arguments::HELP);
        return Ok(());
    };
    let start = Instant::now();
    let book = read::read(&arguments.data, arguments.rules.duplicates)?;
    eprintln!("read {:?}", start.elapsed());
    let matched = matching::matched(&book, &arguments.rules);
    eprintln!("match {:?}", start.elapsed());
    let figures = figures::figures(&book, &matched, &arguments);
    eprintln!("figures {:?}", start.elapsed());
    println!("{:?}\n{:?}", figures.all, figures.extents);
    let shop = engine::Shop::new(&book, &matched)?;
    let (frozen, kept) = shop.freeze(|i| i % 7 == 0)?;
    eprintln!(
        "frozen {:?} {} {} {} {:?} {}",
        start.elapsed(),
        frozen.sales,
        frozen.lines,
        frozen.total,
        frozen.refused,
        kept.len()
    );
    let a = engine::month_alarms(&figures)?;
    for al in a.naive.alarms.iter().chain(&a.explained.alarms) {
        println!("A {} {:?} {} {}", al.key, al.seen, al.expected, al.q);
    }

    let mut codes: Vec<u32> = figures.product_months.keys().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    let cs: Vec<u32> = figures.countries.keys().copied().collect();
    for (m, s) in engine::alarms(&figures, &codes, &|c, m| {
        figures.product_months.get(&(c, m)).copied().unwrap_or_default()
    })? {
        println!("F {m} {:?} {}", s.family, s.tested);
        for al in s.alarms {
            println!("P {} {} {:?} {} {}", m, book.codes.text(al.key), al.seen, al.expected, al.q);
        }
    }
    for (m, s) in engine::alarms(&figures, &cs, &|c, m| {
        figures.country_months.get(&(c, m)).map_or((0, 0), |p| {
            (p.goods_sold.lines as u64, p.kind(matching::Kind::Explained).lines as u64)
        })
    })? {
        println!("F {m} {:?} {}", s.family, s.tested);
        for al in s.alarms {
            println!(
                "C {} {} {:?} {} {}",
                m,
                book.countries.text(al.key),
                al.seen,
                al.expected,
                al.q
            );
        }
    }
    eprintln!("alarms {:?}", start.elapsed());
    println!("{:?}", engine::month_rates(&figures)?);
    let judge = engine::verdicts::Judge::new(&shop, arguments.policy_days)?;
    let v = engine::verdicts::verdicts(&shop, &judge, &matched, &figures)?;
    eprintln!("verdicts {:?}", start.elapsed());
    println!("{:#?} {:#?}", v.outcomes, v.explained);
    for s in &v.samples {
        println!(
            "== {:?} {}",
            s.outcome,
            book.invoices.text(book.rows[matched.credits[s.credit].row].invoice)
        );
        for (a, f) in &s.findings {
            println!("  {a}: {f}");
        }
    }
    let d =
        drill::drill(&book, &matched, &figures, arguments.drill.as_deref(), arguments.rules.rebill);
    println!("{d:?}");
    Ok(())
}
