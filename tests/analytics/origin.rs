//! What stands behind a rise: lots and words, inside the combination only.

use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::origin::{Origin, Search, SeenUnit, When, element_of, origin};
use aftersale::analytics::rate::Proportion;
use aftersale::analytics::tally::{Dimension, Facets};
use aftersale::explain::Effect;
use aftersale::id::{LotId, SerialId, SupplierId};
use aftersale::label::Language;
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{Event, EventFacts, EventId, EventKind, Item, Line, Units};
use aftersale::lineage::suspect::{CandidateKind, Observation, Outcome};
use aftersale::quantity::Quantity;

const CATEGORIES: [&str; 3] = ["phones", "jackets", "milk"];
const CHANNELS: [&str; 2] = ["web", "store"];

fn lot(name: &str) -> Item {
    Item::Lot(LotId::new(name).unwrap())
}

fn unit(n: usize) -> Item {
    Item::Serial(SerialId::new(format!("U{n:04}")).unwrap())
}

/// 720 units, 120 of each category and channel, made from four lots of two suppliers. Phones of the
/// web from lot C3 fail two times in three and their owners write of the charging port; of all other
/// units one in ten fails, of whatever lot.
struct World {
    lineage: Lineage,
    facets: Vec<Facets>,
    outcomes: Vec<Outcome>,
    notes: Vec<&'static str>,
}

impl World {
    fn new(planted: bool) -> Self {
        let mut lineage = Lineage::new(Units::default());
        let mut record = |event: aftersale::lineage::event::EventDraft| {
            lineage.record(&event.check().unwrap()).unwrap();
        };
        let pieces = |count| Quantity::pieces(count).unwrap();
        for number in 0..4 {
            let supplier = SupplierId::new(["volta", "lumen"][number / 2]).unwrap();
            let facts = EventFacts { supplier: Some(supplier), ..EventFacts::default() };
            let id = EventId::new(format!("R{number}")).unwrap();
            let at = "2026-03-01T08:00:00Z".parse().unwrap();
            record(
                Event::new(id, at, EventKind::Receive)
                    .output(Line::new(lot(&format!("C{number}")), pieces(1000)))
                    .facts(facts),
            );
        }
        let (mut facets, mut outcomes, mut notes) = (vec![], vec![], vec![]);
        for n in 0..720 {
            let made = Event::new(
                EventId::new(format!("M{n}")).unwrap(),
                format!("2026-03-{:02}T08:00:00Z", 2 + n % 5).parse().unwrap(),
                EventKind::Make,
            )
            .input(Line::new(lot(&format!("C{}", n / 6 % 4)), pieces(1)))
            .output(Line::unmeasured(unit(n)));
            record(made);
            let (category, channel) = (n % 3, n % 2);
            facets.push(
                Facets::new()
                    .with(Dimension::Category, CATEGORIES[category])
                    .unwrap()
                    .with(Dimension::Channel, CHANNELS[channel])
                    .unwrap(),
            );
            let guilty = planted && (category, channel) == (0, 0) && n / 6 % 4 == 3;
            let bad = if guilty { n / 24 % 3 < 2 } else { n / 24 % 12 == n % 6 };
            outcomes.push(if bad { Outcome::Defective } else { Outcome::Good });
            notes.push(match (bad, guilty) {
                (true, true) => ["充电口松动，充不进电", "the charging port is loose"][n / 24 % 2],
                (true, false) => ["not as described", "颜色和图片不一样"][n / 6 % 2],
                (false, _) => "",
            });
        }
        Self { lineage, facets, outcomes, notes }
    }

    fn units(&self) -> Vec<SeenUnit<'_>> {
        (0..self.facets.len())
            .map(|n| SeenUnit {
                facets: &self.facets[n],
                observation: Observation {
                    item: unit(n),
                    outcome: self.outcomes[n],
                    stratum: None,
                },
                note: Some(self.notes[n]).filter(|note| !note.is_empty()),
                when: When::Now,
            })
            .collect()
    }

    fn find(&self, element: &[(Dimension, String)]) -> Origin {
        origin(&self.lineage, element, &self.units(), &Search::default()).unwrap()
    }
}

fn web_phones() -> Vec<(Dimension, String)> {
    vec![(Dimension::Category, "phones".into()), (Dimension::Channel, "web".into())]
}

/// ANA-38: from the scanned cube to one finding: the planted lot and its words are named, with the
/// counts behind them, in both languages.
#[test]
fn a_cause_leads_to_its_lot_and_its_words() {
    let world = World::new(true);
    // The cube of the month, and of the ten months before, when one in ten failed everywhere.
    let mut leaves = Vec::new();
    for (a, category) in CATEGORIES.iter().enumerate() {
        for (b, channel) in CHANNELS.iter().enumerate() {
            let here = |n: &usize| {
                world.facets[*n].code(Dimension::Category) == *category
                    && world.facets[*n].code(Dimension::Channel) == *channel
            };
            let bad = (0..720).filter(here).filter(|n| world.outcomes[*n] == Outcome::Defective);
            leaves.push(Leaf {
                codes: vec![a as u32, b as u32],
                before: Proportion::new(120, 1200).unwrap(),
                after: Proportion::new(bad.count() as u64, 120).unwrap(),
            });
        }
    }
    let causes = scan(&[3, 2], &leaves, &Scan::default()).unwrap();
    let text = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let cube = [(Dimension::Category, text(&CATEGORIES)), (Dimension::Channel, text(&CHANNELS))];
    let element = element_of(&causes[0], &cube).unwrap();
    assert_eq!(element, web_phones());
    let found = world.find(&element);
    let named: Vec<_> = found.named().collect();
    assert_eq!(named[0].0, CandidateKind::Items);
    let counts = named[0].1[0].counts;
    assert_eq!((counts.units, counts.exposed), (120, 30), "units of the combination only");
    let summary = found.summary(Language::English);
    assert!(
        summary.starts_with("Category phones, Channel web: 29 of 120 units came back or failed."),
        "{summary}"
    );
    assert!(
        summary.contains("Behind it, lot C3: 20 of 30 units with it did, 9 of 90 without"),
        "{summary}"
    );
    assert!(summary.contains("“charging port” (10 of 29, elsewhere 0 of 60)"), "{summary}");
    assert!(summary.contains("“充电口” (10 of 29, elsewhere 0 of 60)"), "{summary}");
    let chinese = found.summary(Language::Chinese);
    assert!(chinese.contains("指向批次C3：含该项30件中20件，其余90件中9件"), "{chinese}");
    let port = found.words.iter().find(|new| new.term.term == "charging port").unwrap();
    assert_eq!(port.examples, ["the charging port is loose"; 2]);
    let warned = found.findings.iter().filter(|finding| finding.effect == Effect::Warns);
    assert!(
        warned.map(|finding| finding.subject.clone()).any(|about| about == Some("lot C3".into()))
    );
}

/// ANA-39: where nothing is planted nothing is named, and it is said; the order of units does not
/// matter.
#[test]
fn nothing_is_named_where_nothing_stands_out() {
    let world = World::new(false);
    let found = world.find(&web_phones());
    assert_eq!(found.named().count(), 0, "{}", found.summary(Language::English));
    assert_eq!(found.words, []);
    let summary = found.summary(Language::English);
    assert!(summary.contains("No lot, supplier, line, place or day stands out."), "{summary}");
    assert!(summary.ends_with("No word is new in the notes."), "{summary}");
    assert!(found.findings.iter().all(|finding| finding.effect == Effect::Passes));
    let planted = World::new(true);
    let mut backward = planted.units();
    backward.reverse();
    let same = origin(&planted.lineage, &web_phones(), &backward, &Search::default()).unwrap();
    assert_eq!(same, planted.find(&web_phones()));
    // The same units as a thing of the past are no rise, and their words are what to compare with.
    let mut past = planted.units();
    past.iter_mut().for_each(|unit| unit.when = When::Before);
    let found = origin(&planted.lineage, &web_phones(), &past, &Search::default()).unwrap();
    assert_eq!((found.defective.whole(), found.notes.0), (0, 0));
    assert_eq!(found.named().count(), 0);
}
