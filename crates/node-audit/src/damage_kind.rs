//! The kind of a file that is not an addon, by its first bytes.
//!
//! Downloads, builds and checkouts leave files of these kinds where an addon should be.

use crate::damage::Damage;
use crate::limits::MAX_QUOTED_LINE;
use crate::printable::printable;

/// The number of bytes at a file's start that are searched for the file's kind and a page's title.
const START: usize = 4096;

const UNPACK: &str = "unpack the archive, and ship the addon inside";
const DOWNLOAD: &str =
    "check the URL and the HTTP status of the download (curl --fail), then download the file again";
const RENAME: &str = "give the file a name that does not end in .node, or put the addon in its place";

/// The first bytes of binary kinds.
const BINARY: [(&[u8], &str, &str); 8] = [
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"!<arch>\n", "a static library", "link the addon as a shared library, and ship that file"),
    (b"\0asm", "a WebAssembly module", "name the file .wasm, and load it with WebAssembly.instantiate"),
    (b"BC\xc0\xde", "LLVM bitcode", "compile and link the bitcode, and ship the shared library"),
];

/// Returns the damage of a file that does not have an addon format.
pub(crate) fn damage_of_kind(content: &[u8]) -> Damage {
    if content.is_empty() {
        return Damage::Empty;
    }
    if content.iter().all(|byte| *byte == 0) {
        return Damage::Zeros { length: content.len() as u64 };
    }
    let start = content.get(..START).unwrap_or(content);
    if let Some((_, kind, remedy)) = BINARY.iter().find(|(first, ..)| start.starts_with(first)) {
        return Damage::Other { kind, start: first_bytes(start), remedy };
    }
    let text = text(start).map(|text| text.trim_start_matches('\u{feff}').trim_start());
    match text {
        Some(text) if !text.is_empty() => damage_of_text(text),
        _ => Damage::Unknown { start: first_bytes(start) },
    }
}

fn damage_of_text(text: &str) -> Damage {
    // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the version is the first line.
    if text.starts_with("version https://git-lfs.github.com/spec/") {
        let keys = text.lines().skip(1).filter(|line| line.starts_with("oid ") || line.starts_with("size "));
        let pointer = keys.map(quoted).collect::<Vec<_>>().join(", ");
        return Damage::LfsPointer { pointer };
    }
    let lower = text.to_ascii_lowercase();
    let is_page = ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| lower.starts_with(tag))
        // XHTML, and pages that begin with a comment.
        || (lower.starts_with('<') && lower.contains("<html"));
    let line = quoted(text.lines().next().unwrap_or_default());
    if is_page {
        return Damage::Html { title: title(text, &lower).unwrap_or(line) };
    }
    let (kind, remedy) = match text.as_bytes() {
        [b'<', ..] => ("XML text", DOWNLOAD),
        [b'{' | b'[', ..] => ("JSON text", DOWNLOAD),
        [b'#', b'!', ..] => ("a script", RENAME),
        _ => ("text", RENAME),
    };
    Damage::Other { kind, start: line, remedy }
}

/// Returns the title of a page.
fn title(text: &str, lower: &str) -> Option<String> {
    // Lowercasing ASCII letters keeps the length, so positions are the same in both strings.
    let start = lower.find("<title")?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find("</title")?;
    let title = text.get(start..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| quoted(&title))
}

/// Returns the start of a file as text; None if the bytes aren't text.
fn text(start: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The last character may be incomplete.
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok())?
        }
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    text.chars().all(is_text).then_some(text)
}

/// Returns a line, cut to a readable length.
fn quoted(line: &str) -> String {
    let end = line.char_indices().nth(MAX_QUOTED_LINE).map(|(end, _)| end);
    let short = end.and_then(|end| line.get(..end));
    short.map_or_else(|| printable(line.as_bytes()), |short| printable(short.as_bytes()) + "...")
}

/// Returns the first four bytes in hexadecimal.
pub(crate) fn first_bytes(content: &[u8]) -> String {
    content.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_named() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        for (content, expected) in [
            ("", "is empty"),
            ("\0\0\0\0", "contains only zeros"),
            (pointer, "is a Git LFS pointer, not the addon itself"),
            ("<!DOCTYPE html><title>404</title>", "is an HTML page, not an addon"),
            ("\u{feff}\n<HTML>", "is an HTML page"),
            ("<?xml version=\"1.0\"?>\n<html xmlns=\"x\">", "is an HTML page"),
            ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>", "is XML text, not an addon"),
            ("{\"message\":\"Not Found\"}", "is JSON text, not an addon"),
            ("#!/bin/sh\n", "is a script, not an addon"),
            ("FROM node:22\n", "is text, not an addon"),
            ("PK\u{3}\u{4}", "is a zip archive, not an addon"),
            ("!<arch>\nx", "is a static library, not an addon"),
            ("\0asm\u{1}\0\0\0", "is a WebAssembly module, not an addon"),
            ("\u{1}\u{2}", "is not an addon: the file begins with 01 02, which no addon format does"),
            (" \n ", "is not an addon: the file begins with 20 0a 20"),
        ] {
            let damage = damage_of_kind(content.as_bytes()).to_string();
            assert!(damage.starts_with(expected), "{content:?}: {damage}");
        }
        assert_eq!(damage_of_kind(b"\x1f\x8b\x08\0").to_string(), "is a gzip archive, not an addon");
        assert_eq!(
            damage_of_kind(pointer.as_bytes()),
            Damage::LfsPointer { pointer: "oid sha256:4d7a, size 12345".to_owned() }
        );
    }

    #[test]
    fn a_page_is_quoted_by_its_title() {
        let title = |page: &str| match damage_of_kind(page.as_bytes()) {
            Damage::Html { title } => title,
            other => panic!("{other:?}"),
        };
        assert_eq!(title("<!doctype html>\n<head><TITLE lang=en>\n 404 -\n gone </Title>"), "404 - gone");
        assert_eq!(title("<!doctype html>\n<title></title>"), "<!doctype html>");
        assert_eq!(title("<html><title>\u{130}x"), "<html><title>\u{130}x");
    }

    #[test]
    fn a_long_line_is_cut_and_its_control_characters_are_escaped() {
        let long = "\u{e4}".repeat(START);
        let Damage::Other { start, .. } = damage_of_kind(long.as_bytes()) else { panic!("not a text") };
        assert_eq!(start, "\u{e4}".repeat(MAX_QUOTED_LINE) + "...");
        let Damage::Other { start, .. } = damage_of_kind("a\u{202e}b".as_bytes()) else {
            panic!("not a text")
        };
        assert_eq!(start, "a\\u{202e}b");
    }
}
