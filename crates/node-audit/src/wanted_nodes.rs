//! The lines of Node in which the addons of a package should load.

use nodejs_semver::Range;

use crate::engines;
use crate::node_abi;
use crate::version::Version;

/// The lines of Node in which the addons of a package should load: the supported lines that engines.node promises, or all
/// promised lines if no supported line is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedNodes {
    lines: Vec<Version>,
}

impl WantedNodes {
    /// Returns the lines for an engines.node. A range that npm cannot read promises nothing.
    pub(crate) fn of(engines: Option<&str>) -> WantedNodes {
        let range = engines.and_then(engines::range);
        let is_promised = |line: &Version| range.as_ref().is_none_or(|range| admits(range, *line));
        let promised: Vec<Version> = node_abi::node_lines().into_iter().filter(is_promised).collect();
        let supported: Vec<Version> =
            promised.iter().copied().filter(|line| node_abi::is_supported(*line)).collect();
        WantedNodes { lines: if supported.is_empty() { promised } else { supported } }
    }

    /// Returns whether a line is wanted.
    pub(crate) fn contains(&self, line: Version) -> bool {
        self.lines.contains(&line)
    }

    /// Returns the oldest wanted line.
    pub(crate) fn oldest(&self) -> Option<Version> {
        self.lines.first().copied()
    }
}

/// Returns whether a range admits a release of a line.
fn admits(range: &Range, Version { major, minor, .. }: Version) -> bool {
    let line = match major {
        0 => format!(">=0.{minor}.0 <0.{}.0", minor + 1),
        major => format!(">={major}.0.0 <{}.0.0", major + 1),
    };
    Range::parse(line).is_ok_and(|line| range.allows_any(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_lines_are_wanted_only_if_no_supported_line_is_promised() {
        for (engines, expected) in [
            (None, &[20, 22, 24, 26][..]),
            (Some("no range"), &[20, 22, 24, 26]),
            (Some("*"), &[20, 22, 24, 26]),
            (Some(">=14.15.4"), &[20, 22, 24, 26]),
            (Some(">=22.3.0"), &[22, 24, 26]),
            (Some("^20.0.0 || >=24"), &[20, 24, 26]),
            (Some(">=10 <12"), &[10, 11]),
            (Some("^18.17.0"), &[18]),
            (Some(">=21 <22"), &[21]),
            (Some(">=999"), &[]),
        ] {
            let majors: Vec<u32> = WantedNodes::of(engines).lines.iter().map(|line| line.major).collect();
            assert_eq!(majors, expected, "{engines:?}");
        }
    }
}
