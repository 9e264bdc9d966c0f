//! Finds absolute paths of the machine that built a file in its content.
//!
//! Texts in a compiled file have no form of their own: C's end with a zero byte, Rust's stand one after the other with
//! nothing between, and either may be UTF-16 on Windows. What is found here is therefore judged twice: by the directory
//! that it begins with, and by what stands before and behind. Precision comes first: a path that the program itself
//! opens (`/tmp/x.sock`) says nothing of where it was built.
//!
//! Invariant: time is linear in the content: a run of path characters is walked through once, and of each candidate at
//! most [`LONGEST`] bytes are looked at, of at most [`MOST_CANDIDATES`].

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// More distinct paths than this are not listed; the rules then say "at least".
pub(crate) const MOST: usize = 10_000;

/// The longest path that is kept, in bytes; what is longer is cut.
const LONGEST: usize = 1024;

/// A file that has more of them was made to keep its reader busy.
const MOST_CANDIDATES: usize = 1 << 18;

/// The hash in front of a store object's name: 160 bits by 5.
const HASH: usize = 32;

/// What a path must show, beside its beginning, to be one of the build machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A hash and a name.
    Store,
    /// A user's name and something in their directory.
    Home,
    /// Something in it: no program has this directory but a build.
    Build,
    /// A source or object file, or a directory as builds have them: programs use these directories themselves.
    Shared,
    /// A drive before it, and a user's name and something in their directory behind.
    WindowsHome,
    /// A drive before it, and two directories behind.
    WindowsBuild,
}

/// How paths begin, and what they must show then.
type Root = (&'static str, Kind);

/// The directories in which the paths of build machines begin.
const ROOTS: [Root; 24] = [
    ("/nix/store/", Kind::Store),
    ("/gnu/store/", Kind::Store),
    ("/home/", Kind::Home),
    ("/Users/", Kind::Home),
    ("/root/", Kind::Build),
    ("/nix/var/nix/builds/", Kind::Build), // Nix, without a sandbox
    ("/__w/", Kind::Build),                // GitHub, in a container
    ("/github/workspace/", Kind::Build),   // GitHub's own actions
    ("/private/var/folders/", Kind::Build),
    ("/var/folders/", Kind::Build), // macOS, each user's temporary files
    ("/builds/", Kind::Shared),     // GitLab
    ("/build/", Kind::Shared),      // Nix's sandbox
    ("/private/tmp/", Kind::Shared),
    ("/var/tmp/", Kind::Shared),
    ("/tmp/", Kind::Shared),
    ("/workspace/", Kind::Shared),
    ("/project/", Kind::Shared),
    ("/io/", Kind::Shared),
    (":\\Users\\", Kind::WindowsHome),
    (":\\\\Users\\\\", Kind::WindowsHome),
    (":/Users/", Kind::WindowsHome),
    (":\\a\\", Kind::WindowsBuild), // GitHub on Windows, on drive D: mostly
    (":\\\\a\\\\", Kind::WindowsBuild),
    (":/a/", Kind::WindowsBuild),
];

/// Finds any of [`ROOTS`], and behind them the same ones in UTF-16.
#[expect(clippy::expect_used, reason = "the patterns are fixed, and each test builds the automaton")]
static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let narrow = ROOTS.iter().map(|(root, _)| root.as_bytes().to_vec());
    let wide = ROOTS.iter().map(|(root, _)| root.bytes().flat_map(|byte| [byte, 0]).collect());
    let patterns: Vec<Vec<u8>> = narrow.chain(wide).collect();
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(patterns)
        .expect("two dozen short texts make a small automaton")
});

/// Directories that builds have, and what a program keeps in `/tmp` does not.
const BUILD_DIRECTORIES: [&str; 18] = [
    ".cargo",
    "CMakeFiles",
    "Debug",
    "Release",
    "build",
    "debug",
    "deps",
    "include",
    "lib",
    "node_modules",
    "obj",
    "release",
    "source",
    "sources",
    "src",
    "target",
    "third_party",
    "vendor",
];

/// How the names of temporary directories begin that a build makes.
const TEMPORARY: [&str; 5] = ["nix-build-", "cargo-install", "npm-", "pip-", "rustc"];

/// Endings of source and object files.
const SOURCES: [&str; 22] = [
    "S", "a", "asm", "c", "cc", "cpp", "cu", "cxx", "go", "h", "hh", "hpp", "inc", "inl", "m", "mm", "o",
    "pdb", "rs", "s", "swift", "zig",
];

/// Names in the place of a user's that are not the builder's: directories that every system has, and the user who builds
/// Alpine's compiler, whose start files end up in everything that is linked there.
const NOBODY: [&str; 4] = ["Shared", "Public", "Default", "buildozer"];

/// The distinct paths, in the order in which they first appear; at most [`MOST`].
pub(crate) fn find(content: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    let mut run = 0..0;
    let mut behind = 0;
    for candidate in SEARCH.find_iter(content).take(MOST_CANDIDATES) {
        let (start, pattern) = (candidate.start(), candidate.pattern().as_usize());
        if start < behind {
            continue;
        }
        let root = ROOTS[pattern % ROOTS.len()];
        let path = if pattern < ROOTS.len() {
            if !run.contains(&start) {
                run = run_around(content, start, run.end);
            }
            let Some((end, path)) = narrow(content, start, &run, root) else { continue };
            behind = end;
            path
        } else {
            let Some(path) = wide(content, start, root) else { continue };
            path
        };
        if known.insert(path.clone()) {
            found.push(path);
            if found.len() == MOST {
                break;
            }
        }
    }
    found
}

/// The directories, without those of Windows.
#[cfg(test)]
pub(crate) fn unix_directories() -> impl Iterator<Item = &'static str> {
    ROOTS.iter().map(|(root, _)| *root).filter(|root| root.starts_with('/'))
}

/// Whether a path leads into a package store.
pub(crate) fn is_store(path: &str) -> bool {
    store_object(path).is_some()
}

/// The object of a package store that a path leads into: `/nix/store/HASH-zlib-1.3`.
pub(crate) fn store_object(path: &str) -> Option<&str> {
    let (root, _) = ROOTS.iter().find(|(root, kind)| *kind == Kind::Store && path.starts_with(root))?;
    let name = path[root.len()..].find('/').map_or(path.len(), |end| root.len() + end);
    Some(&path[..name])
}

/// The path characters around a position, which are none before `from`.
fn run_around(content: &[u8], position: usize, from: usize) -> Range<usize> {
    let from = from.min(position);
    let before = content[from..position].iter().rev().take_while(|byte| is_path(**byte)).count();
    // The colon behind a drive is no path character, and the start of its root.
    let after = content[position + 1..].iter().take_while(|byte| is_path(**byte)).count();
    position - before..position + 1 + after
}

/// Whether a drive's letter belongs in front.
fn has_drive(root: Root) -> bool {
    matches!(root.1, Kind::WindowsHome | Kind::WindowsBuild)
}

fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'\\' | b'.' | b'_' | b'-' | b'+' | b'@' | b'~')
}

/// The path whose root begins at `start`, and where it ends; None where it is no path of a build machine.
fn narrow(content: &[u8], start: usize, run: &Range<usize>, root: Root) -> Option<(usize, String)> {
    let drive = has_drive(root);
    let first = if drive { start.checked_sub(1)? } else { start };
    let text = content.get(first..run.end.min(start + LONGEST))?;
    let text = std::str::from_utf8(text).ok()?;
    let path = &text[..end_of_source(text)];
    let before = &content[run.start.max(start.saturating_sub(LONGEST))..first.max(run.start)];
    if !(drive || root.1 == Kind::Store || begins(before, path)) {
        return None;
    }
    let end = first + path.len();
    Some((end, judged(path, root, content.get(end).copied())?))
}

/// As [`narrow`], of UTF-16.
fn wide(content: &[u8], start: usize, root: Root) -> Option<String> {
    let drive = has_drive(root);
    let first = if drive { start.checked_sub(2)? } else { start };
    // What stands before a text of UTF-16 is hardly ever a part of it; a letter would be.
    if !drive
        && let Some(&[letter, 0]) = first.checked_sub(2).and_then(|before| content.get(before..first))
        && is_path(letter)
    {
        return None;
    }
    let units = content.get(first..)?.chunks_exact(2).take(LONGEST);
    let is_part = |unit: &[u8], at: usize| unit[1] == 0 && (is_path(unit[0]) || (drive && at == 1));
    let units = units.enumerate().take_while(|(at, unit)| is_part(unit, *at));
    let text: String = units.map(|(_, unit)| char::from(unit[0])).collect();
    let next = content.get(first + 2 * text.len()).copied();
    judged(&text, root, next)
}

/// Where a text ends that may have another behind it with nothing between: Rust's name their source file.
fn end_of_source(text: &str) -> usize {
    for (at, _) in text.match_indices(".rs") {
        let end = at + 3;
        let rest = &text[end..];
        let directory = rest.starts_with(['/', '\\']) && !begins_with_root(rest);
        // `crate.rs-0123abc/src`: a checkout of a repository that is called so.
        let checkout = rest.starts_with('-') && rest.contains(".rs");
        if !directory && !checkout {
            return end;
        }
    }
    text.len()
}

fn begins_with_root(text: &str) -> bool {
    text.starts_with("/rustc/") || ROOTS.iter().any(|(root, _)| text.starts_with(root))
}

/// Whether a path begins here, and not further ahead; `before` are the path characters that stand before it.
fn begins(before: &[u8], path: &str) -> bool {
    match before {
        [] => true,
        // A compiler's option with its argument: `-I/home/me/include`.
        [b'-', option @ ..] if option.iter().all(u8::is_ascii_alphabetic) => true,
        // Rust puts its texts one after the other; but `https://docs.rs/home/` is one text.
        [.., b'.', b'r', b's'] => !is_host(before),
        _ => !before.contains(&b'/') && (path.contains("/.cargo/") || path.contains("/.rustup/")),
    }
}

/// Whether a text ends with the host of a URL.
fn is_host(text: &[u8]) -> bool {
    let mut parts = text.rsplit(|byte| *byte == b'/');
    parts.next().is_some() && parts.next().is_some_and(<[u8]>::is_empty)
}

/// The path with single separators, where it is one of a build machine; `next` is the byte behind it.
fn judged(text: &str, root: Root, next: Option<u8>) -> Option<String> {
    // A template that the program fills in.
    if matches!(next, Some(b'%' | b'$' | b'{' | b'*' | b'<' | b'?')) || text.contains("XXXXXX") {
        return None;
    }
    let text = text.replace("\\\\", "\\");
    let text = text.trim_end_matches(['.', '-', '+', '@', '~']);
    if has_drive(root) && !text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return None;
    }
    let (start, kind) = (root.0.replace("\\\\", "\\"), root.1);
    let rest = text.get(usize::from(has_drive(root)) + start.len()..)?;
    let parts: Vec<&str> = rest.split(['/', '\\']).collect();
    let filled = |count: usize| parts.len() >= count && parts[..count].iter().all(|part| !part.is_empty());
    let fits = match kind {
        Kind::Store => is_live(rest),
        Kind::Home | Kind::WindowsHome => filled(2) && !NOBODY.contains(&parts[0]),
        Kind::Build => filled(2) || (filled(1) && parts[0].starts_with('.')),
        Kind::Shared => filled(2) && is_of_a_build(&parts),
        Kind::WindowsBuild => filled(3),
    };
    fits.then(|| text.to_owned())
}

/// A hash and a name, where the hash was not scrubbed: tools that cut a reference write the same letter throughout.
fn is_live(rest: &str) -> bool {
    let Some((hash, name)) = rest.split_at_checked(HASH) else { return false };
    // Their alphabet leaves out e, o, t and u. A scrubbed hash is nothing but the e that no hash can have.
    let in_alphabet =
        |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"eotu".contains(&byte));
    hash.bytes().all(in_alphabet)
        && name
            .strip_prefix('-')
            .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphanumeric()))
}

fn is_of_a_build(parts: &[&str]) -> bool {
    let (file, directories) = parts.split_last().map_or(("", parts), |(file, rest)| (*file, rest));
    let source = file.rsplit_once('.').is_some_and(|(_, ending)| SOURCES.contains(&ending));
    let directory = |part: &&str| {
        BUILD_DIRECTORIES.contains(part) || TEMPORARY.iter().any(|start| part.starts_with(start))
    };
    source || directories.iter().any(directory)
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
    fn what_the_program_itself_uses_is_none() {
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
            // Which text stands before one of UTF-16 is not looked at but for the next letter.
            assert_eq!(find(&wide), [""; 0], "{text} in UTF-16");
        }
    }

    /// Rust's texts have no end of their own.
    #[test]
    fn texts_with_nothing_between_are_told_apart() {
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
    fn texts_in_utf_16_are_read() {
        for path in ["C:\\Users\\me\\project\\x.cc", "D:\\a\\addon\\addon\\x.pdb", "/home/me/project/x.cc"] {
            let wide: Vec<u8> = format!("\0{path}\0more").encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(find(&wide), [path]);
            assert_eq!(find(&wide[1..]), [path], "at an odd offset");
            assert_eq!(find(&wide[..wide.len() - 11]), [&path[..path.len() - 1]], "cut within a letter");
        }
    }

    #[test]
    fn each_path_stands_once_in_the_order_of_appearance() {
        assert_eq!(found("/home/b/1 /home/a/1 /home/b/1 /home/a/2"), ["/home/b/1", "/home/a/1", "/home/a/2"]);
    }

    #[test]
    fn many_and_long_paths_are_bounded() {
        let many: String = (0..MOST + 5).map(|number| format!("/home/me/{number}\0")).collect();
        assert_eq!(found(&many).len(), MOST);
        let long = found(&format!("/home/me/{}", "x".repeat(LONGEST)));
        assert_eq!((long.len(), long[0].len()), (1, LONGEST));
        let roots = "/tmp/home/root/x".repeat(50_000);
        assert_eq!(found(&roots), [""; 0]);
    }

    #[test]
    fn the_object_of_a_store_is_told() {
        let object = "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-glibc-2.40";
        assert_eq!(store_object(&format!("{object}/lib/x")), Some(object));
        assert_eq!(store_object(object), Some(object));
        assert_eq!(store_object("/home/me/x"), None);
    }
}
