//! Formats evidence: names, versions and sizes.

use crate::facts::VersionNeed;
use crate::limits::{MAX_EVIDENCE_NAME, MAX_EVIDENCE_NAMES};

/// Returns the first names of a list, and the number of the other names: `a, b, c and 12 more`.
pub(super) fn first_names<T: AsRef<str>>(names: &[T]) -> String {
    let first = names.iter().take(MAX_EVIDENCE_NAMES).map(|name| short_name(name.as_ref()));
    let first = first.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_EVIDENCE_NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Returns a name, cut to a readable length.
pub(crate) fn short_name(name: &str) -> String {
    // A symbol may have an empty name, which the evidence must show.
    if name.is_empty() {
        return "\"\"".to_owned();
    }
    match name.char_indices().nth(MAX_EVIDENCE_NAME) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    }
}

/// Returns a needed version, the library that must have it, and the symbols that need it.
pub(super) fn version_need(need: &VersionNeed) -> String {
    let symbols = if need.symbols.is_empty() { "no symbol".to_owned() } else { first_names(&need.symbols) };
    format!("{} of {} for {symbols}", need.version, need.library)
}

/// Returns a size with a unit: `1.2 MB`, `350.0 kB`, `12 bytes`.
pub(super) fn readable_size(bytes: u64) -> String {
    // The size in tenths of the unit, rounded.
    let tenths = |unit: u64| bytes / (unit / 10) + u64::from(bytes % (unit / 10) >= unit / 20);
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..999_950 => (1_000, "kB"),
        999_950..999_950_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", tenths(unit) / 10, tenths(unit) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_a_tenth() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_049, "1.0 kB"),
            (1_050, "1.1 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (32_000_000, "32.0 MB"),
            (8_000_000, "8.0 MB"),
            (999_950_000, "1.0 GB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(readable_size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn long_lists_and_names_are_cut() {
        assert_eq!(first_names(&["a", "", "c"]), "a, \"\", c");
        assert_eq!(first_names(&["a"; MAX_EVIDENCE_NAMES + 2]), "a, a, a, a, a and 2 more");
        assert_eq!(short_name(&"x".repeat(MAX_EVIDENCE_NAME + 1)), "x".repeat(MAX_EVIDENCE_NAME) + "...");
    }
}
