//! How fast reasons are read from text, looked up and verified.

use std::collections::BTreeMap;
use std::fs::File;

use aftersale::preset::reasons::TAXONOMY;
use aftersale::reason::ReasonCode;
use aftersale::reason::defaults::Industry;
use aftersale::reason::taxonomy::Taxonomy;
use aftersale::reason::text::{Classifier, Dictionaries};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    divan::main();
}

fn taxonomy() -> Taxonomy {
    serde_json::from_str(TAXONOMY).unwrap()
}

fn classifier(industry: &str) -> Classifier {
    let taxonomy = taxonomy();
    let pack = taxonomy.packs().iter().find(|pack| pack.code.as_str() == industry);
    let industry = pack.map_or(Industry::Any, Industry::Pack);
    Classifier::new(&taxonomy, Dictionaries { industry, host: &BTreeMap::new() }).unwrap()
}

fn read(bencher: Bencher, industry: &str, texts: &[String]) {
    let classifier = classifier(industry);
    bencher
        .counter(ItemsCount::new(texts.len()))
        .counter(BytesCount::new(texts.iter().map(String::len).sum::<usize>()))
        .bench_local(|| {
            texts.iter().map(|text| classifier.classify(text).unwrap().tags.len()).sum::<usize>()
        });
}

fn data(path: &str) -> File {
    File::open(format!("{}/examples/data/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Reviews of clothing, about 320 bytes each.
#[divan::bench(sample_count = 20)]
fn english(bencher: Bencher) {
    let file = flate2::read::GzDecoder::new(data("clothing-reviews/reviews.csv.gz"));
    let texts: Vec<String> = csv::Reader::from_reader(file)
        .deserialize()
        .map(|row: Result<BTreeMap<String, String>, _>| row.unwrap()["text"].clone())
        .collect();
    read(bencher, "apparel", &texts);
}

/// Reviews of restaurants, about 900 bytes each.
#[divan::bench(sample_count = 20)]
fn chinese(bencher: Bencher) {
    let texts: Vec<String> = csv::Reader::from_reader(data("asap-zh/reviews.csv"))
        .deserialize()
        .map(|row: Result<BTreeMap<String, String>, _>| row.unwrap()["reviewbody"].clone())
        .collect();
    read(bencher, "any", &texts);
}

/// The defaults of one reason, as policies read them.
#[divan::bench]
fn look_up(bencher: Bencher) {
    let taxonomy = taxonomy();
    let codes: Vec<ReasonCode> = taxonomy.reasons().iter().map(|r| r.code.clone()).collect();
    bencher.counter(ItemsCount::new(codes.len())).bench_local(|| {
        codes.iter().filter(|code| taxonomy.reason(code).is_some_and(|r| r.quality_defect)).count()
    });
}

/// The shipped taxonomy, verified.
#[divan::bench(sample_count = 20)]
fn verify(bencher: Bencher) {
    let draft = taxonomy().into_draft();
    bencher
        .with_inputs(|| draft.clone())
        .bench_local_values(|draft| Taxonomy::verify(draft).unwrap());
}

/// A classifier for one industry, made from the taxonomy.
#[divan::bench(sample_count = 20)]
fn compile(bencher: Bencher) {
    bencher.bench_local(|| classifier("apparel"));
}
