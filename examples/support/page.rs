//! One self-contained HTML page: no script, no font, no picture from elsewhere.

use super::body::{Body, Tone};
use super::text::{escape, inline};

const STYLE: &str = include_str!("style.css");

/// A page, built from top to bottom.
#[derive(Debug)]
pub struct Page {
    language: String,
    title: String,
    kicker: String,
    lede: String,
    tiles: Vec<Tile>,
    sections: Vec<(String, String, String)>,
    footer: Vec<String>,
}

/// One key figure at the head of the page.
#[derive(Clone, Debug, Default)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// The figure.
    pub value: String,
    /// What to compare it with.
    pub note: String,
    /// Its mood.
    pub tone: Tone,
}

impl Tile {
    /// A plain figure.
    pub fn new(label: &str, value: &str, note: &str) -> Self {
        Self { label: label.into(), value: value.into(), note: note.into(), tone: Tone::Plain }
    }

    /// With a mood.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl Page {
    /// An empty page; the language is a tag such as `en` or `zh-Hans`.
    pub fn new(language: &str, kicker: &str, title: &str, lede: &str) -> Self {
        Self {
            language: language.into(),
            title: title.into(),
            kicker: kicker.into(),
            lede: lede.into(),
            tiles: Vec::new(),
            sections: Vec::new(),
            footer: Vec::new(),
        }
    }

    /// Adds a key figure.
    pub fn tile(&mut self, tile: Tile) -> &mut Self {
        self.tiles.push(tile);
        self
    }

    /// Adds a section: a short name for the menu, a heading that says what is to be learnt, content.
    pub fn section(
        &mut self,
        name: &str,
        heading: &str,
        fill: impl FnOnce(&mut Body),
    ) -> &mut Self {
        let mut body = Body::new(&format!("s{}", self.sections.len() + 1));
        fill(&mut body);
        self.sections.push((name.into(), heading.into(), body.into_html()));
        self
    }

    /// Adds a line to the foot: sources, licence, how it was made.
    pub fn footer(&mut self, line: &str) -> &mut Self {
        self.footer.push(line.into());
        self
    }

    /// The whole page.
    pub fn render(&self) -> String {
        let (language, title) = (escape(&self.language), escape(&self.title));
        let mut html = format!(
            "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header class=\"top\"><div class=\"in\">\n\
             <p class=\"kicker\">{}</p>\n<h1>{title}</h1>\n<p class=\"lede\">{}</p>\n",
            inline(&self.kicker),
            inline(&self.lede)
        );
        self.push_tiles(&mut html);
        html.push_str("</div></header>\n");
        self.push_menu(&mut html);
        html.push_str("<main class=\"in\">\n");
        for (position, (name, heading, body)) in self.sections.iter().enumerate() {
            let number = position + 1;
            html.push_str(&format!(
                "<section id=\"s{number}\" aria-labelledby=\"s{number}h\">\n<p class=\"kicker\">{number} · {}</p>\n<h2 id=\"s{number}h\">{}</h2>\n{body}</section>\n",
                escape(name), inline(heading)
            ));
        }
        html.push_str("</main>\n<footer class=\"in\">\n");
        for line in &self.footer {
            html.push_str(&format!("<p>{}</p>\n", inline(line)));
        }
        html.push_str("</footer>\n</body>\n</html>\n");
        html
    }

    fn push_tiles(&self, html: &mut String) {
        if self.tiles.is_empty() {
            return;
        }
        html.push_str("<dl class=\"tiles\">\n");
        for tile in &self.tiles {
            html.push_str(&format!(
                "<div class=\"tile {}\"><dt>{}</dt><dd>{}</dd><dd class=\"under\">{}</dd></div>\n",
                tile.tone.class(),
                escape(&tile.label),
                escape(&tile.value),
                inline(&tile.note)
            ));
        }
        html.push_str("</dl>\n");
    }

    fn push_menu(&self, html: &mut String) {
        if self.sections.len() < 3 {
            return;
        }
        let label = if self.language.starts_with("zh") { "章节" } else { "Sections" };
        html.push_str(&format!("<nav aria-label=\"{label}\"><div class=\"in\">"));
        for (position, (name, _, _)) in self.sections.iter().enumerate() {
            html.push_str(&format!("<a href=\"#s{}\">{}</a>", position + 1, escape(name)));
        }
        html.push_str("</div></nav>\n");
    }
}
