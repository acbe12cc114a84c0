//! Reading free text: matches, denial, industries, hosts, and what always holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aftersale::preset::reasons::TAXONOMY;
use aftersale::reason::ReasonCode;
use aftersale::reason::defaults::Industry;
use aftersale::reason::taxonomy::{Aliases, Taxonomy, TaxonomyDraft};
use aftersale::reason::text::fold::{fold, is_word};
use aftersale::reason::text::pattern::{Pattern, PatternError};
use aftersale::reason::text::wording::Wording;
use aftersale::reason::text::{
    Classifier, ClassifierError, Dictionaries, Dismissal, MAX_TEXT_BYTES, TextTooLong,
};
use proptest::prelude::*;

static SHIPPED: LazyLock<Taxonomy> = LazyLock::new(|| serde_json::from_str(TAXONOMY).unwrap());
static CORE: LazyLock<Classifier> = LazyLock::new(|| reader("any"));
static APPAREL: LazyLock<Classifier> = LazyLock::new(|| reader("apparel"));

fn reader(industry: &str) -> Classifier {
    let pack = SHIPPED.packs().iter().find(|pack| pack.code.as_str() == industry);
    let industry = pack.map_or(Industry::Any, Industry::Pack);
    Classifier::new(&SHIPPED, Dictionaries { industry, host: &BTreeMap::new() }).unwrap()
}

fn tags(classifier: &Classifier, text: &str) -> Vec<String> {
    classifier.classify(text).unwrap().tags.iter().map(|tag| tag.code.to_string()).collect()
}

#[test]
fn labels_of_both_languages_are_read() {
    for reason in SHIPPED.reasons() {
        if !reason.is_core() || reason.cause.as_str() == "OTH" {
            continue;
        }
        for text in [&reason.label.en, &reason.label.zh] {
            assert!(tags(&CORE, text).contains(&reason.code.to_string()), "{text}");
        }
    }
}

#[test]
fn several_reasons_of_one_text_come_with_their_words() {
    let text = "Arrived late, the box was crushed and the kettle doesn't work.";
    let read = CORE.classify(text).unwrap();
    let words: BTreeMap<&str, Vec<&str>> = read
        .tags
        .iter()
        .map(|tag| {
            let spans = tag.matches.iter().flat_map(|matched| &matched.spans);
            (tag.code.as_str(), spans.map(|span| &text[span.clone()]).collect())
        })
        .collect();
    assert_eq!(
        words,
        BTreeMap::from([
            ("DLV.LATE", vec!["Arrived late"]),
            ("TRN.PACKAGE", vec!["box", "crushed"]),
            ("QLT.FUNCTION", vec!["doesn't work"]),
        ])
    );
}

/// RSN-12: a denial dismisses what it reaches, two cancel out, and no denial crosses a clause.
#[test]
fn denial_in_both_languages() {
    for (text, expected) in [
        ("it leaks no smell, not noisy", vec![]),
        ("not scratched", vec![]),
        ("scratched", vec!["QLT.APPEARANCE"]),
        ("it was never damaged in transit", vec![]),
        ("there is no doubt it is scratched", vec!["QLT.APPEARANCE"]),
        ("not only scratched", vec!["QLT.APPEARANCE"]),
        ("not without scratches", vec!["QLT.APPEARANCE"]),
        ("it is not new; scratched", vec!["FUL.NOT_NEW", "QLT.APPEARANCE"]),
        ("I did not open it, but it is scratched", vec!["QLT.APPEARANCE"]),
        ("it does not work", vec!["QLT.FUNCTION"]),
        ("without scratches", vec![]),
        ("没有异味", vec![]),
        ("有异味", vec!["QLT.ODOR"]),
        ("无划痕", vec![]),
        ("未破损", vec![]),
        ("不是没有异味", vec!["QLT.ODOR"]),
        ("没有划痕，但是有异味", vec!["QLT.ODOR"]),
        ("不仅有异味", vec!["QLT.ODOR"]),
        ("划痕没有", vec![]),
        ("还没有收到", vec!["DLV.NOT_RECEIVED"]),
        ("没用几天就坏了", vec!["QLT.DURABILITY"]),
        ("不会用", vec!["USE.DIFFICULT"]),
    ] {
        assert_eq!(tags(&CORE, text), expected, "{text}");
    }
    assert_eq!(tags(&CORE, "如果有异味就退"), Vec::<String>::new());
    let read = CORE.classify("怕有异味").unwrap();
    assert_eq!(read.dismissed[0].why, Dismissal::Possible);
}

#[test]
fn english_words_are_whole_words() {
    assert_eq!(tags(&CORE, "a trashy movie"), Vec::<String>::new()); // not "rash"
    assert_eq!(tags(&CORE, "a rash"), ["SAF.ALLERGY"]);
    assert_eq!(tags(&CORE, "it was SCRATCHED"), ["QLT.APPEARANCE"]);
    assert_eq!(tags(&CORE, "ｓｃｒａｔｃｈｅｄ"), ["QLT.APPEARANCE"]);
    assert_eq!(tags(&CORE, "iPhone充不进电了，bluetooth disconnects"), Vec::<String>::new());
    let phone = reader("electronics");
    let read = tags(&phone, "iPhone充不进电了，bluetooth disconnects");
    assert_eq!(read, ["QLT.POWER", "QLT.SOFTWARE"]);
}

#[test]
fn an_industry_reads_with_its_own_words() {
    assert_eq!(tags(&APPAREL, "the top is sheer"), ["QLT.MATERIAL"]);
    assert_eq!(tags(&CORE, "the top is sheer"), Vec::<String>::new());
    // "did not work" is about a machine, or about how a dress looks.
    assert_eq!(tags(&CORE, "it did not work for me"), ["QLT.FUNCTION"]);
    assert_eq!(tags(&APPAREL, "it did not work for me"), ["CUS.CHANGED_MIND"]);
    assert_eq!(tags(&reader("food"), "有头发"), ["SAF.FOREIGN_BODY"]);
    assert_eq!(tags(&CORE, "有头发"), Vec::<String>::new());
}

#[test]
fn words_of_a_host_win_over_all_others() {
    let mut draft = SHIPPED.clone().into_draft();
    let mut own = draft.reasons[0].clone();
    own.code = "X.milkbar.SOUR".parse().unwrap();
    own.cause = "SAF".parse().unwrap();
    own.label = aftersale::label::Label::new("Sour milk", "牛奶变酸");
    own.aliases = Aliases::default();
    draft.reasons.push(own);
    let taxonomy = Taxonomy::verify(draft).unwrap();
    let sour: ReasonCode = "X.milkbar.SOUR".parse().unwrap();
    let words = |en: &str| Aliases { en: vec![en.into()], zh: vec![] };
    let host = BTreeMap::from([(sour.clone(), words("disappoint*"))]);
    let dictionaries = Dictionaries { industry: Industry::Any, host: &host };
    let classifier = Classifier::new(&taxonomy, dictionaries).unwrap();
    assert_eq!(tags(&classifier, "disappointing"), ["X.milkbar.SOUR"]);
    assert_eq!(taxonomy.cause_of(&sour).unwrap().code.as_str(), "SAF");

    let fails = |host: BTreeMap<ReasonCode, Aliases>| {
        Classifier::new(&taxonomy, Dictionaries { industry: Industry::Any, host: &host })
            .unwrap_err()
    };
    let unknown: ReasonCode = "X.milkbar.SWEET".parse().unwrap();
    assert_eq!(
        fails(BTreeMap::from([(unknown.clone(), words("sweet"))])),
        ClassifierError::UnknownReason { code: unknown }
    );
    let other: ReasonCode = "QLT.ODOR".parse().unwrap();
    assert!(matches!(
        fails(BTreeMap::from([(sour.clone(), words("curdled")), (other, words("curdled"))])),
        ClassifierError::Ambiguous { .. }
    ));
    assert!(matches!(
        fails(BTreeMap::from([(sour, words("*"))])),
        ClassifierError::BadPattern { .. }
    ));
}

#[test]
fn patterns_are_checked() {
    assert!(Pattern::parse("zip*~broke|broken").is_ok());
    assert!(matches!(Pattern::parse(""), Err(PatternError::TooShort { .. })));
    assert!(matches!(Pattern::parse("a"), Err(PatternError::TooShort { .. })));
    assert!(Pattern::parse("虫").is_ok());
    assert!(matches!(Pattern::parse("a*b"), Err(PatternError::MisplacedSign { .. })));
    assert!(matches!(Pattern::parse("色差*"), Err(PatternError::MisplacedSign { .. })));
    assert!(matches!(Pattern::parse("aa~bb~cc~dd"), Err(PatternError::TooManyParts { .. })));
    assert!(matches!(
        Pattern::parse(&"x".repeat(201)),
        Err(PatternError::TooLong { bytes: 201, .. })
    ));
}

#[test]
fn a_text_over_the_limit_is_refused_and_one_at_it_is_read() {
    assert!(CORE.classify(&"x".repeat(MAX_TEXT_BYTES)).is_ok());
    let bytes = MAX_TEXT_BYTES + 1;
    assert_eq!(CORE.classify(&"x".repeat(bytes)), Err(TextTooLong { bytes }));
}

/// RSN-17: the work for one text is bounded: the longest texts made of nothing but matches, denials and
/// parts of patterns are read in the time of a few passes.
#[test]
fn the_worst_texts_are_read_in_bounded_time() {
    let start = std::time::Instant::now();
    for unit in [
        "not rash ",
        "不",
        "没有异味",
        "not ",
        "zipper ",
        "color ",
        "zipper broke not ",
        "差不多",
        "rash ",
        ".",
        " ",
    ] {
        let text = unit.repeat(MAX_TEXT_BYTES / unit.len());
        assert!(APPAREL.classify(&text).is_ok());
    }
    // Some hundred milliseconds unoptimized; quadratic work would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// Words of the dictionaries, words of denial, punctuation and noise, in any order.
fn phrases() -> impl Strategy<Value = String> {
    let words: Vec<String> = SHIPPED
        .reasons()
        .iter()
        .flat_map(|reason| reason.aliases.en.iter().chain(&reason.aliases.zh))
        .flat_map(|alias| alias.split(['~', '|', '*']).map(str::to_owned).collect::<Vec<_>>())
        .chain(SHIPPED.wording().texts().map(|(_, text)| text.to_owned()))
        .chain(
            [" ", ", ", ".", "，", "。", "\n", "\u{3000}", "ＡＢ", "é", "İ", "🙂", "3.5"]
                .map(str::to_owned),
        )
        .collect();
    prop::collection::vec(prop::sample::select(words), 0..14).prop_map(|words| words.join(" "))
}

proptest! {
    /// RSN-9: the same text and dictionaries give the same tags in the same order.
    #[test]
    fn reading_is_deterministic(text in phrases()) {
        let first = APPAREL.classify(&text).unwrap();
        prop_assert_eq!(&first, &reader_twice().classify(&text).unwrap());
        let order: Vec<_> = first.tags.iter().map(|tag| core::cmp::Reverse(tag.score)).collect();
        prop_assert!(order.is_sorted());
        let codes: BTreeSet<_> = first.tags.iter().map(|tag| &tag.code).collect();
        prop_assert_eq!(codes.len(), first.tags.len());
    }

    /// RSN-10: every matched range lies on character boundaries and no two share a character.
    #[test]
    fn matched_words_are_words_of_the_text(text in phrases()) {
        let read = APPAREL.classify(&text).unwrap();
        let matched = read.tags.iter().flat_map(|tag| &tag.matches)
            .chain(read.dismissed.iter().map(|dismissed| &dismissed.matched));
        let mut spans = Vec::new();
        for matched in matched {
            prop_assert!(!matched.spans.is_empty() && matched.weight >= 1);
            for span in &matched.spans {
                let words = text.get(span.clone());
                prop_assert!(words.is_some_and(|words| !words.is_empty()));
                // What was found is in the pattern, once folded.
                let found = fold(words.unwrap());
                let alternatives = matched.pattern.split(['~', '|']);
                prop_assert!(alternatives.map(|a| a.trim_end_matches('*')).any(|a| found == a.trim()));
                spans.push((span.start, span.end));
            }
        }
        spans.sort_unstable();
        prop_assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        for tag in &read.tags {
            let weights: BTreeMap<_, _> =
                tag.matches.iter().map(|matched| (&matched.pattern, matched.weight)).collect();
            prop_assert_eq!(tag.score, weights.values().sum::<u32>());
        }
    }

    /// RSN-11: no text makes the reader panic.
    #[test]
    fn hostile_text_is_read_or_refused(text in any::<String>(), noise in "[not 没有不，。.~|*İß\u{0}-\u{ffff}]{0,80}") {
        prop_assert!(CORE.classify(&text).is_ok());
        prop_assert!(APPAREL.classify(&noise).is_ok());
        prop_assert!(Pattern::parse(&noise).is_ok() || Pattern::parse(&noise).is_err());
    }

    /// RSN-16: the one-pass reader finds what a slow search for the leftmost longest word finds.
    #[test]
    fn the_reader_agrees_with_a_slow_search(
        words in prop::collection::btree_set("[ab]{2,4}( [ab]{2,3})?|[红黄]{1,3}", 1..8),
        text in "[ab 红黄]{0,40}",
    ) {
        let words: Vec<String> = words.into_iter().collect();
        let classifier = tiny(&words);
        let read = classifier.classify(&text).unwrap();
        let mut found: Vec<(usize, usize)> = read.tags.iter().flat_map(|tag| &tag.matches)
            .map(|matched| (matched.spans[0].start, matched.spans[0].end)).collect();
        found.sort_unstable();
        prop_assert_eq!(found, slow(&words, &text));
    }
}

fn reader_twice() -> &'static Classifier {
    static AGAIN: LazyLock<Classifier> = LazyLock::new(|| reader("apparel"));
    &AGAIN
}

/// A taxonomy that knows nothing but the words given.
fn tiny(words: &[String]) -> Classifier {
    let shipped = SHIPPED.clone().into_draft();
    let kept =
        |code: &str| shipped.reasons.iter().find(|r| r.code.as_str() == code).unwrap().clone();
    let mut own = kept("QLT.ODOR");
    own.code = "X.tiny.WORD".parse().unwrap();
    own.label = aftersale::label::Label::new("zzzz", "零零零零");
    own.aliases = Aliases { en: words.to_vec(), zh: vec![] };
    let draft = TaxonomyDraft {
        reasons: vec![kept("OTH.OTHER"), kept("OTH.UNKNOWN"), own],
        packs: vec![],
        wording: Wording::default(),
        ..shipped
    };
    let taxonomy = Taxonomy::verify(draft).unwrap();
    Classifier::new(&taxonomy, Dictionaries { industry: Industry::Any, host: &BTreeMap::new() })
        .unwrap()
}

/// From left to right: the longest word at each place, whole words only where they have spaces. Runs
/// of spaces count as one.
fn slow(words: &[String], text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let longest = words
            .iter()
            .filter_map(|word| {
                let end = at + matched(&text[at..], word)?;
                let starts = word.chars().next().is_some_and(is_word);
                let before = text[..at].chars().next_back().is_some_and(is_word);
                let after = text[end..].chars().next().is_some_and(is_word);
                (!(starts && (before || after))).then_some(end)
            })
            .max();
        match longest {
            Some(end) => {
                found.push((at, end));
                at = end;
            }
            None => at += text[at..].chars().next().unwrap().len_utf8(),
        }
    }
    found
}

fn matched(text: &str, word: &str) -> Option<usize> {
    let mut rest = text;
    for c in word.chars() {
        if c == ' ' {
            let shorter = rest.trim_start_matches(' ');
            if shorter.len() == rest.len() {
                return None;
            }
            rest = shorter;
        } else {
            rest = rest.strip_prefix(c)?;
        }
    }
    Some(text.len() - rest.len())
}
