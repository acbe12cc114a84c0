//! The guide `docs/recall.md`, done by somebody who has read nothing else: every line of Rust in it
//! stands here too, and what it says of the dairy is true.

use std::error::Error;
use std::fs;
use std::path::Path;

use aftersale::id::{CustomerId, LotId, OrderId, SerialId, SupplierId};
use aftersale::interchange::epcis::Import;
use aftersale::lineage::Lineage;
use aftersale::lineage::campaign::{
    Answer, Campaign, CampaignCommand, CampaignPlan, CheckFinding, CheckLevel,
};
use aftersale::lineage::containment::{Containment, PackAction, Packing};
use aftersale::lineage::draw::Format;
use aftersale::lineage::event::{Event, EventFacts, EventId, EventKind, Item, Line, Units};
use aftersale::lineage::graph::reach::Direction;
use aftersale::lineage::recall::Scope;
use aftersale::lineage::source::Source;
use aftersale::lineage::suspect::{CandidateKind, Observation, Outcome, RankingPlan};
use aftersale::lineage::table::TraceRow;
use aftersale::lineage::view::Links;
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, QuantityError, Unit, UnitTable};
use aftersale::time::{Instant, Zone};

type Done = Result<(), Box<dyn Error>>;

fn liters(amount: &str) -> Result<Quantity, QuantityError> {
    Quantity::parse(amount, Unit::known("l")?)
}

/// Eight in the morning of a day in April 2026.
fn day(day: i64) -> Result<Instant, &'static str> {
    Instant::from_timestamp(1_774_944_000 + day * 86_400, 0).ok_or("out of range")
}

fn lot(name: &str) -> Item {
    Item::Lot(LotId::new(name).unwrap())
}

fn order(name: &str) -> Item {
    Item::Order(OrderId::new(name).unwrap())
}

/// Records a line for each triple: in or out, the item, the liters.
fn record(
    lineage: &mut Lineage,
    id: &str,
    at: i64,
    kind: EventKind,
    lines: &[(&str, Item, &str)],
) -> Done {
    let mut event = Event::new(EventId::new(id)?, day(at)?, kind);
    for (side, item, amount) in lines {
        let line = Line::new(item.clone(), liters(amount)?);
        event = if *side == "in" { event.input(line) } else { event.output(line) };
    }
    if kind == EventKind::Ship {
        let customer = Some(CustomerId::new(format!("customer of {id}"))?);
        event = event.facts(EventFacts { customer, ..EventFacts::default() });
    }
    lineage.record(&event.check()?)?;
    Ok(())
}

/// The drawing of the guide.
fn dairy() -> Result<Lineage, Box<dyn Error>> {
    let milk = Item::Lot(LotId::new("MILK-1")?);
    let at = Instant::from_timestamp(1_775_030_400, 0).ok_or("out of range")?;
    let mut lineage = Lineage::new(Units::default());
    let receipt = Event::new(EventId::new("R1")?, at, EventKind::Receive)
        .output(Line::new(milk.clone(), liters("100")?))
        .facts(EventFacts { supplier: Some(SupplierId::new("Alm")?), ..EventFacts::default() })
        .check()?;
    lineage.record(&receipt)?; // Added, Repeated, Contradicts or Voided
    lineage.void(&EventId::new("R0")?); // as if it had never been; may come before the event
    for (id, at, kind, lines) in [
        ("R0", 1, EventKind::Receive, vec![("out", lot("MILK-1"), "77")]),
        ("R2", 2, EventKind::Receive, vec![("out", lot("MILK-2"), "300")]),
        (
            "T1",
            3,
            EventKind::Merge,
            vec![("in", milk, "100"), ("in", lot("MILK-2"), "100"), ("out", lot("TANK"), "200")],
        ),
        (
            "C1",
            4,
            EventKind::Make,
            vec![("in", lot("TANK"), "100"), ("out", lot("CHEESE-1"), "100")],
        ),
        (
            "C2",
            5,
            EventKind::Make,
            vec![
                ("in", lot("TANK"), "50"),
                ("in", lot("MILK-2"), "150"),
                ("out", lot("CHEESE-2"), "200"),
            ],
        ),
        (
            "S1",
            6,
            EventKind::Ship,
            vec![("in", lot("CHEESE-1"), "60"), ("out", order("SO-1"), "60")],
        ),
        (
            "S2",
            7,
            EventKind::Ship,
            vec![("in", lot("CHEESE-2"), "120"), ("out", order("SO-2"), "120")],
        ),
        ("S3", 8, EventKind::Ship, vec![("in", lot("MILK-2"), "50"), ("out", order("SO-3"), "50")]),
        (
            "B1",
            9,
            EventKind::Return,
            vec![("in", order("SO-1"), "20"), ("out", lot("BACK-1"), "20")],
        ),
    ] {
        record(&mut lineage, id, at, kind, &lines)?;
    }
    Ok(lineage)
}

/// What the guide says of the dairy, and the lines of its examples.
#[test]
fn the_dairy_of_the_guide_is_as_it_says() -> Done {
    let lineage = dairy()?;
    let milk = lot("MILK-1");

    let suspect = [Source::item(milk.clone())];
    let trace = lineage.forward(&suspect); // .orders(), .items, .events, .breaks, .violations, .unknown
    let back = lineage.backward(&[Source::Order(OrderId::new("SO-2")?)]);
    let touched = lineage.contacts(&suspect, Direction::Forward);
    let alm = Source::Supplier { supplier: SupplierId::new("Alm")?, window: None };
    let ledger = lineage.ledger(&[alm]);
    assert_eq!(trace.orders().map(OrderId::as_str).collect::<Vec<_>>(), ["SO-1", "SO-2"]);
    assert!(back.contains(&milk) && touched.contains(&order("SO-1")));
    let share = |name: &str| ledger.items[&order(name)].share.to_string();
    assert_eq!((share("SO-1").as_str(), share("SO-2").as_str()), ("1/2", "1/8"));
    let bounds = ledger.items[&order("SO-1")].bounds;
    assert_eq!((bounds.low, bounds.high), (0, 40_000), "milliliters");

    let evidence = lineage.evidence(&suspect); // .paths by order, .common to all
    let drawing = lineage.draw(&suspect, Format::Mermaid, 4); // .text, .drawn, .left_out
    let rows = lineage.trace_table(&suspect); // TraceRow::COLUMNS, then row.cells() of each
    let sorted = petgraph::algo::toposort(&Links::new(lineage.graph()), None);
    let copy = Links::new(lineage.graph()).to_petgraph();
    assert_eq!(evidence.paths[&OrderId::new("SO-2")?].len(), 3);
    assert_eq!((drawing.drawn, drawing.left_out), (4, 3));
    assert!(drawing.text.contains("3 more not drawn"), "{}", drawing.text);
    assert_eq!(rows[0].cells().len(), TraceRow::COLUMNS.len());
    assert_eq!((sorted.unwrap().len(), copy.node_count()), (9, 9));

    let scope = Scope { sources: suspect.to_vec(), least_share: None };
    let recall = lineage.recall(&scope); // .orders, .customers(), .stock, .outstanding(), .breaks ...
    let narrow = Scope { least_share: Some(Ratio::new(1, 2)?), ..scope.clone() };
    let left = lineage.what_if(&scope, &narrow); // .spared, .with_customers, .in_stock
    assert_eq!(recall.customers().count(), 2);
    assert_eq!(left.spared, [OrderId::new("SO-2")?].into());
    assert_eq!(left.with_customers.suspect.to_string(), "3/20");
    assert_eq!(left.with_customers.suspect_at_worst[&Unit::known("l")?], liters("50")?);

    let now = day(10)?;
    let plan = CampaignPlan {
        notify_within_seconds: 86_400,
        remind_after_seconds: 7 * 86_400,
        reminders: 2,
        check_level: CheckLevel::All,
    };
    let mut campaign = Campaign::for_recall(&recall, plan, now);
    for due in campaign.due_notices() {
        let sent = CampaignCommand::RecordNotice { order: due.order };
        for event in campaign.decide(&sent, now)? {
            campaign.evolve(&event); // store it: replaying gives the same campaign
        }
    }
    let refused = campaign.decide(&CampaignCommand::Close, now);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the campaign cannot close: 2 orders have not answered, 2 checks are missing"
    );
    for name in ["SO-1", "SO-2"] {
        let order = OrderId::new(name)?;
        for command in [
            CampaignCommand::RecordResponse { order: order.clone(), answer: Answer::Returning },
            CampaignCommand::RecordCheck { order, finding: CheckFinding::Effective },
        ] {
            for event in campaign.decide(&command, now)? {
                campaign.evolve(&event);
            }
        }
    }
    for event in campaign.decide(&CampaignCommand::Close, now)? {
        campaign.evolve(&event);
    }
    assert_eq!(campaign.closed_at(), Some(now));
    Ok(())
}

/// Ranking, units, packing and EPCIS, as the guide shows them.
#[test]
fn the_other_examples_of_the_guide_run() -> Done {
    let grams = Unit::known("g")?;
    let mass = UnitTable::new(grams, [(Unit::known("kg")?, Ratio::new(1_000, 1)?)])?;
    let units = Units { common: vec![mass], ..Units::default() };
    assert_eq!(units.common[0].base(), grams);

    let lineage = dairy()?;
    let observe = |name: &str, outcome| Observation { item: order(name), outcome, stratum: None };
    let observations = [
        observe("SO-1", Outcome::Defective),
        observe("SO-2", Outcome::Defective),
        observe("SO-3", Outcome::Good),
    ];
    let candidates = lineage.candidates(CandidateKind::Items, &observations, Zone::UTC);
    let plan = RankingPlan { rounds: 2, minimum_exposure: 2, ..RankingPlan::default() };
    let rounds = lineage.rank(&candidates, &observations, &plan);
    let first: Vec<String> = rounds[0]
        .first_group()
        .map(|suspect| serde_json::to_string(&suspect.source).unwrap())
        .collect();
    assert_eq!(first.len(), 2, "MILK-1 and TANK went to the same orders: {first:?}");

    let now = day(10)?;
    let at = day(5)?;
    let pallet = Item::Serial(SerialId::new("PALLET-7")?);
    let mut containment = Containment::default();
    containment.record(Packing {
        at,
        sequence: 0,
        id: EventId::new("P1")?,
        parent: pallet.clone(),
        action: PackAction::Pack,
        children: [lot("CHEESE-1")].into(),
    });
    let inside = containment.all_contents(&pallet, now).into_iter().map(Source::item);
    let trace = lineage.forward(&inside.collect::<Vec<_>>());
    assert_eq!(trace.orders().map(OrderId::as_str).collect::<Vec<_>>(), ["SO-1"]);

    let texts = [
        r#"{"type": "TransformationEvent", "eventTime": "2026-02-05T06:00:00Z",
            "transformationID": "T", "inputEPCList": ["https://id.gs1.org/01/09521234008002/10/MILK"]}"#,
        r#"{"type": "TransformationEvent", "eventTime": "2026-02-05T07:00:00Z",
            "transformationID": "T", "outputEPCList": ["urn:epc:class:lgtin:9521234.000801.CHEESE"]}"#,
    ];
    let mut import = Import::default();
    for text in texts {
        import.join(serde_json::from_str(text)?);
    }
    let (entries, faults) = import.entries("supplier-7");
    let lineage = Lineage::load(Units::default(), entries)?;
    assert_eq!((faults.len(), lineage.links().count()), (0, 1));
    Ok(())
}

/// No example of the guide can rot: each of its lines is one of this file.
#[test]
fn every_line_of_the_guide_is_run_here() {
    let read =
        |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    // A comment may stand at another distance, and a `use` may name less.
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let here: Vec<String> = read("tests/lineage/guide.rs").lines().map(squeezed).collect();
    let guide = read("docs/recall.md");
    let blocks = guide.split("```").skip(1).step_by(2);
    let mut lines = 0;
    for line in blocks.filter_map(|block| block.strip_prefix("rust\n")).flat_map(str::lines) {
        let line = squeezed(line);
        if !line.is_empty() {
            assert!(here.contains(&line), "not run by any test: {line}");
            lines += 1;
        }
    }
    assert!(lines > 50, "{lines}");
}
