//! Shortens the message of a finding, for verdicts and summaries.

use crate::library::LOADED;

/// The start of the message about a library that the system lacks.
const NEEDS: &str = "the addon needs ";

/// The start of the clause that names the releases of Node that load the addon, if other promised releases do not.
pub(crate) const LOADS_IN: &str = "; the addon loads in ";

/// Returns the releases that load the addon, from a finding's message: `Node 22 and later`.
pub(crate) fn loads_in(message: &str) -> Option<&str> {
    Some(message.rsplit_once(LOADS_IN)?.1)
}

/// The start of the message about addons that only unsupported releases of Node load, in a summary.
pub(crate) const LOADS_ONLY_IN: &str = "the addon loads only in ";

/// The start of the message about a package that leaves its addons to platform packages.
pub(crate) const NO_OWN_ADDON: &str = "the package has no addon itself; ";

/// The start of the messages about install scripts.
pub(crate) const NPM_RUNS: &str = "npm runs ";

/// The message about promised platforms without an addon.
pub(crate) const PROMISES_MORE: &str = "the package promises platforms for which it has no addon";

/// The message about addons that npm never installs.
pub(crate) const NOT_INSTALLED: &str =
    "the package has addons for platforms on which npm does not install it";

/// The message about packages that the loader requires and package.json does not list.
pub(crate) const UNLISTED: &str =
    "the loader requires packages that package.json does not list, so npm does not install them";

/// The end of the message about internal functions of glibc: an addon that calls them loads only until glibc is updated.
pub(crate) const FITS_ONE_GLIBC: &str =
    "calls internal functions of glibc, which fit one build of glibc only";

/// The words for [`FITS_ONE_GLIBC`] in a verdict.
pub(crate) const MAY_FAIL_LATER: &str = "may fail after a glibc update";

/// Returns the library that an addon needs and lacks, from the message of the rule `needed`.
pub(crate) fn missing_library<'a>(rule: &str, message: &'a str) -> Option<&'a str> {
    let rest = message.strip_prefix(NEEDS).filter(|_| rule == "needed")?;
    rest.split([',', ';']).next()
}

/// Returns a message without its explanations: `needs glibc 2.34` of `the addon needs glibc 2.34; the oldest ...`.
pub(crate) fn short_reason<'a>(rule: &str, message: &'a str) -> &'a str {
    if let Some(library) = missing_library(rule, message) {
        // The short text includes the verb.
        return message.get("the addon ".len().."the addon needs ".len() + library.len()).unwrap_or(message);
    }
    if rule == "damaged" {
        return message.split([':', ',']).next().unwrap_or(message);
    }
    // The limit, the system or the loader's message follows these separators.
    let ends = ["; ", ", which ", ": require() "];
    // The message about a library begins with the library's name.
    let of_library = LOADED.trim_end_matches(", ");
    let end = message.find(of_library).map_or(0, |at| (at + LOADED.len()).min(message.len()));
    let (library, problem) = message.split_at_checked(end).unwrap_or(("", message));
    let short = ends.iter().fold(problem, |short, end| short.split(end).next().unwrap_or(short));
    let short = message.get(..library.len() + short.len()).unwrap_or(message);
    short.strip_prefix("the addon ").unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_are_omitted() {
        for (rule, message, expected) in [
            ("needed", "the addon needs libx.so.1, which no system has", "needs libx.so.1"),
            ("needed", "the addon needs libx.so.1", "needs libx.so.1"),
            (
                "glibc-floor",
                "the addon needs glibc 2.34; the oldest supported version is 2.28",
                "needs glibc 2.34",
            ),
            ("damaged", "the file is an HTML page, not an addon: a download", "the file is an HTML page"),
            (
                "damaged",
                "the file is cut short: the ELF headers describe 2 bytes, but the last 1 byte is missing",
                "the file is cut short",
            ),
            (
                "imports",
                "a.dll, which the addon loads, needs b.dll, which Windows lacks",
                "a.dll, which the addon loads, needs b.dll",
            ),
            (
                "undefined-symbols",
                "liba.so.1, which the addon loads: x is not in glibc, in a loaded library or in Node 22: require() \
                 fails with",
                "liba.so.1, which the addon loads: x is not in glibc, in a loaded library or in Node 22",
            ),
            ("arch", "the addon claims a, but is a file, which only b loads", "claims a, but is a file"),
        ] {
            assert_eq!(short_reason(rule, message), expected);
        }
        assert_eq!(missing_library("needed", "the addon needs libx.so.1; it"), Some("libx.so.1"));
        assert_eq!(missing_library("imports", "the addon needs x.dll"), None);
    }
}
