//! Analytics alone: counting, merging, screening, scanning, reading notes. `cargo bench --bench analytics`.

use aftersale::analytics::alarm::{Options, Series, screen};
use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::grid::Grid;
use aftersale::analytics::measure::{Sum, Timed};
use aftersale::analytics::rate::Proportion;
use aftersale::analytics::tally::{Dimension, Facets, Tally};
use aftersale::analytics::words::{Keyness, TermCounts, emerging};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

const SIZES: [u32; 4] = [24, 40, 6, 16];

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn part(&mut self, whole: u64, per_thousand: u64) -> Proportion {
        let part = (0..whole).filter(|_| self.below(1000) < per_thousand).count() as u64;
        Proportion::new(part, whole).unwrap()
    }
}

type Row = ([u32; 4], i64, u64);

fn rows(count: usize) -> Vec<Row> {
    let mut random = Random(8);
    (0..count)
        .map(|_| {
            let codes = SIZES.map(|size| random.below(u64::from(size)) as u32);
            (codes, random.below(40_000) as i64, 60 + random.below(400) * random.below(400))
        })
        .collect()
}

#[divan::bench(sample_count = 5)]
fn count_and_sum_a_million_rows(bencher: Bencher) {
    let rows = rows(1_000_000);
    bencher.counter(ItemsCount::new(rows.len())).bench(|| {
        let mut grid: Grid<Sum, 4> = Grid::new(SIZES).unwrap();
        for (codes, cents, _) in &rows {
            grid.cell(*codes).unwrap().observe(*cents).unwrap();
        }
        grid
    });
}

#[divan::bench(sample_count = 5)]
fn count_sum_and_p90_of_a_million_rows(bencher: Bencher) {
    let rows = rows(1_000_000);
    bencher.counter(ItemsCount::new(rows.len())).bench(|| {
        let mut grid: Grid<Timed, 4> = Grid::new(SIZES).unwrap();
        for (codes, cents, seconds) in &rows {
            let cell = grid.cell(*codes).unwrap();
            cell.sum.observe(*cents).unwrap();
            cell.histogram.observe(*seconds).unwrap();
        }
        grid.cells().filter_map(|(_, cell)| cell.histogram.percentile(90)).sum::<u64>()
    });
}

#[divan::bench(sample_count = 10)]
fn merge_a_hundred_stored_shards_of_ten_thousand_rows(bencher: Bencher) {
    let shards: Vec<Vec<u8>> = rows(1_000_000)
        .chunks(10_000)
        .map(|part| {
            let mut grid: Grid<Timed, 4> = Grid::new(SIZES).unwrap();
            let rows = part.iter().map(|(codes, cents, seconds)| (*codes, (*cents, *seconds)));
            grid.observe_all(rows).unwrap();
            grid.to_bytes()
        })
        .collect();
    bencher.bench(|| {
        let mut grid: Grid<Timed, 4> = Grid::new(SIZES).unwrap();
        grid.merge_shards(shards.iter().map(Vec::as_slice)).unwrap();
        grid
    });
}

/// Rows by text: what [`Tally`] costs beside a grid of codes.
#[divan::bench(sample_count = 5)]
fn tally_a_hundred_thousand_rows_by_four_texts(bencher: Bencher) {
    let dimensions =
        [Dimension::Period, Dimension::Category, Dimension::Channel, Dimension::Reason];
    let rows: Vec<(Facets, i64)> = rows(100_000)
        .iter()
        .map(|(codes, cents, _)| {
            let named = dimensions.iter().zip(codes);
            let facets = named.fold(Facets::new(), |facets, (dimension, code)| {
                facets.with(*dimension, format!("code-{code}")).unwrap()
            });
            (facets, *cents)
        })
        .collect();
    bencher.counter(ItemsCount::new(rows.len())).bench(|| {
        let mut tally: Tally<Sum> = Tally::new(&dimensions, 100_000).unwrap();
        for (facets, cents) in &rows {
            tally.cell(facets).unwrap().observe(*cents).unwrap();
        }
        tally
    });
}

#[divan::bench(sample_count = 10)]
fn screen_ten_thousand_series(bencher: Bencher) {
    let mut random = Random(5);
    let family: Vec<Series<u32>> = (0..10_000)
        .map(|key| Series {
            key,
            past: (0..18).map(|_| random.part(100, 50)).collect(),
            now: random.part(100, if key < 30 { 200 } else { 50 }),
            cost_per_return: None,
        })
        .collect();
    bencher.bench(|| screen(&family, &Options::default()).unwrap());
}

#[divan::bench(sample_count = 20)]
fn scan_192_leaves(bencher: Bencher) {
    let mut random = Random(6);
    let leaves: Vec<Leaf> = (0..192)
        .map(|code| {
            let codes = vec![code / 24, code / 6 % 4, code % 6];
            let after = if codes[0] == 3 && codes[2] == 2 { 130 } else { 50 };
            Leaf { codes, before: random.part(400, 50), after: random.part(400, after) }
        })
        .collect();
    bencher.bench(|| scan(&[8, 4, 6], &leaves, &Scan::default()).unwrap());
}

#[divan::bench(sample_count = 5)]
fn read_a_thousand_notes(bencher: Bencher) {
    let notes: Vec<String> = (0..1000)
        .map(|n| format!("第{n}单：收到的夹克拉链坏了，袖口也脱线，客服态度还可以。 zipper broken, sleeve {n} too long"))
        .collect();
    bencher.counter(ItemsCount::new(notes.len())).bench(|| {
        let mut counts = TermCounts::default();
        notes.iter().for_each(|note| counts.observe(note).unwrap());
        emerging(&counts, &TermCounts::default(), &Keyness::default())
    });
}
