//! Words that stand out.

use aftersale::analytics::words::{Keyness, TermCounts, emerging, examples};
use aftersale::label::Language;

use super::{Outcomes, Sources, count, heads};
use crate::document::{Block, Grid, Section};
use crate::reviews;
use crate::support::body::Tone;
use crate::support::text::decimals;

/// Emerging words, in both languages.
pub fn words(sources: &Sources<'_>, language: Language) -> Outcomes<Section> {
    let mut blocks = Vec::new();
    for (department, chinese) in [("Dresses", "连衣裙"), ("Bottoms", "下装")] {
        let [here, there] = reviews::words(sources.clothing, department)?;
        let notes: Vec<&str> = sources
            .clothing
            .iter()
            .filter(|review| !review.happy && review.department == department)
            .map(|review| review.text.as_str())
            .collect();
        let caption = say!(
            language,
            "{department}: words of unhappy reviews, against happy ones",
            "{chinese}：差评用词，对比好评"
        );
        blocks.push(Block::Grid(word_grid(caption, &here, &there, &notes, language, 7)));
    }
    let [mut low, mut high] = [TermCounts::default(), TermCounts::default()];
    for (stars, text) in sources.chinese {
        let side = if *stars <= 3.0 { &mut low } else { &mut high };
        side.observe(text)?;
    }
    let notes: Vec<&str> = sources
        .chinese
        .iter()
        .filter(|(stars, _)| *stars <= 3.0)
        .map(|(_, text)| text.as_str())
        .collect();
    let caption = say!(
        language,
        "Chinese notes: words of guests with three stars or fewer",
        "中文评论：三星及以下顾客的用词"
    );
    blocks.push(Block::Grid(word_grid(caption, &low, &high, &notes, language, 8)));
    blocks.push(Block::Small(say!(language, "Each term counts once per note; terms need five notes and G² above 15.13 (level 0.0001). Han text is read in pairs and triples of characters, without a segmenter.", "每个词在一条评论中只计一次；至少五条评论且 G² 高于 15.13（0.0001 水平）。汉字按二元、三元组读取，不用分词器。")));
    Ok(Section {
        name: say!(language, "Words", "用词"),
        heading: say!(language, "Words that stand out", "突出的用词"),
        blocks,
    })
}

pub fn word_grid(
    caption: String,
    here: &TermCounts,
    there: &TermCounts,
    notes: &[&str],
    language: Language,
    most: usize,
) -> Grid {
    let settings = Keyness { terms_max: most, ..Keyness::default() };
    let around = |note: &str, term: &str| {
        let lower = note.to_lowercase();
        let at = lower.find(term).unwrap_or(0);
        let shown: String = lower
            .char_indices()
            .filter(|(place, _)| place + 36 >= at && *place < at + term.len() + 40)
            .map(|(_, letter)| letter)
            .collect();
        format!("…{}…", shown.trim())
    };
    let rows = emerging(here, there, &settings)
        .into_iter()
        .map(|term| {
            let example = examples(notes.iter().copied(), &term.term, 1);
            let shown = example.first().map_or(String::new(), |(_, note)| around(note, &term.term));
            (
                Tone::Plain,
                vec![
                    term.term.clone(),
                    format!("{} / {}", count(term.here), count(here.notes())),
                    format!("{} / {}", count(term.there), count(there.notes())),
                    decimals(term.g2, 1),
                    shown.replace(['`', '*'], ""),
                ],
            )
        })
        .collect();
    Grid {
        caption,
        heads: heads(
            language,
            &[
                ("term", "词"),
                ("#here", "#此处"),
                ("#compared", "#对照"),
                ("#G²", "#G²"),
                ("in a note", "例句"),
            ],
        ),
        rows,
    }
}
