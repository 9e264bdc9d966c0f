//! Makes texts and paths of unknown origin safe for a terminal.

use std::path::Path;

/// Returns a path as text, with control characters escaped.
pub(crate) fn display_path(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}

/// Returns bytes as one line of text. Escapes every character that is invisible or that could control a terminal.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            // These characters reorder the text around them, end a line, or are invisible.
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                text.extend(character.escape_unicode());
            }
            _ if character.is_control() => text.extend(character.escape_default()),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_and_reordering_characters_are_escaped() {
        let hidden = "\u{1b}\r\n\u{9b}\u{7f}\u{61c}\u{200b}\u{200f}\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}";
        assert!(printable(hidden.as_bytes()).bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(printable("/\u{e4} \u{65e5}.node".as_bytes()), "/\u{e4} \u{65e5}.node");
        assert_eq!(printable(b"a\xff\nb"), "a\u{fffd}\\nb");
    }
}
