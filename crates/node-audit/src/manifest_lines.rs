//! Finds the lines on which the fields of a package.json begin.

use std::collections::BTreeMap;

use crate::limits::MAX_FIELD_LINES;

/// Returns the line, from 1, of each field at the top level, and of each field of an object at the top level: `scripts`,
/// `scripts.install`.
///
/// The text must be valid JSON.
pub(crate) fn field_lines(text: &[u8]) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    let mut scanner = Scanner { text, position: 0, line: 1 };
    let mut depth = 0_usize;
    // The last string and its line; the string is a field's name if a colon follows.
    let mut last: Option<(String, usize)> = None;
    while let Some(byte) = scanner.next() {
        match byte {
            b'"' => {
                let line = scanner.line;
                last = Some((scanner.string(), line));
            }
            b':' => {
                let Some((name, line)) = last.take().filter(|_| depth > 0 && depth <= 2) else { continue };
                path.truncate(depth - 1);
                // At any other depth, the name belongs to an object in an array.
                if path.len() == depth - 1 && lines.len() < MAX_FIELD_LINES {
                    path.push(name);
                    lines.entry(path.join(".")).or_insert(line);
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                path.truncate(depth);
            }
            _ => {}
        }
    }
    lines
}

struct Scanner<'a> {
    text: &'a [u8],
    position: usize,
    line: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.position)?;
        self.position += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    /// Returns the string up to the closing quote, without decoding its escapes.
    fn string(&mut self) -> String {
        let start = self.position;
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => {
                    self.next();
                }
                b'"' => break,
                _ => {}
            }
        }
        let end = self.position.saturating_sub(1).max(start);
        String::from_utf8_lossy(self.text.get(start..end).unwrap_or_default()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_two_levels_have_lines() {
        let text = br#"{
  "name": "a:b\"c",
  "list": [ { "inner": 1 },
    "x" ],
  "scripts": { "install": "x",
    "deep": { "er": { "est": 1 } }
  }, "os": ["linux"],

  "main": "y.node"
}"#;
        let lines = field_lines(text);
        let expected = [
            ("list", 3),
            ("main", 9),
            ("name", 2),
            ("os", 7),
            ("scripts", 5),
            ("scripts.deep", 6),
            ("scripts.install", 5),
        ];
        for (field, line) in expected {
            assert_eq!(lines.get(field), Some(&line), "{field}: {lines:?}");
        }
        assert!(!lines.contains_key("inner") && !lines.contains_key("scripts.er"), "{lines:?}");
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["", "{", "\"", "\"\\", "{\"a\"", ":::", "}}]]{:\"a\":", "[[[[[["] {
            field_lines(text.as_bytes());
        }
        let many: String = (0..2 * MAX_FIELD_LINES).map(|number| format!("\"{number}\":1,")).collect();
        assert_eq!(field_lines(format!("{{{many}").as_bytes()).len(), MAX_FIELD_LINES);
    }
}
