//! The releases of Node that package.json's `engines.node` promises.

use nodejs_semver::Range;

use crate::limits::MAX_VERSION_RANGE;

/// Parses a range as npm does; None for a string that npm refuses.
pub(crate) fn range(promise: &str) -> Option<Range> {
    if promise.len() > MAX_VERSION_RANGE || !promise.split("||").all(are_comparators) {
        return None;
    }
    Range::parse(promise).ok()
}

/// Returns whether a range admits every release, and so promises no particular release.
pub(crate) fn admits_every_release(range: &Range) -> bool {
    Range::parse(">=0.0.0").is_ok_and(|all| range.allows_all(&all))
}

/// Returns whether a part of a range consists only of versions and operators. npm refuses other words, and `Range` skips
/// them.
fn are_comparators(part: &str) -> bool {
    // `true` after an operator whose version has not appeared yet.
    let mut waiting = false;
    for (position, word) in part.split_whitespace().enumerate() {
        let version = word.trim_start_matches(['<', '>', '=', '~', '^']);
        let number = version.strip_prefix('v').unwrap_or(version);
        let hyphen = word == "-" && position > 0;
        waiting = if version.is_empty() || hyphen {
            if waiting {
                return false;
            }
            true
        } else if number.starts_with(|first: char| first.is_ascii_digit() || "xX*".contains(first)) {
            false
        } else {
            return false;
        };
    }
    !waiting
}
