//! Recall, three times: real shipments, real recall notices, and a small factory (made up, and
//! labelled so) for the whole chain from a supplier lot to the guilty lot.
//!
//! `cargo run --release --example recall`; writes `target/recall.html`.

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use aftersale::id::{CustomerId, LotId, OrderId, OrderLineId, SerialId, Sku, SupplierId};
use aftersale::label::{Coded as _, Language};
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::TraceBreak;
use aftersale::lineage::campaign::{Campaign, CampaignPlan, CheckLevel};
use aftersale::lineage::draw;
use aftersale::lineage::event::{
    DocumentId, Entry, Event, EventDraft, EventFacts, EventId, EventKind, Item, Line, LineId, Units,
};
use aftersale::lineage::recall::{AffectedOrder, Recall, Remainder, Scope};
use aftersale::lineage::source::Source;
use aftersale::lineage::suspect::{CandidateKind, Observation, Outcome, RankingPlan};
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, Unit};
use aftersale::time::{Instant, Interval, Zone};

use support::body::{Table, Tone};
use support::charts::Chart;
use support::charts::bars::Bars;
use support::page::{Page, Tile};
use support::svg::{Anchor, Svg, fit, text_width};
use support::text::{Format, count};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Row = BTreeMap<String, String>;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut page = Page::new(
        "en",
        "Recall",
        "Which orders hold it, and which lot is to blame",
        "Real shipments, real recall notices, and a small factory, made up, for the whole chain from a \
         supplier's lot to the guilty one.",
    );
    shipments(&root.join("examples/data/scms-shipments/scms_deliveries.csv.gz"), &mut page)?;
    notices(&root.join("examples/data/fda-food-recalls/food_recalls.csv"), &mut page)?;
    factory(&mut page)?;
    let target = root.join("target");
    fs::create_dir_all(&target)?;
    page.footer(
        "Shipments: SCMS delivery history, USAID. Notices: openFDA food enforcement reports. Licences \
         beside the data in `examples/data`.",
    );
    fs::write(target.join("recall.html"), page.render())?;
    println!("\nwritten: target/recall.html");
    Ok(())
}

// ---------------------------------------------------------------------------------------------
// 1. Real shipments: a site and a range of dates

const SITE: &str = "Aurobindo Unit III, India";
const FROM: &str = "2011-01-01T00:00:00Z";
const UNTIL: &str = "2012-01-01T00:00:00Z";

fn shipments(file: &Path, page: &mut Page) -> Result<()> {
    println!("1. REAL SHIPMENTS (SCMS deliveries, 2006 to 2015)\n");
    let Ok(file) = File::open(file) else {
        println!("   the data is not here; skipped");
        return Ok(());
    };
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let rows: Vec<Row> = reader.deserialize().collect::<std::result::Result<_, _>>()?;
    let packs = Unit::with_digits("pack", 0)?;
    let mut entries = Vec::new();
    for row in &rows {
        entries.extend(delivery(row, packs)?.into_iter().map(Entry::Event));
    }
    let lineage = Lineage::load(Units::default(), entries)?;
    println!(
        "   {} order lines, {} events, {} items",
        rows.len(),
        lineage.graph().events(),
        lineage.graph().nodes()
    );

    // What the record can follow: lines sent straight from the site.
    let window = Interval::new(instant(FROM)?, instant(UNTIL)?)?;
    let site = SupplierId::new(SITE)?;
    let direct = Source::Supplier { supplier: site, window: Some(window) };
    let recall = lineage.recall(&Scope { sources: vec![direct], least_share: None });
    let mut by_country: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for order in recall.orders.values() {
        let country = order.customers.first().map_or("unknown", |c| c.as_str()).to_owned();
        let entry = by_country.entry(country).or_default();
        entry.0 += 1;
        entry.1 += order.items.iter().filter_map(|i| i.received).map(Quantity::steps).sum::<i64>();
    }
    let total: i64 = by_country.values().map(|row| row.1).sum();
    println!("\n   suspect: {SITE}, delivered in 2011");
    println!(
        "   to call back: {} shipments to {} countries, {total} packs",
        recall.orders.len(),
        by_country.len()
    );
    let mut table: Vec<(&String, &(usize, i64))> = by_country.iter().collect();
    table.sort_by_key(|(name, row)| (-row.1, *name));
    for (country, (count, quantity)) in table.iter().take(8) {
        println!("   {country:<24} {count:>4} shipments {quantity:>9} packs");
    }
    if table.len() > 8 {
        println!("   {} more countries are not shown", table.len() - 8);
    }

    // What it hides: the same site through the regional warehouses.
    let in_year = |row: &&Row| row["delivered_to_client_date"].starts_with("2011");
    let hidden: Vec<&Row> = rows
        .iter()
        .filter(|row| row["manufacturing_site"] == SITE && row["fulfill_via"] == "From RDC")
        .filter(in_year)
        .collect();
    let articles: BTreeSet<&str> =
        hidden.iter().map(|row| row["item_description"].as_str()).collect();
    let sources: Vec<Source> = articles
        .iter()
        .map(|article| Ok(Source::item(warehouse_stock(article)?)))
        .collect::<Result<_>>()?;
    let beyond = lineage.forward(&sources);
    let no_lot = beyond.breaks.iter().filter(|b| matches!(b, TraceBreak::NoLot { .. })).count();
    let no_supply =
        beyond.breaks.iter().filter(|b| matches!(b, TraceBreak::NoSupply { .. })).count();
    let hidden_packs: i64 =
        hidden.iter().filter_map(|row| row["line_item_quantity"].parse::<i64>().ok()).sum();
    println!("\n   what the data hides:");
    println!("   - no lot numbers: the finest unit is the order line, which is not a batch");
    println!(
        "   - {} lines ({hidden_packs} packs) of this site left regional warehouses in 2011; \
         which delivery they came from is not on record",
        hidden.len()
    );
    println!(
        "   - followed by article through the warehouses: {} shipments of all years could hold it; \
         {no_lot} articles without lots, {no_supply} without a receipt",
        beyond.orders().count()
    );
    println!("   - the date is that of delivery to the client; the date of production is unknown");
    let packs = |packs: i64| count(packs.into());
    let shipments = recall.orders.len();
    page.tile(Tile::new("Shipments to call back", &shipments.to_string(), "of one site in 2011"))
        .tile(Tile::new("Packs in them", &packs(total), "followed line by line"))
        .tile(
            Tile::new("Packs hidden", &packs(hidden_packs), "behind warehouses").tone(Tone::Warn),
        );
    let row = |(country, (count, quantity)): &(&String, &(usize, i64))| {
        ((*country).clone(), *quantity as f64, format!("{count} shipments"))
    };
    let title = "Packs to call back, by country".to_owned();
    let bars = Bars { title, rows: table.iter().map(row).collect(), format: Format::Count };
    page.section("Shipments", "One site, one year: what the record can follow", |body| {
        body.text(&format!(
            "The site is {SITE}, the time 2011: **{shipments}** shipments to {} countries.",
            by_country.len()
        ));
        body.figure(&bars, "Lines that were sent straight from the site.");
        body.heading("What the data hides");
        body.list(&[
            "No lot numbers: the finest unit is the order line, which is not a batch.".to_owned(),
            format!(
                "{} lines ({} packs) of this site left regional warehouses in 2011; which delivery \
                 they came from is not on record.",
                hidden.len(),
                packs(hidden_packs)
            ),
            format!(
                "Followed by article through the warehouses, {} shipments of all years could hold it.",
                packs(beyond.orders().count() as i64)
            ),
            "The date is that of delivery to the client; the date of production is unknown.".to_owned(),
        ]);
    });
    Ok(())
}

/// An order line as events: a receipt from the site and a shipment; from a warehouse only the latter.
fn delivery(row: &Row, packs: Unit) -> Result<Vec<Event>> {
    let at = instant(&format!("{}T12:00:00Z", row["delivered_to_client_date"]))?;
    let id = &row["id"];
    let quantity = Quantity::parse(&row["line_item_quantity"], packs)?;
    let from_warehouse = row["fulfill_via"] == "From RDC";
    let goods = if from_warehouse {
        warehouse_stock(&row["item_description"])?
    } else {
        Item::Lot(LotId::new(format!("order line {id}"))?)
    };
    let facts = EventFacts {
        supplier: Some(SupplierId::new(&row["manufacturing_site"])?),
        document: Some(DocumentId::new(&row["po_so"])?),
        ..EventFacts::default()
    };
    let to =
        EventFacts { customer: Some(CustomerId::new(&row["country"])?), ..EventFacts::default() };
    let order = Item::Order(OrderId::new(&row["asn_dn"])?);
    let mut events = Vec::new();
    if !from_warehouse {
        let draft = Event::new(EventId::new(format!("receipt {id}"))?, at, EventKind::Receive);
        events.push(draft.output(Line::new(goods.clone(), quantity)).facts(facts).check()?);
    }
    let draft =
        Event::new(EventId::new(format!("shipment {id}"))?, at, EventKind::Ship).sequence(1);
    let draft = draft.input(Line::new(goods, quantity)).output(Line::new(order, quantity));
    events.push(draft.facts(to).check()?);
    Ok(events)
}

fn warehouse_stock(article: &str) -> Result<Item> {
    Ok(Item::Article(Sku::new(format!("RDC: {article}").trim())?))
}

// ---------------------------------------------------------------------------------------------
// 2. Real recall notices: how far they can be followed

fn notices(file: &Path, page: &mut Page) -> Result<()> {
    println!("\n2. REAL RECALL NOTICES (500 food recalls reported to the US FDA)\n");
    let Ok(file) = File::open(file) else {
        println!("   the data is not here; skipped");
        return Ok(());
    };
    let rows: Vec<Row> =
        csv::Reader::from_reader(file).deserialize().collect::<std::result::Result<_, _>>()?;
    println!(
        "   {:<10} {:>8} {:>10} {:>9} {:>12}  checks",
        "class", "notices", "name a lot", "everything", "days, median"
    );
    let mut table = Table::new(
        "Food recalls by class",
        &["class", "#notices", "#name a lot", "#all codes", "#median days open", "#to check"],
    );
    for (class, level) in [
        ("Class I", CheckLevel::All),
        ("Class II", CheckLevel::Tenth),
        ("Class III", CheckLevel::None),
    ] {
        let own: Vec<&Row> = rows.iter().filter(|row| row["classification"] == class).collect();
        let code = |row: &&&Row| row["code_info"].to_lowercase();
        let lots = own.iter().filter(|row| code(row).contains("lot")).count();
        let all = own
            .iter()
            .filter(|row| {
                ["all lot", "all code", "all product", "all date"]
                    .iter()
                    .any(|w| code(row).contains(w))
            })
            .count();
        let mut days: Vec<i64> = own.iter().filter_map(|row| open_days(row)).collect();
        days.sort_unstable();
        let median = days.get(days.len() / 2).copied().unwrap_or(0);
        println!(
            "   {class:<10} {:>8} {lots:>10} {all:>10} {median:>12}  {} of {} consignees, at {}",
            own.len(),
            level.required(own.len()),
            own.len(),
            level.label(Language::English).to_lowercase()
        );
        let numbers = [own.len() as i64, lots as i64, all as i64, median];
        let check = level.required(own.len()).to_string();
        let numbers = numbers.map(|number| number.to_string()).into_iter().chain([check]);
        table.row(std::iter::once(class.to_owned()).chain(numbers));
    }
    page.section("Notices", "Most notices name no lot", |body| {
        body.table(&table);
        body.small(
            "To check: how many consignees of as many notices are asked whether the notice worked.",
        );
        body.callout(
            Tone::Note,
            "What it costs",
            "A notice that names no lot calls back everything: that is what lineage is for.",
        );
    });
    println!("   a notice that names no lot calls back everything: that is what lineage is for");
    Ok(())
}

fn open_days(row: &Row) -> Option<i64> {
    let date = |name: &str| row[name].parse::<chrono::NaiveDate>().ok();
    Some(
        date("termination_date")?.signed_duration_since(date("recall_initiation_date")?).num_days(),
    )
}

// ---------------------------------------------------------------------------------------------
// 3. A made-up factory: supplier lot -> inspection -> production -> order -> return -> guilty lot

fn factory(page: &mut Page) -> Result<()> {
    println!("\n3. A SMALL FACTORY (made up, for the whole chain)\n");
    let (lineage, observations) = made_up_factory()?;
    let bad = observations.iter().filter(|seen| seen.outcome == Outcome::Defective).count();
    println!(
        "   of 240 jackets made, {bad} have a broken zip: found at the final look, or sent back"
    );

    let candidates = lineage.candidates(CandidateKind::Items, &observations, Zone::UTC);
    let plan = RankingPlan { rounds: 2, ..RankingPlan::default() };
    let mut table = Table::new(
        "Suspects: 240 jackets, zips and cloth of three lots each",
        &["suspect", "#round", "#broken of those with it", "#of the others", "#p", "#q", "#group"],
    );
    for (round, ranking) in lineage.rank(&candidates, &observations, &plan).iter().enumerate() {
        println!(
            "\n   round {}: {} of {} jackets defective; {} lots tested, corrected by {}",
            round + 1,
            ranking.defective,
            ranking.units,
            ranking.tested,
            ranking.plan.correction.label(Language::English)
        );
        let first = ranking.suspects.first();
        match first.filter(|first| first.q <= plan.accept) {
            Some(found) => {
                let alike = ranking.first_group().count();
                println!(
                    "   {alike} stands out{}",
                    if alike == 1 {
                        ", and the data tells it from all others"
                    } else {
                        ": no data can tell these apart"
                    }
                );
                let z = found.z.map_or(String::new(), |z| format!(", z {z}"));
                let risk = found.measures.risk_ratio.map_or(String::new(), |ratio| {
                    format!(
                        ", {:.0} times the risk",
                        ratio.numerator() as f64 / ratio.denominator() as f64
                    )
                });
                println!("   p {:.2}{z}{risk}", found.p);
            }
            None => println!("   none stands out: what is left looks like ordinary wear"),
        }
        for suspect in ranking.suspects.iter().take(5) {
            let Source::Item { item, .. } = &suspect.source else { continue };
            let counts = suspect.counts;
            println!(
                "   {:<18} {:>3} of {:>3} holding it, {:>2} of {:>3} others   p {:<12} q {:<12} group {}",
                item.to_string(),
                counts.exposed_defective,
                counts.exposed,
                counts.defective - counts.exposed_defective,
                counts.units - counts.exposed,
                format!("{:.2}", suspect.p),
                format!("{:.2}", suspect.q),
                suspect.group
            );
            let tone = if suspect.q <= plan.accept { Tone::Bad } else { Tone::Plain };
            table.toned(
                tone,
                [
                    item.to_string(),
                    (round + 1).to_string(),
                    format!("{} of {}", counts.exposed_defective, counts.exposed),
                    format!(
                        "{} of {}",
                        counts.defective - counts.exposed_defective,
                        counts.units - counts.exposed
                    ),
                    format!("{:.2}", suspect.p),
                    format!("{:.2}", suspect.q),
                    suspect.group.to_string(),
                ],
            );
        }
    }

    let guilty = Source::item(Item::Lot(LotId::new("ZIP-B")?));
    let scope = Scope { sources: vec![guilty.clone()], least_share: None };
    let recall = lineage.recall(&scope);
    let outstanding = recall.outstanding()[&Unit::PIECE];
    let is_jacket = |item: &Item| matches!(item, Item::Serial(_));
    let returned = lineage_returns(&recall);
    let jackets = recall.stock.iter().filter(|stock| is_jacket(&stock.item)).count() as i64;
    let zips: i64 = recall
        .stock
        .iter()
        .filter(|stock| !is_jacket(&stock.item))
        .filter_map(|stock| stock.on_hand)
        .map(Quantity::steps)
        .sum();
    println!("\n   recall of ZIP-B");
    println!(
        "   to call back  {outstanding} of jackets from {} orders of {} customers",
        recall.orders.len(),
        recall.customers().count()
    );
    println!(
        "   to block here {jackets} jackets ({returned} came back already, the rest was never shipped) and {zips} loose zips"
    );
    println!(
        "   gaps: {} breaks, {} violations on the way",
        recall.breaks.len(),
        recall.violations.len()
    );
    let mut worst: Vec<_> = recall.orders.iter().collect();
    let left = |affected: &AffectedOrder| -> i64 {
        affected.items.iter().filter_map(|item| item.on_hand).map(Quantity::steps).sum()
    };
    worst.sort_by_key(|(order, affected)| (std::cmp::Reverse(left(affected)), *order));
    println!("   call first (most jackets with the zip):");
    for (order, affected) in worst.iter().take(3) {
        let who: Vec<String> = affected.customers.iter().map(ToString::to_string).collect();
        println!("     {order}  {}  {} jackets", who.join(", "), left(affected));
    }
    let evidence = lineage.evidence(std::slice::from_ref(&guilty));
    if let Some((order, path)) = evidence.paths.iter().next() {
        println!("   evidence for order {order}:");
        for step in path {
            let from = step.from.as_ref().map_or(String::new(), ToString::to_string);
            println!("     {from} -> {} by {}", step.to, step.event);
        }
    }
    let since = Source::Item { item: Item::Lot(LotId::new("ZIP-B")?), since: Some(at(12)?) };
    let narrow = Scope { sources: vec![since], least_share: None };
    let left = lineage.what_if(&scope, &narrow);
    println!(
        "   if only what was sewn from the 12th on is called back: {} orders are spared, and {} of all \
         suspect zips stay with them, at worst {}; {} more lie here and would not be blocked",
        left.spared.len(),
        percent(left.with_customers.suspect),
        in_pieces(&left.with_customers),
        percent(left.in_stock.suspect)
    );
    let terms = CampaignPlan {
        notify_within_seconds: 86_400,
        remind_after_seconds: 7 * 86_400,
        reminders: 2,
        check_level: CheckLevel::Tenth,
    };
    let campaign = Campaign::for_recall(&recall, terms, at(28)?);
    println!(
        "   campaign: {} notices due by {}; {} orders to check whether the notice worked",
        campaign.due_notices().len(),
        campaign
            .next_wakeup()
            .map_or(String::new(), |at| at.format("%-d %B %Y %H:%M UTC").to_string()),
        campaign.missing_checks()
    );
    let metrics = lineage.metrics();
    println!(
        "   metrics: one bad supplier lot would call back {} orders on average; {} of the items are \
         traced back to a receipt",
        metrics.mean_recall().map_or(String::new(), |mean| {
            format!("{:.0}", mean.numerator() as f64 / mean.denominator() as f64)
        }),
        metrics.completeness().map_or(String::new(), percent)
    );
    let drawing = lineage.draw(&[guilty], draw::Format::Mermaid, 12);
    println!("\n{}", drawing.text);
    let trace = Trace::of(evidence.paths.values().map(|path| {
        let first = path.first().and_then(|step| step.from.as_ref()).map(ToString::to_string);
        first.into_iter().chain(path.iter().map(|step| step.to.to_string())).collect()
    }));
    page.tile(Tile::new(
        "Orders with the bad zip",
        &recall.orders.len().to_string(),
        "made-up factory",
    ));
    page.section("Guilty lot", "A small factory, made up: from broken zips to one lot", |body| {
        body.table(&table);
        body.text(&format!(
            "Lot ZIP-B stands out; once the jackets it explains are taken away, nothing else does. To call \
             back: **{outstanding}** of jackets from {} orders of {} customers. To block here: {jackets} \
             jackets, of which {returned} came back already, and {zips} loose zips.",
            recall.orders.len(),
            recall.customers().count()
        ));
        let cut = evidence.paths.len().saturating_sub(Trace::SHOWN);
        body.figure(&trace, &format!("The evidence for each order; {cut} more orders are not drawn."));
        body.small(&format!(
            "If only what was sewn from the 12th on is called back, {} orders are spared and {} of the \
             suspect zips stay with them.",
            left.spared.len(),
            percent(left.with_customers.suspect)
        ));
    });
    Ok(())
}

/// The suspect goods of a remainder at worst.
fn in_pieces(left: &Remainder) -> String {
    left.suspect_at_worst.get(&Unit::PIECE).map_or(String::new(), ToString::to_string)
}

/// How many goods came back from the orders of a recall.
fn lineage_returns(recall: &Recall) -> i64 {
    let items = recall.orders.values().flat_map(|order| &order.items);
    items.filter_map(|item| item.returned).map(Quantity::steps).sum()
}

fn percent(share: Ratio) -> String {
    format!("{:.0} %", 100.0 * share.numerator() as f64 / share.denominator() as f64)
}

fn at(day: u32) -> Result<Instant> {
    instant(&format!("2026-03-{day:02}T08:00:00Z"))
}

fn instant(text: &str) -> Result<Instant> {
    text.parse().map_err(|error| format!("{text}: {error}").into())
}

/// Zips of three lots and cloth of three lots become jackets on two lines; ZIP-B breaks.
fn made_up_factory() -> Result<(Lineage, Vec<Observation>)> {
    let mut lineage = Lineage::new(Units::default());
    let meter = Unit::known("m")?;
    let mut record = |draft: EventDraft| -> Result<()> {
        lineage.record(&draft.check()?)?;
        Ok(())
    };
    for (name, supplier) in [
        ("ZIP-A", "Clasp"),
        ("ZIP-B", "Clasp"),
        ("ZIP-C", "Teeth"),
        ("CLOTH-1", "Weave"),
        ("CLOTH-2", "Weave"),
        ("CLOTH-3", "Loom"),
    ] {
        let lot = Item::Lot(LotId::new(name)?);
        let facts =
            EventFacts { supplier: Some(SupplierId::new(supplier)?), ..EventFacts::default() };
        let is_cloth = name.starts_with("CLOTH");
        let delivered =
            if is_cloth { Quantity::parse("150", meter)? } else { Quantity::pieces(100)? };
        let inbound = Line::new(lot.clone(), delivered);
        record(
            Event::new(EventId::new(format!("receive {name}"))?, at(1)?, EventKind::Receive)
                .output(inbound)
                .facts(facts),
        )?;
        record(
            Event::new(EventId::new(format!("inspect {name}"))?, at(2)?, EventKind::Inspect)
                .input(Line::unmeasured(lot)),
        )?;
    }
    let mut observations = Vec::new();
    for n in 0..240_u32 {
        let zip = ["ZIP-A", "ZIP-B", "ZIP-C"][(n as usize / 5) % 3];
        let cloth = ["CLOTH-1", "CLOTH-2", "CLOTH-3"][(n as usize / 8) % 3];
        let jacket = Item::Serial(SerialId::new(format!("JACKET-{n:03}"))?);
        // A line per jacket: with both jackets of an order on one line, a return of one could not be
        // told from a return of the other.
        let line_id = OrderLineId::new(format!("{}", n % 2 + 1))?;
        let order = Item::OrderLine(OrderId::new(format!("SO-{:03}", n / 2))?, line_id);
        let line = if n % 2 == 0 { "line-1" } else { "line-2" };
        let sewn = EventFacts { line: Some(LineId::new(line)?), ..EventFacts::default() };
        let to = EventFacts {
            customer: Some(CustomerId::new(format!("customer {}", n / 4))?),
            ..EventFacts::default()
        };
        let one = Quantity::pieces(1)?;
        record(
            Event::new(EventId::new(format!("sew {n}"))?, at(3 + n / 15)?, EventKind::Make)
                .sequence(n)
                .input(Line::new(Item::Lot(LotId::new(zip)?), one))
                .input(Line::new(Item::Lot(LotId::new(cloth)?), Quantity::parse("1.5", meter)?))
                .output(Line::unmeasured(jacket.clone()))
                .facts(sewn),
        )?;
        if n % 20 != 19 {
            record(
                Event::new(EventId::new(format!("ship {n}"))?, at(20)?, EventKind::Ship)
                    .input(Line::unmeasured(jacket.clone()))
                    .output(Line::new(order.clone(), one))
                    .facts(to),
            )?;
        }
        let broken = (zip == "ZIP-B" && n % 5 < 2) || n % 41 == 7;
        if broken && n % 20 != 19 {
            record(
                Event::new(EventId::new(format!("return {n}"))?, at(25)?, EventKind::Return)
                    .input(Line::new(order, one))
                    .output(Line::unmeasured(jacket.clone())),
            )?;
        }
        let outcome = if broken { Outcome::Defective } else { Outcome::Good };
        observations.push(Observation { item: jacket, outcome, stratum: None });
    }
    Ok((lineage, observations))
}

/// Paths from a lot to orders, from left to right.
struct Trace {
    /// For each column the names in it, in the order in which they were met.
    columns: Vec<Vec<String>>,
    /// From a place in one column to a place in the next.
    links: BTreeSet<(usize, usize, usize)>,
}

impl Trace {
    /// The most paths that are drawn.
    const SHOWN: usize = 12;

    fn of(paths: impl Iterator<Item = Vec<String>>) -> Self {
        let (mut columns, mut links) = (Vec::<Vec<String>>::new(), BTreeSet::new());
        for path in paths.take(Self::SHOWN) {
            let mut before = None;
            for (depth, name) in path.into_iter().enumerate() {
                columns.resize(columns.len().max(depth + 1), Vec::new());
                let known = columns[depth].iter().position(|other| *other == name);
                let place = known.unwrap_or(columns[depth].len());
                if known.is_none() {
                    columns[depth].push(name);
                }
                links.extend(before.map(|from| (depth - 1, from, place)));
                before = Some(place);
            }
        }
        Self { columns, links }
    }

    /// The height of every name: each column in the middle of what it leads to.
    fn heights(&self) -> Vec<Vec<f64>> {
        let mut heights: Vec<Vec<f64>> = Vec::new();
        for (depth, names) in self.columns.iter().enumerate().rev() {
            let of = |place: usize| {
                let later = heights.last();
                let next = self.links.range((depth, place, 0)..=(depth, place, usize::MAX));
                let led: Vec<f64> =
                    next.filter_map(|(.., to)| later.map(|later| later[*to])).collect();
                match led.len() {
                    0 => 14.0 + 26.0 * place as f64,
                    count => led.iter().sum::<f64>() / count as f64,
                }
            };
            let column = (0..names.len()).map(of).collect();
            heights.push(column);
        }
        heights.reverse();
        heights
    }
}

impl Chart for Trace {
    fn title(&self) -> &str {
        "From the lot to the orders"
    }

    fn description(&self) -> String {
        self.columns.iter().map(|names| names.join(", ")).collect::<Vec<_>>().join("; then ")
    }

    fn draw(&self, pen: &mut Svg) {
        let room = pen.width / self.columns.len().max(1) as f64;
        let heights = self.heights();
        let label =
            |depth: usize, place: usize| fit(&self.columns[depth][place], 13.0, room - 44.0);
        for (depth, from, to) in &self.links {
            let x = *depth as f64 * room;
            let start =
                (x + 24.0 + text_width(&label(*depth, *from), 13.0), heights[*depth][*from]);
            pen.line(start, (x + room, heights[*depth + 1][*to]), "tie");
        }
        for (depth, column) in heights.iter().enumerate() {
            for (place, y) in column.iter().enumerate() {
                let x = depth as f64 * room + 8.0;
                pen.dot((x, *y), 5.0, "c1", &self.columns[depth][place]);
                pen.text((x + 11.0, y + 4.5), Anchor::Start, "l", &label(depth, place));
                pen.height = pen.height.max(y + 16.0);
            }
        }
    }
}
