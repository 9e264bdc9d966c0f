//! The message of a finding in few words, for verdicts and summaries.

use crate::library::LOADED;

/// The start of the message about a library that the system lacks.
const NEEDS: &str = "the addon needs ";

/// Returns the library that an addon needs and lacks, by the message of the rule `needed`.
pub(crate) fn missing_library<'a>(rule: &str, message: &'a str) -> Option<&'a str> {
    let rest = message.strip_prefix(NEEDS).filter(|_| rule == "needed")?;
    rest.split([',', ';']).next()
}

/// Returns a message without its explanations: `needs glibc 2.34` of `the addon needs glibc 2.34; the oldest ...`.
pub(crate) fn short_reason<'a>(rule: &str, message: &'a str) -> &'a str {
    if let Some(library) = missing_library(rule, message) {
        // The verb belongs to the text as well.
        return message.get("the addon ".len().."the addon needs ".len() + library.len()).unwrap_or(message);
    }
    if rule == "damaged" {
        return message.split([':', ',']).next().unwrap_or(message);
    }
    // What follows is the limit, the system, or the loader's words.
    let ends = ["; ", ", which ", ": require() "];
    // The problem of a library begins with the library's name.
    let (library, problem) = message.split_at(message.find(LOADED).map_or(0, |at| at + LOADED.len()));
    let short = ends.iter().fold(problem, |short, end| short.split(end).next().unwrap_or(short));
    let short = message.get(..library.len() + short.len()).unwrap_or(message);
    short.strip_prefix("the addon ").unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_are_left_out() {
        for (rule, message, expected) in [
            ("needed", "the addon needs libx.so.1, which no system has", "needs libx.so.1"),
            ("needed", "the addon needs libx.so.1", "needs libx.so.1"),
            (
                "glibc-floor",
                "the addon needs glibc 2.34; the oldest supported version is 2.28",
                "needs glibc 2.34",
            ),
            ("damaged", "the file is an HTML page, not an addon: a download", "the file is an HTML page"),
            ("damaged", "the file is cut short: 1 byte of the 2 is missing", "the file is cut short"),
            (
                "imports",
                "a.dll, which the addon loads, needs b.dll, which Windows lacks",
                "a.dll, which the addon loads, needs b.dll",
            ),
            ("arch", "the addon claims a, but is a file, which only b loads", "claims a, but is a file"),
        ] {
            assert_eq!(short_reason(rule, message), expected);
        }
        assert_eq!(missing_library("needed", "the addon needs libx.so.1; it"), Some("libx.so.1"));
        assert_eq!(missing_library("imports", "the addon needs x.dll"), None);
    }
}
