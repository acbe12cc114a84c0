//! Any text inside a drawing or a document: Mermaid, Graphviz DOT, XML.
//!
//! Names come from hosts, and some are hostile. Each function gives what shows the same text and
//! cannot end or open anything; a line break becomes a space.

use alloc::string::String;
use core::fmt::Write as _;

/// A text in a Mermaid label, quoted or after a colon. What Mermaid or Markdown would read as a mark
/// is written as a character code, which viewers show as the character.
///
/// ```
/// use aftersale::markup::mermaid;
/// assert_eq!(mermaid("lot A-7, 4 kg"), "lot A-7, 4 kg");
/// assert_eq!(mermaid("\"B\"; <end>"), "#34;B#34;#59; #60;end#62;");
/// assert_eq!(mermaid("snake_case, _stressed_"), "snake_case, #95;stressed#95;");
/// assert_eq!(mermaid("direction LR"), "direction#32;LR");
/// ```
#[must_use]
pub fn mermaid(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // An underscore inside a word is one; at its edge it would stress the word.
        let edge = |next: Option<&char>| {
            !before.is_alphanumeric() || !next.is_some_and(|next| next.is_alphanumeric())
        };
        let mark = match c {
            '"' | '#' | '$' | '%' | '&' | '*' | ':' | ';' | '<' | '>' | '@' | '\\' | '^' | '`'
            | '{' | '}' | '~' => true,
            '_' => edge(rest.peek()),
            // `direction LR` is an order to Mermaid wherever it stands.
            c if c.is_whitespace() => ends_with_direction(&safe),
            _ => false,
        };
        if mark {
            // Writing to a String cannot fail.
            let _ = write!(safe, "#{};", u32::from(shown(c)));
        } else {
            safe.push(shown(c));
        }
        before = c;
    }
    safe
}

fn ends_with_direction(text: &str) -> bool {
    let word = "direction";
    let end = text.len().checked_sub(word.len()).and_then(|from| text.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// A text in a double-quoted string of Graphviz DOT.
///
/// ```
/// use aftersale::markup::dot;
/// assert_eq!(dot(r#"4" pipe \ A&amp;B"#), r#"4\" pipe \\ A&amp;amp;B"#);
/// ```
#[must_use]
pub fn dot(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            // Graphviz reads the entities of HTML in any string.
            '&' => safe.push_str("&amp;"),
            c => safe.push(shown(c)),
        }
    }
    safe
}

/// A text inside an element or a quoted attribute of XML 1.0.
///
/// ```
/// use aftersale::markup::xml;
/// assert_eq!(xml("<Anna & \"Bo\">"), "&lt;Anna &amp; &quot;Bo&quot;&gt;");
/// ```
#[must_use]
pub fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            c => safe.push(shown(c)),
        }
    }
    safe
}

/// What breaks a line, or is no character of a document, is a space.
fn shown(c: char) -> char {
    let unseen = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    if unseen { ' ' } else { c }
}
