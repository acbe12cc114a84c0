//! A small strict reader of XML: enough to tell whether an export is well-formed and says what it should.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    pub fn all<'a>(&'a self, name: &str) -> Vec<&'a Element> {
        self.children.iter().filter(|child| child.name == name).collect()
    }

    pub fn only<'a>(&'a self, name: &str) -> &'a Element {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{} of `{name}` in `{}`", all.len(), self.name);
        all[0]
    }

    pub fn get(&self, attribute: &str) -> &str {
        &self.attributes[attribute]
    }

    /// The value of a keyed attribute of a log, such as `concept:name`.
    pub fn keyed(&self, key: &str) -> Option<&str> {
        let found =
            self.children.iter().find(|c| c.attributes.get("key").is_some_and(|k| k == key));
        found.map(|child| child.get("value"))
    }
}

fn plain(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let end = rest[at..].find(';').expect("an entity ends") + at;
        plain.push(match &rest[at + 1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => panic!("unknown entity {other}"),
        });
        rest = &rest[end + 1..];
    }
    plain + rest
}

/// Reads a document; panics where it is not well-formed.
pub fn read(text: &str) -> Element {
    for c in text.chars() {
        let allowed =
            matches!(c, '\n' | '\t' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
        assert!(allowed, "character {c:?} must not occur");
    }
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        open.last_mut().unwrap().text += &plain(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("--").expect("a comment ends");
            rest = comment[end..].strip_prefix("-->").expect("no `--` inside a comment");
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') {
            assert!(tag.ends_with('?'));
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap();
            assert_eq!(closed.name, name, "closed in another order");
            open.last_mut().expect("an open element").children.push(closed);
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut fields) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(!name.is_empty() && name.chars().all(char::is_alphanumeric), "{name}");
        let mut element = Element { name: name.into(), ..Element::default() };
        while !fields.trim().is_empty() {
            let (key, after) = fields.trim_start().split_once("=\"").expect("name=\"value\"");
            let (value, after) = after.split_once('"').expect("a value ends");
            assert!(!value.contains('<'));
            let old = element.attributes.insert(key.into(), plain(value));
            assert_eq!(old, None, "{key} twice");
            fields = after;
        }
        if empty {
            open.last_mut().unwrap().children.push(element);
        } else {
            open.push(element);
        }
    }
    assert_eq!(open.len(), 1, "`{}` is not closed", open.last().unwrap().name);
    let mut document = open.pop().unwrap();
    assert_eq!(document.children.len(), 1, "one root");
    document.children.pop().unwrap()
}
