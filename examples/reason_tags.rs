//! Reads real complaints into reasons and says honestly how well that works.
//!
//! Three bodies of text: 5,798 reviews of a clothing shop (English), 300 restaurant reviews with
//! labels by people (Chinese), and 109 complaints in both languages labelled by hand for this crate.
//! Every figure stands beside a floor: the same words without denial and doubt.
//!
//! Run with `cargo run --release --example reason_tags`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;
use std::time::Instant;

use aftersale::label::Language;
use aftersale::preset::reasons::TAXONOMY;
use aftersale::reason::defaults::Industry;
use aftersale::reason::taxonomy::{Aliases, Pack, Taxonomy, TaxonomyDraft};
use aftersale::reason::text::wording::Wording;
use aftersale::reason::text::{Classification, Classifier, Dictionaries};
use aftersale::reason::{PackCode, ReasonCode};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let draft: TaxonomyDraft = serde_json::from_str(TAXONOMY)?;
    let reader = Readers::new(draft.clone())?;
    println!("REASONS IN FREE TEXT");
    println!("taxonomy version {}, {} reasons\n", reader.full.version(), draft.reasons.len());
    clothing(&reader)?;
    restaurants(draft)?;
    labelled(&reader)?;
    Ok(())
}

/// The shipped taxonomy, and the same without its words of denial and doubt.
struct Readers {
    full: Taxonomy,
    floor: Taxonomy,
}

impl Readers {
    fn new(draft: TaxonomyDraft) -> Outcome<Self> {
        let floor = TaxonomyDraft { wording: Wording::default(), ..draft.clone() };
        Ok(Self { full: Taxonomy::verify(draft)?, floor: Taxonomy::verify(floor)? })
    }

    fn classifiers(&self, industry: &str) -> Outcome<[Classifier; 2]> {
        Ok([classifier(&self.full, industry)?, classifier(&self.floor, industry)?])
    }
}

fn classifier(taxonomy: &Taxonomy, industry: &str) -> Outcome<Classifier> {
    let code = PackCode::new(industry)?;
    let industry = taxonomy.pack(&code).map_or(Industry::Any, Industry::Pack);
    Ok(Classifier::new(taxonomy, Dictionaries { industry, host: &BTreeMap::new() })?)
}

/// How often what was said was true (precision), and how much of the truth was said (recall).
#[derive(Default)]
struct Score {
    right: u32,
    said: u32,
    true_: u32,
}

impl Score {
    fn add(&mut self, said: &BTreeSet<ReasonCode>, truth: &BTreeSet<ReasonCode>) {
        self.right += u32::try_from(said.intersection(truth).count()).unwrap();
        self.said += u32::try_from(said.len()).unwrap();
        self.true_ += u32::try_from(truth.len()).unwrap();
    }

    fn line(&self) -> String {
        let (right, said, true_) =
            (f64::from(self.right), f64::from(self.said), f64::from(self.true_));
        format!(
            "precision {:5.1} %  recall {:5.1} %  F1 {:5.1} %   ({} right of {} said, {} true)",
            100.0 * right / said.max(1.0),
            100.0 * right / true_.max(1.0),
            200.0 * right / (said + true_).max(1.0),
            self.right,
            self.said,
            self.true_
        )
    }
}

fn codes(read: &Classification) -> BTreeSet<ReasonCode> {
    read.tags.iter().map(|tag| tag.code.clone()).collect()
}

/// Clothing reviews: what people complain of, and whether complaints go with "not recommended".
fn clothing(readers: &Readers) -> Outcome<()> {
    let file = flate2::read::GzDecoder::new(File::open(data("clothing-reviews/reviews.csv.gz"))?);
    let mut reviews: Vec<(bool, String)> = Vec::new();
    for row in csv::Reader::from_reader(file).deserialize() {
        let row: BTreeMap<String, String> = row?;
        reviews.push((row["recommended"] == "0", format!("{}. {}", row["title"], row["text"])));
    }
    let [full, floor] = readers.classifiers("apparel")?;
    let start = Instant::now();
    let read: Vec<Classification> =
        reviews.iter().map(|(_, text)| full.classify(text)).collect::<Result<_, _>>()?;
    let seconds = start.elapsed().as_secs_f64();
    let plain: Vec<Classification> =
        reviews.iter().map(|(_, text)| floor.classify(text)).collect::<Result<_, _>>()?;

    let unhappy = reviews.iter().filter(|(unhappy, _)| *unhappy).count();
    println!("1. CLOTHING REVIEWS (English, {} texts, {unhappy} not recommended)", reviews.len());
    println!("   {:.0} texts per second on one core\n", reviews.len() as f64 / seconds);
    let covered = |unhappy: bool| {
        let all: Vec<_> = reviews.iter().zip(&read).filter(|(r, _)| r.0 == unhappy).collect();
        let tagged = all.iter().filter(|(_, read)| !read.tags.is_empty()).count();
        100.0 * tagged as f64 / all.len() as f64
    };
    println!("   coverage: {:.1} % of the unhappy reviews have a reason,", covered(true));
    println!(
        "   and {:.1} % of the others (a happy review may still say \"runs small\")\n",
        covered(false)
    );
    println!("   {:<16} {:<34} {:>6} {:>9} {:>7}", "reason", "", "texts", "unhappy", "floor");
    let mut table: BTreeMap<ReasonCode, [u32; 3]> = BTreeMap::new();
    for (((unhappy, _), read), plain) in reviews.iter().zip(&read).zip(&plain) {
        for tag in &read.tags {
            let row = table.entry(tag.code.clone()).or_default();
            row[0] += 1;
            row[1] += u32::from(*unhappy);
        }
        for tag in &plain.tags {
            table.entry(tag.code.clone()).or_default()[2] += 1;
        }
    }
    let mut rows: Vec<_> = table.into_iter().collect();
    rows.sort_by(|a, b| (b.1[0], &a.0).cmp(&(a.1[0], &b.0)));
    for (code, [texts, sad, plain]) in rows.iter().take(14) {
        let label = readers.full.reason(code).map_or("", |r| r.label.text(Language::English));
        let share = 100.0 * f64::from(*sad) / f64::from((*texts).max(1));
        println!("   {:<16} {label:<34} {texts:>6} {share:>7.1} % {plain:>7}", code.as_str());
    }
    println!("   (the floor counts \"not itchy\" as itchy)\n");
    println!("   Truth here: \"not recommended\" stands for \"has a complaint\". That is weak: a");
    println!(
        "   recommended review may complain, and an unhappy one may say nothing of the goods."
    );
    for (name, read) in [("engine", &read), ("floor", &plain)] {
        let mut score = Score::default();
        for ((unhappy, _), read) in reviews.iter().zip(read) {
            let said = !read.tags.is_empty();
            score.said += u32::from(said);
            score.true_ += u32::from(*unhappy);
            score.right += u32::from(said && *unhappy);
        }
        println!("   {name:<7} {}", score.line());
    }
    let dismissed: usize = read.iter().map(|read| read.dismissed.len()).sum();
    println!("   {dismissed} matches dismissed as denied or merely possible; the first three:");
    let shown = reviews.iter().zip(&read).flat_map(|((_, text), read)| {
        read.dismissed.iter().map(move |dismissed| (text, dismissed))
    });
    for (text, dismissed) in shown.take(3) {
        let span = dismissed.matched.spans.first().unwrap();
        println!(
            "     {} {}: …{}…",
            dismissed.code,
            dismissed.why,
            around(text, span.start, span.end)
        );
    }
    println!();
    Ok(())
}

fn around(text: &str, start: usize, end: usize) -> String {
    let head: Vec<char> = text[..start].chars().rev().take(30).collect();
    let tail: String = text[end..].chars().take(12).collect();
    format!("{}[{}]{tail}", head.into_iter().rev().collect::<String>(), &text[start..end])
}

/// A host's own reasons, with words it wrote itself.
const DINING: [(&str, &str, &str, &str, &str); 8] = [
    (
        "X.dining.STAFF",
        "service_waiters_attitude",
        "Bad service",
        "服务态度问题",
        "服务~差|不好|不行|冷淡|恶劣|糟糕|一般 态度~差|不好|恶劣|冷淡|一般 爱理不理 爱答不理 不耐烦 没人理 叫不到 服务员~不理|没反应|脸色|凶|臭脸 翻白眼 服务~跟不上|不到位",
    ),
    (
        "X.dining.WAIT",
        "service_wait_time",
        "Long queue",
        "排队太久",
        "排队~久|长|小时 等位~久|长|小时 等了~小时|分钟才 排了~小时 排长队 等很久 等了很久 等了好久",
    ),
    (
        "X.dining.SLOW",
        "service_serving_speed",
        "Slow kitchen",
        "上菜太慢",
        "上菜~慢|久 出菜~慢|久 催了 上得慢 上的慢 菜~等了好久|等了很久 速度慢",
    ),
    (
        "X.dining.PRICE",
        "price_level",
        "Prices too high",
        "价格太高",
        "太贵 偏贵 有点贵 有些贵 贵了 价格~高|贵 略贵 小贵 不便宜 很贵 好贵 性价比~低|不高 死贵",
    ),
    (
        "X.dining.SMALL",
        "dish_portion",
        "Portion too small",
        "分量太少",
        "分量~少|小 份量~少|小 量~少|小 太少了 没几块 就几片 吃不饱 没吃饱",
    ),
    ("X.dining.NOISE", "environment_noise", "Too noisy", "环境太吵", "吵 嘈杂 闹哄哄 吵闹"),
    (
        "X.dining.DIRTY",
        "environment_cleaness",
        "Not clean",
        "不干净",
        "不干净 不卫生 脏 油腻腻 苍蝇 蟑螂 卫生~差|堪忧 头发丝",
    ),
    (
        "X.dining.SPACE",
        "environment_space",
        "Cramped",
        "空间太挤",
        "拥挤 太挤 很挤 有点挤 空间~小|狭小 店面~小|不大 地方~小|不大 狭小 面积~小|不大 座位~少|挤",
    ),
];

/// Restaurant reviews: a host extends the taxonomy; people labelled the texts by aspect.
fn restaurants(mut draft: TaxonomyDraft) -> Outcome<()> {
    let pack = PackCode::new("dining")?;
    let model =
        draft.reasons.iter().find(|r| r.code.as_str() == "COM.SERVICE_PROMISE").unwrap().clone();
    let mut dictionary = BTreeMap::new();
    let mut order = Vec::new();
    for (code, _, en, zh, words) in DINING {
        let mut reason = model.clone();
        reason.code = code.parse()?;
        (reason.label.en, reason.label.zh) = (en.into(), zh.into());
        reason.aliases = Aliases::default();
        reason.packs = BTreeSet::from([pack.clone()]);
        order.push(reason.code.clone());
        let zh = words.split(' ').map(str::to_owned).collect();
        dictionary.insert(reason.code.clone(), Aliases { en: Vec::new(), zh });
        draft.reasons.push(reason);
    }
    draft.packs.push(Pack {
        code: pack,
        label: aftersale::label::Label::new("Restaurants", "餐饮"),
        order,
        required_facets: BTreeMap::new(),
        evidence_overrides: BTreeMap::new(),
        dictionary,
        muted: BTreeSet::new(),
        note: aftersale::label::Label::default(),
    });
    let [full, floor] = Readers::new(draft)?.classifiers("dining")?;
    let mut scores: BTreeMap<(&str, bool), Score> = BTreeMap::new();
    let mut texts = 0;
    for row in csv::Reader::from_path(data("asap-zh/reviews.csv"))?.deserialize() {
        let row: BTreeMap<String, String> = row?;
        texts += 1;
        for (name, classifier) in [("engine", &full), ("floor", &floor)] {
            let read = classifier.classify(&row["reviewbody"])?;
            for (code, aspect, ..) in DINING {
                let said = read.tag(&code.parse()?).is_some();
                let truth = row[aspect].parse::<f64>()? == -1.0;
                let score = scores.entry((name, truth)).or_default();
                score.said += u32::from(said);
                score.true_ += u32::from(truth);
                score.right += u32::from(said && truth);
            }
        }
    }
    println!("2. RESTAURANT REVIEWS (Chinese, {texts} texts, 8 reasons of a host)");
    println!(
        "   Truth: aspects that people labelled negative. The host's eight word lists were written"
    );
    println!("   from knowledge of the trade, without a look at the texts.");
    for name in ["engine", "floor"] {
        let mut sum = Score::default();
        for ((_, _), score) in scores.iter().filter(|((of, _), _)| *of == name) {
            sum.right += score.right;
            sum.said += score.said;
            sum.true_ += score.true_;
        }
        println!("   {name:<7} {}", sum.line());
    }
    println!();
    Ok(())
}

/// Complaints labelled by hand: the strict test.
fn labelled(readers: &Readers) -> Outcome<()> {
    println!(
        "3. HAND-LABELLED COMPLAINTS (truth: labels of one reader, made before the first run)"
    );
    let mut rows: Vec<BTreeMap<String, String>> = Vec::new();
    for row in csv::Reader::from_path(data("reason-labels/labels.csv"))?.deserialize() {
        rows.push(row?);
    }
    let mut misses: Vec<String> = Vec::new();
    for (language, title) in [("en", "English, clothing"), ("zh", "Chinese, books and computers")] {
        let of_language: Vec<_> = rows.iter().filter(|row| row["language"] == language).collect();
        println!("   {title}: {} texts", of_language.len());
        for (name, floor) in [("engine", false), ("floor", true)] {
            let (mut level2, mut level1, mut covered) = (Score::default(), Score::default(), 0);
            for row in &of_language {
                let [full, plain] = readers.classifiers(&row["industry"])?;
                let read = if floor { plain } else { full }.classify(&row["text"])?;
                let truth: BTreeSet<ReasonCode> =
                    row["reasons"].split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
                let said = codes(&read);
                covered += u32::from(!said.is_empty());
                level2.add(&said, &truth);
                let causes = |codes: &BTreeSet<ReasonCode>| {
                    let causes = codes.iter().filter_map(|c| readers.full.cause_of(c));
                    causes.map(|c| format!("{}.ANY", c.code).parse().unwrap()).collect()
                };
                level1.add(&causes(&said), &causes(&truth));
                if !floor && said != truth {
                    let list = |codes: &BTreeSet<ReasonCode>| {
                        codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
                    };
                    let text: String = row["text"].chars().take(70).collect();
                    misses.push(format!(
                        "{}: said [{}], true [{}]: {text}",
                        row["id"],
                        list(&said),
                        list(&truth)
                    ));
                }
            }
            println!("   {name:<7} reasons  {}", level2.line());
            println!("   {:<7} causes   {}", "", level1.line());
            println!(
                "   {:<7} coverage {:.1} % of the texts",
                "",
                100.0 * f64::from(covered) / of_language.len() as f64
            );
        }
    }
    let every =
        if std::env::args().any(|arg| arg == "all") { 1 } else { (misses.len() / 8).max(1) };
    println!(
        "\n   some of the {} texts where tags and labels differ (`-- all` lists them):",
        misses.len()
    );
    for miss in misses.iter().step_by(every) {
        println!("     {miss}");
    }
    Ok(())
}

fn data(path: &str) -> String {
    format!("{}/examples/data/{path}", env!("CARGO_MANIFEST_DIR"))
}
