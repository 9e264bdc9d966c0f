//! Reads the facts of a JavaScript file: the addons and packages that it loads by literal names, and whether it
//! downloads.
//!
//! The reader searches the text and does not parse it. The reader therefore misses names that the file computes, and no
//! rule concludes anything from the absence of a name.

use crate::limits::{MAX_REQUIRES, MAX_SPECIFIER};
use crate::platform_package::PlatformPackage;
use crate::printable::printable;

/// Facts of a JavaScript file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JavaScript {
    /// The path in the package.
    pub(crate) path: String,
    /// The platform packages that the file requires or imports on demand, each once.
    pub(crate) packages: Vec<String>,
    /// The addons that the file requires by a relative path, each once.
    pub(crate) addons: Vec<String>,
    /// `true` if napi-rs generated the file, which then has a branch for each platform that napi-rs knows.
    pub(crate) is_generated: bool,
    /// The call or program in the file that downloads.
    pub(crate) download: Option<&'static str>,
}

/// Strings in napi-rs' loaders; each version's loader contains one of them.
const NAPI_RS: [&str; 4] = ["NAPI-RS", "NAPI_RS", "localFileExisted", "android-arm-eabi"];

/// Calls of Node and of well-known packages that download, and programs that download.
const DOWNLOADS: [&str; 12] = [
    "https.get(",
    "https.request(",
    "http.get(",
    "fetch(",
    "node-fetch",
    "node-downloader-helper",
    "axios",
    "undici",
    "make-fetch-happen",
    "curl ",
    "wget ",
    "Invoke-WebRequest",
];

impl JavaScript {
    /// Reads the content of a file; `path` is its path in the package.
    pub(crate) fn read(path: &str, content: &[u8]) -> JavaScript {
        let text = String::from_utf8_lossy(content);
        let mut script = JavaScript {
            path: printable(path.as_bytes()),
            is_generated: NAPI_RS.iter().any(|part| text.contains(part)),
            download: downloads(&text),
            ..JavaScript::default()
        };
        for specifier in ["require(", "import("].iter().flat_map(|call| specifiers(&text, call)) {
            script.add(specifier);
        }
        script
    }

    fn add(&mut self, specifier: &str) {
        let is_relative = specifier.starts_with("./") || specifier.starts_with("../");
        let (list, name) = if is_relative && specifier.ends_with(".node") {
            (&mut self.addons, specifier)
        } else {
            match package_of(specifier) {
                Some(package) if PlatformPackage::by_name(package).is_some() => (&mut self.packages, package),
                _ => return,
            }
        };
        let name = printable(name.as_bytes());
        if list.len() < MAX_REQUIRES && !list.contains(&name) {
            list.push(name);
        }
    }
}

/// Returns the call or program in a text that downloads.
pub(crate) fn downloads(text: &str) -> Option<&'static str> {
    let is_whole = |position: usize| {
        let before = text.get(..position).and_then(|before| before.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | '$' | '.'))
    };
    DOWNLOADS.into_iter().find(|part| text.match_indices(part).any(|(position, _)| is_whole(position)))
}

/// Returns the literal arguments of a call: `require('./x.node')`. Ignores calls in lines that are only comments.
fn specifiers<'a>(text: &'a str, call: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(call).filter_map(move |(position, _)| {
        // A line of a bundle may be long, but a line that is only a comment is short.
        let start = text.floor_char_boundary(position.saturating_sub(MAX_SPECIFIER));
        let before = text.get(start..position)?;
        let line = before.rsplit_once('\n').map(|(_, line)| line).or((start == 0).then_some(before));
        let is_comment = line.is_some_and(|line| is_comment(line.trim_start()));
        let argument = text.get(position + call.len()..)?.trim_start();
        let quote = argument.chars().next().filter(|quote| matches!(quote, '\'' | '"' | '`'))?;
        let rest = argument.get(quote.len_utf8()..)?;
        let end = rest.bytes().take(MAX_SPECIFIER).position(|byte| byte == quote as u8)?;
        let specifier = rest.get(..end)?;
        // An expression in a template or an escape changes the name.
        (!is_comment && !specifier.contains(['$', '\\', '\n'])).then_some(specifier)
    })
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//") || line.starts_with('*') || line.starts_with("/*")
}

/// Returns the package in a module specifier: `@img/sharp-linux-x64` of `@img/sharp-linux-x64/sharp.node`.
fn package_of(specifier: &str) -> Option<&str> {
    if specifier.starts_with(['.', '/']) || specifier.contains(':') {
        return None;
    }
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(slashes - 1).map_or(specifier.len(), |(slash, _)| slash);
    specifier.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_names_are_found() {
        let text = r#"
            const a = require('@a/b-linux-x64-gnu');
            try { c = require( "./c.linux-x64-musl.node" ) } catch {}
            await import(`@img/sharp-darwin-arm64/sharp.node`); require('@a/b-linux-x64-gnu/package.json')
            // require('@a/b-win32-x64-msvc')
             * require('@a/b-win32-ia32-msvc')
            require(`@a/b-${process.platform}-x64`); require('@a/b-' + x); require('fs'); require('lodash')
            require('node:linux-x64'); require(name); require('@a/b\x2dlinux-arm'); require("./linux-x64"#;
        let script = JavaScript::read("index.js", text.as_bytes());
        assert_eq!(script.packages, ["@a/b-linux-x64-gnu", "@img/sharp-darwin-arm64"]);
        assert_eq!(script.addons, ["./c.linux-x64-musl.node"]);
        assert!(!script.is_generated && script.download.is_none());
    }

    #[test]
    fn the_loaders_of_napi_rs_are_recognised() {
        for text in [
            "/* auto-generated by NAPI-RS */",
            "process.env.NAPI_RS_NATIVE_LIBRARY_PATH",
            "let localFileExisted",
        ] {
            assert!(JavaScript::read("index.js", text.as_bytes()).is_generated, "{text}");
        }
    }

    #[test]
    fn only_whole_words_match_a_download() {
        for (text, expected) in [
            ("https.get(url, done)", Some("https.get(")),
            ("const res = await fetch(url)", Some("fetch(")),
            (
                "const { DownloaderHelper } = require('node-downloader-helper')",
                Some("node-downloader-helper"),
            ),
            ("curl -L https://example.org/x", Some("curl ")),
            ("prefetch(url); git.fetch(origin); libcurl 7", None),
            ("// see https://nodejs.org/", None),
        ] {
            assert_eq!(downloads(text), expected, "{text}");
        }
    }

    #[test]
    fn a_hostile_text_is_read_in_linear_time() {
        for text in [
            "require(".repeat(30_000),
            "require('".repeat(30_000),
            "fetch(".repeat(40_000),
            "xfetch(".repeat(40_000),
        ] {
            let script = JavaScript::read("index.js", text.as_bytes());
            assert_eq!((script.packages.len(), script.addons.len()), (0, 0));
        }
        let many: String = (0..2000).map(|number| format!("require('./{number}.node');")).collect();
        assert_eq!(JavaScript::read("index.js", many.as_bytes()).addons.len(), MAX_REQUIRES);
        JavaScript::read("\u{1b}", &[0xff, b'\'', 0xff]);
    }
}
