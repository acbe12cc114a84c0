//! One pass over a text: hits, clauses, candidates, denial, tags.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

use super::fold::{Folded, is_ideograph, is_word};
use super::{Classification, Classifier, Dismissal, Dismissed, Matched, Tag};
use crate::reason::ReasonCode;

/// How far apart the parts of a pattern may stand: words, or characters written without spaces.
const PART_REACH: usize = 6;
/// How far apart words may stand that have to do with each other, in bytes of folded text. It bounds the
/// work for every match, whatever the text.
const WINDOW: usize = 160;

/// A literal found at a place of the folded text.
#[derive(Clone, Copy, Debug)]
struct Hit {
    start: usize,
    end: usize,
    literal: usize,
}

impl Hit {
    const fn is_inside(&self, start: usize, end: usize) -> bool {
        start <= self.start && self.end <= end
    }
}

/// A pattern found, with the places of its parts.
struct Candidate {
    rule: usize,
    parts: Vec<(usize, usize)>,
}

impl Candidate {
    fn start(&self) -> usize {
        self.parts.first().map_or(0, |part| part.0)
    }

    fn end(&self) -> usize {
        self.parts.last().map_or(0, |part| part.1)
    }

    fn bytes(&self) -> usize {
        self.parts
            .iter()
            .fold(0, |sum, (start, end)| sum.saturating_add(end.saturating_sub(*start)))
    }
}

/// The folded text with the starts of its clauses.
struct Page {
    folded: Folded,
    clauses: Vec<usize>,
}

impl Page {
    fn clause(&self, at: usize) -> usize {
        self.clauses.partition_point(|&start| start <= at)
    }

    fn between(&self, from: usize, to: usize) -> &str {
        self.folded.text().get(from..to).unwrap_or("")
    }

    /// Words, and characters written without spaces, between two places.
    fn steps(&self, from: usize, to: usize) -> usize {
        let mut steps = 0_usize;
        let mut in_word = false;
        for c in self.between(from, to).chars() {
            let word = is_word(c) || (in_word && c == '\'');
            if is_ideograph(c) || (word && !in_word) {
                steps = steps.saturating_add(1);
            }
            in_word = word;
        }
        steps
    }

    /// Whether a clause ends here, but for characters that say nothing.
    fn clause_ends(&self, at: usize) -> bool {
        let clause = self.clause(at.saturating_sub(1));
        let end = self.clauses.get(clause).copied().unwrap_or(self.folded.text().len());
        self.between(at, end).chars().all(|c| !is_word(c) && !is_ideograph(c))
    }
}

pub(super) fn read(classifier: &Classifier, text: &str) -> Classification {
    let folded = Folded::new(text);
    let hits = hits(classifier, folded.text());
    let clauses = clauses(classifier, folded.text(), &hits);
    let page = Page { folded, clauses };
    let cues = cues(classifier, &hits);
    let accepted = select(classifier, candidates(classifier, &page, &hits));
    // Words of denial that are part of a match ("does not work") deny nothing beside it; those that
    // reach into one ("没有" before "有异味") do.
    let free: Vec<Hit> = cues
        .into_iter()
        .filter(|cue| !accepted.iter().flat_map(|a| &a.parts).any(|p| cue.is_inside(p.0, p.1)))
        .collect();
    tags(classifier, &page, &free, &accepted)
}

/// Every literal that stands as a whole word, in the order of its start, longer ones first.
fn hits(classifier: &Classifier, text: &str) -> Vec<Hit> {
    let before = |at: usize| text.get(..at).and_then(|head| head.chars().next_back());
    let after = |at: usize| text.get(at..).and_then(|tail| tail.chars().next());
    let mut hits: Vec<Hit> = Vec::new();
    if let Ok(found) = classifier.automaton.try_find_overlapping_iter(text) {
        for found in found {
            let literal = found.pattern().as_usize();
            let (start, end) = (found.start(), found.end());
            let Some(used) = classifier.literals.get(literal) else { continue };
            let inside = (used.starts_a_word && before(start).is_some_and(is_word))
                || (used.ends_a_word && after(end).is_some_and(is_word));
            if !inside {
                hits.push(Hit { start, end, literal });
            }
        }
    }
    hits.sort_unstable_by_key(|hit| (hit.start, Reverse(hit.end), hit.literal));
    // What stands inside an exception ("差不多") is not there.
    let exceptions: Vec<Hit> = hits
        .iter()
        .copied()
        .filter(|hit| classifier.literals.get(hit.literal).is_some_and(|used| used.cue.exception))
        .collect();
    hits.retain(|hit| {
        let near = exceptions.partition_point(|exception| exception.start <= hit.start);
        !exceptions.iter().take(near).rev().take(8).any(|exception| {
            hit.end <= exception.end && (hit.start, hit.end) != (exception.start, exception.end)
        })
    });
    hits
}

/// The starts of all clauses but the first, ascending.
fn clauses(classifier: &Classifier, text: &str, hits: &[Hit]) -> Vec<usize> {
    let mut starts: Vec<usize> = Vec::new();
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let in_number = matches!(c, '.' | ',' | ':')
            && before.is_some_and(|c: char| c.is_ascii_digit())
            && next.is_some_and(|c| c.is_ascii_digit());
        let ends = matches!(
            c,
            '.' | ',' | ';' | ':' | '!' | '?' | '\n' | '。' | '…' | '—' | '~' | '(' | ')' | '｡'
        );
        if ends && !in_number {
            starts.push(at.saturating_add(c.len_utf8()));
        }
        before = Some(c);
    }
    // A dividing word inside a longer match ("没几天就坏") divides nothing.
    let mut reach = 0;
    for hit in hits {
        let Some(used) = classifier.literals.get(hit.literal) else { continue };
        if used.cue.boundary && hit.end > reach {
            starts.push(hit.start);
        }
        if !used.rules.is_empty() || used.cue.exception {
            reach = reach.max(hit.end);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Words of denial and doubt; the longest at each place hides the others.
fn cues(classifier: &Classifier, hits: &[Hit]) -> Vec<Hit> {
    let mut cues: Vec<Hit> = Vec::new();
    let competing = hits
        .iter()
        .filter(|hit| classifier.literals.get(hit.literal).is_some_and(|used| used.cue.competes()));
    for hit in competing {
        if cues.last().is_none_or(|last| last.end <= hit.start) {
            cues.push(*hit);
        }
    }
    cues
}

/// Every pattern whose parts stand in order, near each other, in one clause.
fn candidates(classifier: &Classifier, page: &Page, hits: &[Hit]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (position, hit) in hits.iter().enumerate() {
        let Some(used) = classifier.literals.get(hit.literal) else { continue };
        for &(rule, part) in &used.rules {
            if part != 0 {
                continue;
            }
            let wanted = classifier.rules.get(rule).map_or(1, |rule| rule.parts);
            let mut parts = alloc::vec![(hit.start, hit.end)];
            let mut end = hit.end;
            let later = hits.get(position.saturating_add(1)..).unwrap_or(&[]);
            for next in later {
                if parts.len() >= wanted || next.start > end.saturating_add(WINDOW) {
                    break;
                }
                let fits = next.start >= end
                    && classifier
                        .literals
                        .get(next.literal)
                        .is_some_and(|used| used.rules.contains(&(rule, parts.len())))
                    && page.clause(next.start) == page.clause(hit.start)
                    && page.steps(end, next.start) <= PART_REACH;
                if fits {
                    parts.push((next.start, next.end));
                    end = next.end;
                }
            }
            if parts.len() == wanted {
                found.push(Candidate { rule, parts });
            }
        }
    }
    found
}

/// Leftmost first, then the longest, then the more special dictionary; no two share a word.
fn select(classifier: &Classifier, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let tier = |rule: usize| classifier.rules.get(rule).map(|rule| rule.tier);
    candidates.sort_by_key(|c| (c.start(), Reverse(c.bytes()), Reverse(tier(c.rule)), c.rule));
    let mut used: BTreeMap<usize, usize> = BTreeMap::new();
    candidates.retain(|candidate| {
        let free = candidate.parts.iter().all(|&(start, end)| {
            used.range(..end).next_back().is_none_or(|(_, &used_end)| used_end <= start)
        });
        if free {
            used.extend(candidate.parts.iter().copied());
        }
        free
    });
    candidates
}

/// Why a match does not count, if it does not: an odd number of denials reach it, or it is supposed.
fn dismissal(
    classifier: &Classifier,
    page: &Page,
    cues: &[Hit],
    found: &Candidate,
) -> Option<Dismissal> {
    let (start, end) = (found.start(), found.end());
    let clause = page.clause(start);
    let (mut denials, mut supposed) = (0_usize, false);
    let first = cues.partition_point(|cue| cue.end.saturating_add(WINDOW) < start);
    let near = cues.iter().skip(first).take_while(|cue| cue.start <= end.saturating_add(WINDOW));
    for cue in near.filter(|cue| page.clause(cue.start) == clause) {
        let Some(used) = classifier.literals.get(cue.literal) else { continue };
        let next = found
            .parts
            .iter()
            .map(|part| part.0)
            .find(|&start| cue.start < start && start <= cue.end.saturating_add(WINDOW));
        let reaches = |reach: Option<u8>| {
            reach
                .zip(next)
                .is_some_and(|(reach, next)| page.steps(cue.end, next) <= usize::from(reach))
        };
        let denies_before = used.cue.negates_before.is_some_and(|reach| {
            cue.start >= end
                && page.steps(end, cue.start) <= usize::from(reach)
                && page.clause_ends(cue.end)
        });
        if reaches(used.cue.negates) || denies_before {
            denials = denials.saturating_add(1);
        }
        supposed |= reaches(used.cue.supposes);
    }
    if denials % 2 == 1 { Some(Dismissal::Denied) } else { supposed.then_some(Dismissal::Possible) }
}

fn tags(
    classifier: &Classifier,
    page: &Page,
    cues: &[Hit],
    accepted: &[Candidate],
) -> Classification {
    let mut read = Classification::default();
    let mut tags: BTreeMap<&ReasonCode, Tag> = BTreeMap::new();
    for found in accepted {
        let Some(rule) = classifier.rules.get(found.rule) else { continue };
        let spans: Vec<Range<usize>> =
            found.parts.iter().map(|&(start, end)| page.folded.original(&(start..end))).collect();
        let matched = Matched { pattern: rule.pattern.clone(), spans, weight: rule.weight };
        let code = rule.code.clone();
        if let Some(why) = dismissal(classifier, page, cues, found) {
            read.dismissed.push(Dismissed { code, matched, why });
            continue;
        }
        let tag =
            tags.entry(&rule.code).or_insert_with(|| Tag { code, score: 0, matches: Vec::new() });
        if tag.matches.iter().all(|before| before.pattern != matched.pattern) {
            tag.score = tag.score.saturating_add(rule.weight);
        }
        tag.matches.push(matched);
    }
    read.tags = tags.into_values().collect();
    let first =
        |tag: &Tag| tag.matches.first().and_then(|m| m.spans.first()).map_or(0, |span| span.start);
    read.tags.sort_by(|a, b| (b.score, first(a), &a.code).cmp(&(a.score, first(b), &b.code)));
    read
}
