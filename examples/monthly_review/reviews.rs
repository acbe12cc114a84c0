//! What customers wrote: reasons read from reviews, and words that stand out.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;

use aftersale::analytics::measure::Answers;
use aftersale::analytics::words::TermCounts;
use aftersale::label::{Coded, Language};
use aftersale::preset::reasons::TAXONOMY;
use aftersale::reason::PackCode;
use aftersale::reason::defaults::Industry;
use aftersale::reason::taxonomy::{Taxonomy, TaxonomyDraft};
use aftersale::reason::text::{Classifier, Dictionaries};

/// One review of the clothing shop.
#[derive(Clone, Debug)]
pub struct Review {
    /// Department.
    pub department: String,
    /// Title and text.
    pub text: String,
    /// From 1 to 5.
    pub rating: u8,
    /// Whether the writer recommends the article.
    pub happy: bool,
    /// Whether it belongs to the even sample: every twentieth review of the source.
    pub sampled: bool,
}

/// Reads the clothing reviews.
pub fn clothing(path: &str) -> Result<Vec<Review>, Box<dyn Error>> {
    let file = flate2::read::GzDecoder::new(File::open(path)?);
    let mut reviews = Vec::new();
    for row in csv::Reader::from_reader(file).deserialize() {
        let row: BTreeMap<String, String> = row?;
        reviews.push(Review {
            department: row["department"].clone(),
            text: format!("{}. {}", row["title"], row["text"]),
            rating: row["rating"].parse()?,
            happy: row["recommended"] == "1",
            sampled: row["review_id"].parse::<u32>()? % 20 == 0,
        });
    }
    Ok(reviews)
}

/// Satisfaction over the even sample.
pub fn satisfaction(reviews: &[Review]) -> Result<Answers, Box<dyn Error>> {
    let mut answers = Answers::default();
    for review in reviews.iter().filter(|review| review.sampled) {
        answers.satisfied(review.rating)?;
    }
    Ok(answers)
}

/// What the unhappy reviews say.
#[derive(Debug, Default)]
pub struct Reasons {
    /// Label and reviews.
    pub counts: Vec<(String, u64)>,
    /// Reviews in which no reason was found.
    pub without: u64,
    /// Reviews read.
    pub read: u64,
    /// Reason, liable party, who pays for the way back (both by default of the taxonomy), reviews.
    pub flows: Vec<(Vec<String>, u64)>,
}

/// Reads the reasons out of the unhappy reviews.
pub fn reasons(reviews: &[Review], language: Language) -> Result<Reasons, Box<dyn Error>> {
    let draft: TaxonomyDraft = serde_json::from_str(TAXONOMY)?;
    let taxonomy = Taxonomy::verify(draft)?;
    let industry = taxonomy.pack(&PackCode::new("apparel")?).map_or(Industry::Any, Industry::Pack);
    let reader = Classifier::new(&taxonomy, Dictionaries { industry, host: &BTreeMap::new() })?;
    let mut found = Reasons::default();
    let mut counts = BTreeMap::new();
    for review in reviews.iter().filter(|review| !review.happy) {
        let read = reader.classify(&review.text)?;
        found.read += 1;
        found.without += u64::from(read.tags.is_empty());
        for tag in &read.tags {
            *counts.entry(tag.code.clone()).or_insert(0_u64) += 1;
        }
    }
    let mut order: Vec<_> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (place, (code, count)) in order.into_iter().enumerate() {
        let Some(reason) = taxonomy.reason(&code) else { continue };
        let label = reason.label.text(language).to_owned();
        if place < 8 {
            let party = reason.fault_default.label(language).to_owned();
            let payer = reason.return_shipping_payer_default.label(language).to_owned();
            found.flows.push((vec![label.clone(), party, payer], count));
        }
        found.counts.push((label, count));
    }
    Ok(found)
}

/// Terms of the unhappy reviews of one department, and of its happy ones.
pub fn words(reviews: &[Review], department: &str) -> Result<[TermCounts; 2], Box<dyn Error>> {
    let [mut here, mut there] = [TermCounts::default(), TermCounts::default()];
    for review in reviews.iter().filter(|review| review.department == department) {
        let side = if review.happy { &mut there } else { &mut here };
        side.observe(&review.text)?;
    }
    Ok([here, there])
}

/// Chinese restaurant notes: stars and text.
pub fn chinese(path: &str) -> Result<Vec<(f64, String)>, Box<dyn Error>> {
    let mut notes = Vec::new();
    for row in csv::Reader::from_path(path)?.deserialize() {
        let row: BTreeMap<String, String> = row?;
        notes.push((row["star"].parse()?, row["reviewbody"].clone()));
    }
    Ok(notes)
}
