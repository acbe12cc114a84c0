//! Escaping, and numbers as people read them: `1,234.56`, `8.43 %`, `10.6 M`.

/// Makes a text safe inside HTML and SVG, in content and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// Escapes a text and turns `` `code` `` and `**strong**` into markup; unpaired marks stay as they are.
pub fn inline(text: &str) -> String {
    let code = pairs(&escape(text), "`", "code");
    pairs(&code, "**", "strong")
}

fn pairs(text: &str, mark: &str, tag: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        let Some((inside, next)) = after.split_once(mark) else { break };
        out.push_str(&format!("{before}<{tag}>{inside}</{tag}>"));
        rest = next;
    }
    out.push_str(rest);
    out
}

/// A whole number with thousands separators: `541,909`.
pub fn count(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    if number < 0 {
        grouped.push('−');
    }
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// An amount given in smallest units, exact: `minor(89681249, 2)` is `896,812.49`.
pub fn minor(amount: i128, digits: u32) -> String {
    let unit = 10_u128.pow(digits);
    let (whole, rest) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    let sign = if amount < 0 { "−" } else { "" };
    let whole = count(i128::try_from(whole).unwrap_or(i128::MAX));
    if digits == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{rest:0width$}", width = digits as usize)
}

/// A share of two exact amounts in percent, rounded half up in whole numbers: `percent(1, 3, 2)` is
/// `33.33 %`; nothing of nothing is `–`.
pub fn percent(part: i128, whole: i128, digits: u32) -> String {
    if whole == 0 {
        return "–".into();
    }
    let scale = 100 * 10_i128.pow(digits);
    let (top, bottom) = (2 * part * scale * whole.signum(), 2 * whole.abs());
    let rounded = (top + whole.abs()).div_euclid(bottom);
    format!("{} %", minor(rounded, digits))
}

/// How a chart writes its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    /// Whole things: `1,234`.
    Count,
    /// A share from 0 to 1, with this many decimals: `8.43 %`.
    Percent(usize),
    /// An amount of money behind its sign, with this many decimals: `£1,234`.
    Money(&'static str, usize),
    /// A plain number with this many decimals and a unit behind it: `3.5 h`.
    Plain(usize, &'static str),
}

impl Format {
    /// The number in full, for labels and tips.
    pub fn full(self, value: f64) -> String {
        match self {
            Self::Count => decimals(value, 0),
            Self::Percent(digits) => format!("{} %", decimals(value * 100.0, digits)),
            Self::Money(sign, digits) => {
                signed(value, |v| format!("{sign}{}", decimals(v, digits)))
            }
            Self::Plain(digits, "") => decimals(value, digits),
            Self::Plain(digits, unit) => format!("{} {unit}", decimals(value, digits)),
        }
    }

    /// The number as short as an axis wants it: `£350 k`, `8 %`.
    pub fn short(self, value: f64) -> String {
        match self {
            Self::Percent(_) => format!("{} %", trimmed(value * 100.0, 2)),
            Self::Money(sign, _) => signed(value, |v| format!("{sign}{}", scaled(v))),
            Self::Count => scaled(value),
            Self::Plain(_, "") => scaled(value),
            Self::Plain(_, unit) => format!("{} {unit}", scaled(value)),
        }
    }
}

fn signed(value: f64, write: impl Fn(f64) -> String) -> String {
    if value < 0.0 { format!("−{}", write(-value)) } else { write(value) }
}

fn scaled(value: f64) -> String {
    signed(value, |v| {
        if v >= 999_500.0 {
            format!("{} M", trimmed(v / 1e6, if v >= 9_950_000.0 { 1 } else { 2 }))
        } else if v >= 1_000.0 {
            format!("{} k", trimmed(v / 1e3, 1))
        } else {
            trimmed(v, 2)
        }
    })
}

/// A number with thousands separators and a fixed number of decimals.
pub fn decimals(value: f64, digits: usize) -> String {
    signed(value, |v| {
        let text = format!("{v:.digits$}");
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.parse::<i128>().map_or_else(|_| whole.to_owned(), count);
        if rest.is_empty() { whole } else { format!("{whole}.{rest}") }
    })
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = decimals(value, digits);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The columns a letter takes in a terminal: two for Chinese and other wide letters, one otherwise.
pub fn columns(letter: char) -> usize {
    let wide = matches!(letter as u32,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD);
    if wide { 2 } else { 1 }
}

/// The columns a text takes in a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// A text cut to so many columns, with `…` when something is missing.
pub fn shorten(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for letter in text.chars() {
        used += columns(letter);
        if used > room {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

/// A text broken into lines of at most so many columns, at blanks, or anywhere in Chinese text.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(&word) <= room {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(&word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        while width(&word) > room {
            let mut used = 0;
            let cut = word.char_indices().find_map(|(at, letter)| {
                used += columns(letter);
                (used > room && at > 0).then_some(at)
            });
            let Some(cut) = cut else { break };
            let rest = word.split_off(cut);
            lines.push(std::mem::replace(&mut word, rest));
        }
        line = word;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
