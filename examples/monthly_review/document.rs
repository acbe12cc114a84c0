//! One document, shown twice: as a page and in the terminal.

use aftersale::chart::ChartData;

use crate::draw::picture;
use crate::support::body::{Body, Table, Tone};
use crate::support::charts::Chart;
use crate::support::page::{Page, Tile};
use crate::support::terminal::{Columns, Side, heading, paragraph, title};

/// A table; heads that start with `#` stand over numbers.
#[derive(Debug)]
pub struct Grid {
    pub caption: String,
    pub heads: Vec<String>,
    pub rows: Vec<(Tone, Vec<String>)>,
}

/// What stands in a section.
#[derive(Debug)]
pub enum Block {
    Text(String),
    Small(String),
    Callout(Tone, String, String),
    Grid(Grid),
    Figure(ChartData, String),
    Pair(Vec<(ChartData, String)>),
}

/// A section.
#[derive(Debug)]
pub struct Section {
    pub name: String,
    pub heading: String,
    pub blocks: Vec<Block>,
}

impl Section {
    /// The charts, to give their parts other names.
    pub fn charts_mut(&mut self) -> impl Iterator<Item = &mut ChartData> {
        self.blocks.iter_mut().flat_map(|block| match block {
            Block::Figure(chart, _) => vec![chart],
            Block::Pair(charts) => charts.iter_mut().map(|(chart, _)| chart).collect(),
            _ => Vec::new(),
        })
    }
}

/// The whole review.
#[derive(Debug)]
pub struct Document {
    pub language: &'static str,
    pub kicker: String,
    pub title: String,
    pub lede: String,
    pub tiles: Vec<Tile>,
    pub sections: Vec<Section>,
    pub footer: Vec<String>,
}

impl Document {
    /// The charts, for those who draw them elsewhere.
    pub fn charts(&self) -> impl Iterator<Item = &ChartData> {
        self.sections.iter().flat_map(|section| &section.blocks).flat_map(|block| match block {
            Block::Figure(chart, _) => vec![chart],
            Block::Pair(charts) => charts.iter().map(|(chart, _)| chart).collect(),
            _ => Vec::new(),
        })
    }

    /// The page.
    pub fn page(&self) -> String {
        let mut page = Page::new(self.language, &self.kicker, &self.title, &self.lede);
        for tile in &self.tiles {
            page.tile(tile.clone());
        }
        for section in &self.sections {
            page.section(&section.name, &section.heading, |body| {
                section.blocks.iter().for_each(|block| on_page(body, block));
            });
        }
        for line in &self.footer {
            page.footer(line);
        }
        page.render()
    }

    /// The terminal.
    pub fn terminal(&self) -> String {
        let mut text = title(&self.title);
        text.push_str(&paragraph(&self.lede));
        let mut tiles = Columns::new(&[("", Side::Left), ("", Side::Right), ("", Side::Left)]);
        for tile in &self.tiles {
            tiles.row([&tile.label, &tile.value, &tile.note]);
        }
        text.push('\n');
        text.push_str(&tiles.render());
        for section in &self.sections {
            text.push_str(&heading(&section.heading));
            for block in &section.blocks {
                in_terminal(&mut text, block, if self.language == "en" { ": " } else { "：" });
            }
        }
        text.replace("**", "").replace('`', "")
    }
}

fn on_page(body: &mut Body, block: &Block) {
    match block {
        Block::Text(text) => {
            body.text(text);
        }
        Block::Small(text) => {
            body.small(text);
        }
        Block::Callout(tone, head, text) => {
            body.callout(*tone, head, text);
        }
        Block::Grid(grid) => {
            let heads: Vec<&str> = grid.heads.iter().map(String::as_str).collect();
            let mut table = Table::new(&grid.caption, &heads);
            for (tone, cells) in &grid.rows {
                table.toned(*tone, cells.iter().map(String::as_str));
            }
            body.table(&table);
        }
        Block::Figure(chart, caption) => {
            body.figure(&*picture(chart), caption);
        }
        Block::Pair(charts) => {
            let drawn: Vec<Box<dyn Chart>> =
                charts.iter().map(|(chart, _)| picture(chart)).collect();
            let pairs: Vec<(&dyn Chart, &str)> = drawn
                .iter()
                .zip(charts)
                .map(|(chart, (_, caption))| (&**chart, caption.as_str()))
                .collect();
            body.figures(&pairs);
        }
    }
}

fn in_terminal(text: &mut String, block: &Block, colon: &str) {
    match block {
        Block::Text(words) => text.push_str(&paragraph(words)),
        Block::Callout(_, head, words) => {
            text.push_str(&paragraph(&format!("{head}{colon}{words}")));
        }
        Block::Grid(grid) => {
            let heads: Vec<(&str, Side)> = grid
                .heads
                .iter()
                .map(|head| {
                    head.strip_prefix('#').map_or((head.as_str(), Side::Left), |h| (h, Side::Right))
                })
                .collect();
            let mut columns = Columns::new(&heads);
            for (_, cells) in &grid.rows {
                columns.row(cells.iter().map(String::as_str));
            }
            text.push_str(&format!("\n  {}\n", grid.caption));
            text.push_str(&columns.render());
            text.push('\n');
        }
        // Pictures stay on the page; their numbers stand in the tables.
        Block::Small(_) | Block::Figure(..) | Block::Pair(_) => {}
    }
}
