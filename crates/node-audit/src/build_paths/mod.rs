//! Finds absolute paths of the build machine in the content of a file.
//!
//! Strings in a compiled file have no common form: C's strings end with a zero byte, Rust's strings follow each other
//! without a separator, and both may be UTF-16 on Windows. This module therefore recognises a path by the directory that
//! it begins with (`root`), and by the bytes before and after it. Precision matters more than recall: a path that the
//! program itself opens (`/tmp/x.sock`) does not reveal where the program was built.
//!
//! Invariant: the time is linear in the content. The search walks each run of path characters once, and examines at most
//! [`MAX_PATH_STARTS`] places, [`MAX_PATH`] bytes at each.

mod root;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::limits::{MAX_PATH, MAX_PATH_STARTS, MAX_PATHS};
#[cfg(test)]
pub(crate) use root::unix_directories;
use root::{ROOTS, Root};
pub(crate) use root::{is_store, store_object};

/// The automaton that finds [`ROOTS`], first in UTF-8 and then in UTF-16.
#[expect(clippy::expect_used, reason = "the patterns are fixed, and each test builds the automaton")]
static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let narrow = ROOTS.iter().map(|root| root.start.as_bytes().to_vec());
    let wide = ROOTS.iter().map(|root| root.start.bytes().flat_map(|byte| [byte, 0]).collect());
    let patterns: Vec<Vec<u8>> = narrow.chain(wide).collect();
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(patterns)
        .expect("two dozen short strings make a small automaton")
});

/// Returns the distinct paths in the order of their first appearance; at most [`MAX_PATHS`].
pub(crate) fn find(content: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    let mut known = HashSet::new();
    let mut run = 0..0;
    // The end of the last path.
    let mut end = 0;
    for candidate in SEARCH.find_iter(content).take(MAX_PATH_STARTS) {
        let (start, pattern) = (candidate.start(), candidate.pattern().as_usize());
        if start < end {
            continue;
        }
        let root = &ROOTS[pattern % ROOTS.len()];
        let path = if pattern < ROOTS.len() {
            if !run.contains(&start) {
                run = run_around(content, start, run.end);
            }
            let Some(narrow) = narrow(content, start, &run, root) else { continue };
            end = narrow.end;
            narrow.path
        } else {
            let Some(path) = wide(content, start, root) else { continue };
            path
        };
        if known.insert(path.clone()) {
            paths.push(path);
            if paths.len() == MAX_PATHS {
                break;
            }
        }
    }
    paths
}

/// Returns the range of path characters around a position, at or after `from`.
fn run_around(content: &[u8], position: usize, from: usize) -> Range<usize> {
    let from = from.min(position);
    let before = content[from..position].iter().rev().take_while(|byte| is_path(**byte)).count();
    // The colon after a drive starts a root, but is not a path character.
    let after = content[position + 1..].iter().take_while(|byte| is_path(**byte)).count();
    position - before..position + 1 + after
}

/// Returns whether a byte can be part of a path.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'\\' | b'.' | b'_' | b'-' | b'+' | b'@' | b'~')
}

/// A path, and its end in the content.
struct NarrowPath {
    path: String,
    end: usize,
}

/// Returns the path of a build machine whose root begins at `start`.
fn narrow(content: &[u8], start: usize, run: &Range<usize>, root: &Root) -> Option<NarrowPath> {
    let drive = root.has_drive();
    let first = if drive { start.checked_sub(1)? } else { start };
    let text = content.get(first..run.end.min(start + MAX_PATH))?;
    let text = std::str::from_utf8(text).ok()?;
    let path = &text[..end_of_source(text)];
    let before = &content[run.start.max(start.saturating_sub(MAX_PATH))..first.max(run.start)];
    if !(drive || root.is_store() || begins(before, path)) {
        return None;
    }
    let end = first + path.len();
    Some(NarrowPath { path: root.accept(path, content.get(end).copied())?, end })
}

/// Returns the path of a build machine in UTF-16 whose root begins at `start`.
fn wide(content: &[u8], start: usize, root: &Root) -> Option<String> {
    let drive = root.has_drive();
    let first = if drive { start.checked_sub(2)? } else { start };
    // If a path character comes before the root, the root is in the middle of a longer string.
    if !drive
        && let Some(&[letter, 0]) = first.checked_sub(2).and_then(|before| content.get(before..first))
        && is_path(letter)
    {
        return None;
    }
    let units = content.get(first..)?.chunks_exact(2).take(MAX_PATH);
    let is_part = |unit: &[u8], at: usize| unit[1] == 0 && (is_path(unit[0]) || (drive && at == 1));
    let units = units.enumerate().take_while(|(at, unit)| is_part(unit, *at));
    let text: String = units.map(|(_, unit)| char::from(unit[0])).collect();
    let next = content.get(first + 2 * text.len()).copied();
    root.accept(&text, next)
}

/// Returns the end of a string that another string may follow without a separator. Such a string of Rust ends with the
/// name of a source file.
fn end_of_source(text: &str) -> usize {
    for (at, _) in text.match_indices(".rs") {
        let end = at + 3;
        let rest = &text[end..];
        let directory = rest.starts_with(['/', '\\']) && !begins_with_root(rest);
        // `crate.rs-0123abc/src`: a checkout of a repository named `crate.rs`.
        let checkout = rest.starts_with('-') && rest.contains(".rs");
        if !directory && !checkout {
            return end;
        }
    }
    text.len()
}

fn begins_with_root(text: &str) -> bool {
    text.starts_with("/rustc/") || ROOTS.iter().any(|root| text.starts_with(root.start))
}

/// Returns whether a path begins here and not earlier; `before` holds the path characters before this place.
fn begins(before: &[u8], path: &str) -> bool {
    match before {
        [] => true,
        // A compiler's option with its argument: `-I/home/me/include`.
        [b'-', option @ ..] if option.iter().all(u8::is_ascii_alphabetic) => true,
        // Rust's strings follow each other, but `https://docs.rs/home/` is one string.
        [.., b'.', b'r', b's'] => !is_host(before),
        _ => !before.contains(&b'/') && (path.contains("/.cargo/") || path.contains("/.rustup/")),
    }
}

/// Returns whether a string ends with the host of a URL.
fn is_host(text: &[u8]) -> bool {
    let mut parts = text.rsplit(|byte| *byte == b'/');
    parts.next().is_some() && parts.next().is_some_and(<[u8]>::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        find(text.as_bytes())
    }

    #[test]
    fn paths_of_build_machines_are_found() {
        for path in [
            "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-glibc-2.40-66/lib",
            "/gnu/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-glibc-2.40",
            "/home/me/project/x.c",
            "/home/runner/addon/addon",
            "/Users/me/project",
            concat!("/root", "/.cache"),
            "/root/project/x",
            "/__w/addon/addon/src/x.cc",
            "/github/workspace/src/x.cc",
            "/nix/var/nix/builds/nix-1-2/source/x.rs",
            "/private/var/folders/ab/cd/T/x.o",
            "/build/source/x.c",
            "/builds/group/project/src/x.c",
            "/tmp/tmp1/x.cpp",
            "/var/tmp/nix-build-x.drv-0/x",
            "/private/tmp/x/build/y",
            "/workspace/target/x.o",
            "C:\\Users\\me\\project\\x.c",
            "C:/Users/me/project/x.c",
            "D:\\a\\addon\\addon\\x.pdb",
            "D:/a/addon/addon/x.c",
        ] {
            for (before, behind) in
                [("", ""), ("\0", "\0"), ("\"", "\", line"), ("--sysroot=", " "), ("-I", ":1:2")]
            {
                assert_eq!(found(&format!("{before}{path}{behind}")), [path], "{before}{path}{behind}");
            }
        }
        assert_eq!(found("C:\\\\Users\\\\me\\\\project\\\\x.c"), ["C:\\Users\\me\\project\\x.c"]);
        assert_eq!(found("\\\\D:\\\\a\\\\addon\\\\addon\\\\x.c"), ["D:\\a\\addon\\addon\\x.c"]);
    }

    #[test]
    fn paths_that_the_program_itself_uses_are_left_out() {
        for text in [
            "/home/",
            "/home/me",
            "/home//x",
            "/Users/",
            "/Users/Shared/x",
            "/root/",
            "/tmp/",
            "/tmp/x.sock",
            "/tmp/app/x.sock",
            "/tmp/.X11-unix/X0",
            "/tmp/src/x%d",
            "/home/me/x%s",
            "/home/me/build/${name}",
            "/tmp/build/XXXXXX",
            "/tmpfoo/build/x.c",
            "/build/",
            "/build/x",
            "/build/one/two",
            "/usr/local/home/me/x",
            "/usr/tmp/build/x.c",
            "https://host/home/me/x",
            "https://docs.rs/home/me/x",
            "https://host.example/a/build/src/x.c",
            "../home/me/x.c",
            "library/std/src/io/src/x.rs",
            "/home/buildozer/aports/main/gcc/src/x.c",
            "C:\\Users\\",
            "C:\\Users\\me",
            "C:\\Users\\Public\\x",
            "1:\\Users\\me\\x",
            "D:\\a\\b",
            "/nix/store/",
            "/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-glibc-2.40/lib",
            "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp-glibc-2.40/lib",
            "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9",
            "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-",
            "/nix/store/.links/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-x",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(find(&wide), [""; 0], "{text} in UTF-16");
        }
    }

    /// Rust's strings have no end mark.
    #[test]
    fn strings_without_a_separator_are_split() {
        let registry = "/home/me/.cargo/registry/src/index-1/x-1.0.0/src/lib.rs";
        assert_eq!(found(&format!("{registry}assertion failed")), [registry]);
        assert_eq!(
            found(&format!("{registry}/home/me/x/y.rs/rustc/1/library/z.rs")),
            [registry, "/home/me/x/y.rs"]
        );
        assert_eq!(found(&format!("a Noneevent {registry}event")), [registry]);
        assert_eq!(found(&format!("value{registry}")), [registry]);
        assert_eq!(found("/usr/src/x.rs/home/me/x/y.rs"), ["/home/me/x/y.rs"]);
        let checkout = "/home/me/.cargo/git/checkouts/x.rs-0123abc/1/src/lib.rs";
        assert_eq!(found(&format!("{checkout}abc")), [checkout]);
        assert_eq!(
            found("x.rsC:\\Users\\me\\x\\y.rsD:\\a\\x\\x\\y.rs"),
            ["C:\\Users\\me\\x\\y.rs", "D:\\a\\x\\x\\y.rs"]
        );
    }

    #[test]
    fn utf_16_strings_are_read() {
        for path in ["C:\\Users\\me\\project\\x.cc", "D:\\a\\addon\\addon\\x.pdb", "/home/me/project/x.cc"] {
            let wide: Vec<u8> = format!("\0{path}\0more").encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(find(&wide), [path]);
            assert_eq!(find(&wide[1..]), [path], "at an odd offset");
            assert_eq!(find(&wide[..wide.len() - 11]), [&path[..path.len() - 1]], "cut within a letter");
        }
    }

    #[test]
    fn each_path_is_listed_once_in_the_order_of_appearance() {
        assert_eq!(found("/home/b/1 /home/a/1 /home/b/1 /home/a/2"), ["/home/b/1", "/home/a/1", "/home/a/2"]);
    }

    #[test]
    fn the_number_and_length_of_paths_are_bounded() {
        let many: String = (0..MAX_PATHS + 5).map(|number| format!("/home/me/{number}\0")).collect();
        assert_eq!(found(&many).len(), MAX_PATHS);
        let long = found(&format!("/home/me/{}", "x".repeat(MAX_PATH)));
        assert_eq!((long.len(), long[0].len()), (1, MAX_PATH));
        let roots = "/tmp/home/root/x".repeat(50_000);
        assert_eq!(found(&roots), [""; 0]);
    }
}
