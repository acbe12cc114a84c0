//! What stands in a section of the page: text, tables, callouts, explained decisions, figures.

use super::charts::Chart;
use super::text::{escape, inline};

/// The mood of a tile, a callout or a mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to say.
    #[default]
    Plain,
    /// Worth knowing.
    Note,
    /// As it should be.
    Good,
    /// Look here.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Note => "note",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// The content of a section, written from top to bottom.
#[derive(Debug)]
pub struct Body {
    html: String,
    prefix: String,
    figures: usize,
}

/// How much of the page a figure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Full,
    Half,
}

impl Body {
    /// An empty body; the prefix keeps the ids of its figures apart from those of others.
    pub fn new(prefix: &str) -> Self {
        Self { html: String::new(), prefix: escape(prefix), figures: 0 }
    }

    /// The markup so far.
    pub fn into_html(self) -> String {
        self.html
    }

    /// A paragraph; `` `code` `` and `**strong**` are marked up.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.html.push_str(&format!("<p>{}</p>\n", inline(text)));
        self
    }

    /// Small print.
    pub fn small(&mut self, text: &str) -> &mut Self {
        self.html.push_str(&format!("<p class=\"small\">{}</p>\n", inline(text)));
        self
    }

    /// A heading within the section.
    pub fn heading(&mut self, text: &str) -> &mut Self {
        self.html.push_str(&format!("<h3>{}</h3>\n", escape(text)));
        self
    }

    /// A list of points.
    pub fn list<S: AsRef<str>>(&mut self, points: &[S]) -> &mut Self {
        self.html.push_str("<ul>");
        for point in points {
            self.html.push_str(&format!("<li>{}</li>", inline(point.as_ref())));
        }
        self.html.push_str("</ul>\n");
        self
    }

    /// A boxed remark.
    pub fn callout(&mut self, tone: Tone, title: &str, text: &str) -> &mut Self {
        let (class, title, text) = (tone.class(), escape(title), inline(text));
        self.html.push_str(&format!(
            "<aside class=\"callout {class}\"><strong>{title}</strong><p>{text}</p></aside>\n"
        ));
        self
    }

    /// A figure over the whole width, with its caption.
    pub fn figure(&mut self, chart: &dyn Chart, caption: &str) -> &mut Self {
        let figure = self.drawn(chart, caption, Room::Full);
        self.html.push_str(&figure);
        self
    }

    /// Figures side by side; below each other on a phone.
    pub fn figures(&mut self, charts: &[(&dyn Chart, &str)]) -> &mut Self {
        self.html.push_str("<div class=\"pair\">\n");
        for (chart, caption) in charts {
            let figure = self.drawn(*chart, caption, Room::Half);
            self.html.push_str(&figure);
        }
        self.html.push_str("</div>\n");
        self
    }

    /// The chart drawn twice, for a desk and for a phone; the style sheet shows one of them.
    fn drawn(&mut self, chart: &dyn Chart, caption: &str, room: Room) -> String {
        self.figures += 1;
        let id = format!("{}f{}", self.prefix, self.figures);
        let wide = chart.svg(if room == Room::Full { 1000.0 } else { 500.0 }, &format!("{id}w"));
        let narrow = chart.svg(380.0, &format!("{id}n"));
        let title = escape(chart.title());
        let caption = inline(caption);
        format!(
            "<figure><h4>{title}</h4><div class=\"wide\">{wide}</div><div class=\"narrow\">{narrow}</div><figcaption>{caption}</figcaption></figure>\n"
        )
    }

    /// A table; on a narrow screen many numbers are stacked, and much text scrolls sideways.
    pub fn table(&mut self, table: &Table) -> &mut Self {
        self.html.push_str(&table.html());
        self
    }

    /// A part that opens on a click.
    pub fn fold(&mut self, summary: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.html.push_str(&format!("<details><summary>{}</summary>\n", inline(summary)));
        fill(self);
        self.html.push_str("</details>\n");
        self
    }

    /// A decision with all its findings.
    pub fn decision(&mut self, decision: &Decision) -> &mut Self {
        self.html.push_str(&decision.html());
        self
    }
}

/// A table: heads, rows, and which columns hold numbers.
#[derive(Debug, Default)]
pub struct Table {
    caption: String,
    heads: Vec<(String, bool)>,
    rows: Vec<(Tone, bool, Vec<String>)>,
}

/// From how many columns on a table of numbers is stacked on a phone.
const STACKED_FROM: usize = 5;

impl Table {
    /// A table; a head that starts with `#` stands over a column of numbers.
    pub fn new(caption: &str, heads: &[&str]) -> Self {
        let head = |text: &&str| {
            text.strip_prefix('#')
                .map_or(((*text).to_owned(), false), |rest| (rest.to_owned(), true))
        };
        Self { caption: caption.into(), heads: heads.iter().map(head).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        self.toned(Tone::Plain, cells)
    }

    /// Adds a row with a mood.
    pub fn toned<S: Into<String>>(
        &mut self,
        tone: Tone,
        cells: impl IntoIterator<Item = S>,
    ) -> &mut Self {
        self.rows.push((tone, false, cells.into_iter().map(Into::into).collect()));
        self
    }

    /// Adds the row of totals.
    pub fn total<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        self.rows.push((Tone::Plain, true, cells.into_iter().map(Into::into).collect()));
        self
    }

    /// Whether each row is a name and many numbers: on a phone they stand below the name, each beside
    /// its head.
    fn is_stacked(&self) -> bool {
        let numbers = self.heads.iter().skip(1);
        self.heads.len() >= STACKED_FROM && numbers.into_iter().all(|(_, number)| *number)
    }

    fn html(&self) -> String {
        let caption = escape(&self.caption);
        let stacked = self.is_stacked();
        let class = if stacked { "table stacked" } else { "table" };
        let mut html = format!("<div class=\"{class}\">");
        if !caption.is_empty() {
            html.push_str(&format!("<div class=\"cap\">{caption}</div>"));
        }
        let label = if caption.is_empty() { "Table" } else { &caption };
        html.push_str(&format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table>"
        ));
        html.push_str("<thead><tr>");
        for (head, number) in &self.heads {
            let class = if *number { " class=\"n\"" } else { "" };
            html.push_str(&format!("<th scope=\"col\"{class}>{}</th>", escape(head)));
        }
        html.push_str("</tr></thead><tbody>\n");
        for (tone, total, cells) in &self.rows {
            let total = if *total { " total" } else { "" };
            html.push_str(&format!("<tr class=\"{}{total}\">", tone.class()));
            for (cell, (head, number)) in cells.iter().zip(&self.heads) {
                let class = if *number { " class=\"n\"" } else { "" };
                let name = match (stacked, *number) {
                    (true, true) => format!(" data-head=\"{}\"", escape(head)),
                    _ => String::new(),
                };
                html.push_str(&format!("<td{class}{name}>{}</td>", inline(cell)));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div></div>\n");
        html
    }
}

/// A decision as the page shows it: the verdict, the case in one line, and every finding.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// The mood of the verdict.
    pub tone: Tone,
    /// The verdict in a word or two.
    pub verdict: String,
    /// The case in one line.
    pub case: String,
    /// Further facts, as name and value.
    pub facts: Vec<(String, String)>,
    /// What each rule had to say, in the order asked.
    pub findings: Vec<Finding>,
    /// Whether it is shown open.
    pub open: bool,
}

/// What one rule had to say.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The mood of the effect.
    pub tone: Tone,
    /// The effect: permits, denies, sets.
    pub effect: String,
    /// The rule and what it looked at.
    pub rule: String,
    /// What was found; may be empty.
    pub observed: String,
    /// What was required; may be empty.
    pub required: String,
    /// Where the rule is written; may be empty.
    pub source: String,
}

impl Decision {
    fn html(&self) -> String {
        let open = if self.open { " open" } else { "" };
        let (tone, verdict, case) = (self.tone.class(), escape(&self.verdict), inline(&self.case));
        let mut html = format!(
            "<details class=\"decision\"{open}><summary><span class=\"pill {tone}\">{verdict}</span> <span>{case}</span></summary>"
        );
        if !self.facts.is_empty() {
            html.push_str("<dl>");
            for (name, value) in &self.facts {
                html.push_str(&format!(
                    "<div><dt>{}</dt><dd>{}</dd></div>",
                    escape(name),
                    inline(value)
                ));
            }
            html.push_str("</dl>");
        }
        html.push_str("<ol class=\"findings\">");
        for finding in &self.findings {
            html.push_str(&finding.html());
        }
        html.push_str("</ol></details>\n");
        html
    }
}

impl Finding {
    fn html(&self) -> String {
        let mut html = format!(
            "<li><span class=\"pill {}\">{}</span><div><strong>{}</strong>",
            self.tone.class(),
            escape(&self.effect),
            inline(&self.rule)
        );
        for (name, value) in [("observed", &self.observed), ("required", &self.required)] {
            if !value.is_empty() {
                html.push_str(&format!(
                    " <span class=\"fact\"><i>{name}</i> {}</span>",
                    inline(value)
                ));
            }
        }
        if !self.source.is_empty() {
            html.push_str(&format!("<small>{}</small>", inline(&self.source)));
        }
        html.push_str("</div></li>");
        html
    }
}
