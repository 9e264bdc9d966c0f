//! Wraps text to lines of a given width.

use crate::limits::{MAX_TABLE_WIDTH, MIN_PROSE_WIDTH, MIN_TABLE_WIDTH};

/// Breaks a text at spaces into lines of at most `width` columns; a longer word gets a line of its own.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let length = console::measure_text_width(&line) + 1 + console::measure_text_width(word);
            if !line.is_empty() && length > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines
}

/// Breaks a text as [`wrap`] does, and also breaks longer words after `-` and `/`, as in the names of packages.
pub(super) fn wrap_names(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in wrap(text, width) {
        let mut rest = String::new();
        for part in line.split_inclusive(['-', '/']) {
            let length = console::measure_text_width(&rest) + console::measure_text_width(part);
            if !rest.is_empty() && length > width {
                lines.push(std::mem::take(&mut rest));
            }
            rest += part;
        }
        lines.push(rest);
    }
    lines
}

/// Breaks a text as [`wrap`] does, and indents all lines after the first.
pub(super) fn wrap_hanging(text: &str, width: usize) -> String {
    const INDENT: &str = "  ";
    wrap(text, width.saturating_sub(INDENT.len())).join(&format!("\n{INDENT}")) + "\n"
}

/// Returns a count with its noun: `1 file`, `2 files`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Returns the width to use on a terminal of `width` columns.
pub(super) fn usable(width: u16) -> u16 {
    width.clamp(MIN_TABLE_WIDTH, MAX_TABLE_WIDTH)
}

/// Returns the width to use for running text, which may be narrower than a table.
pub(super) fn prose(width: u16) -> usize {
    usize::from(width.clamp(MIN_PROSE_WIDTH, MAX_TABLE_WIDTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_paragraphs_stay() {
        assert_eq!(wrap("one two three\nfour", 8), ["one two", "three", "four"]);
        assert_eq!(wrap("a longerthaneight b", 8), ["a", "longerthaneight", "b"]);
        assert!(wrap("", 8).is_empty());
    }

    #[test]
    fn names_break_after_their_punctuation_and_keep_it() {
        let expected = ["not here:", "@a/core-", "linux-x64-", "musl,", "--x"];
        assert_eq!(wrap_names("not here: @a/core-linux-x64-musl, --x", 10), expected);
        assert_eq!(wrap_names("loads", 10), ["loads"]);
    }
}
