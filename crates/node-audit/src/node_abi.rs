//! The ABIs of Node and Electron (NODE_MODULE_VERSION), from the registry that both share.
//!
//! Electron had its own ABIs before the registry; these come from the npm package node-abi 3.74.0.

use crate::version::Version;

/// The start of the entry point's name in an addon that calls V8; the ABI's number follows.
pub(crate) const ENTRY_PREFIX: &str = "node_register_module_v";

/// The ABI of Node 0.10.
pub(crate) const FIRST: u32 = 11;

/// The oldest line of Node whose releases are still in wide use. The default floors are the needs of these releases.
const OLDEST_SUPPORTED: u32 = 20;

/// Each ABI, and the release that has it.
const ABIS: [(&str, &str); 70] = [
    ("11", "Node 0.10"),
    ("14", "Node 0.12"),
    ("46", "Node 4"),
    ("47", "Node 5"),
    ("48", "Node 6"),
    ("49", "Electron 1.3"),
    ("50", "Electron 1.4"),
    ("51", "Node 7"),
    ("53", "Electron 1.6"),
    ("54", "Electron 1.7"),
    ("57", "Node 8"),
    ("59", "Node 9"),
    ("64", "Node 10"),
    ("67", "Node 11"),
    ("69", "Electron 4"),
    ("70", "Electron 5"),
    ("72", "Node 12"),
    ("73", "Electron 6"),
    ("75", "Electron 7"),
    ("76", "Electron 8"),
    ("79", "Node 13"),
    ("80", "Electron 9"),
    ("82", "Electron 10"),
    ("83", "Node 14"),
    ("85", "Electron 11"),
    ("87", "Electron 12"),
    ("88", "Node 15"),
    ("89", "Electron 13"),
    ("93", "Node 16"),
    ("97", "Electron 14"),
    ("98", "Electron 15"),
    ("99", "Electron 16"),
    ("101", "Electron 17"),
    ("102", "Node 17"),
    ("103", "Electron 18"),
    ("106", "Electron 19"),
    ("107", "Electron 20"),
    ("108", "Node 18"),
    ("109", "Electron 21"),
    ("110", "Electron 22"),
    ("111", "Node 19"),
    ("113", "Electron 23"),
    ("114", "Electron 24"),
    ("115", "Node 20"),
    ("116", "Electron 25 and 26"),
    ("118", "Electron 27"),
    ("119", "Electron 28"),
    ("120", "Node 21"),
    ("121", "Electron 29"),
    ("123", "Electron 30"),
    ("125", "Electron 31"),
    ("127", "Node 22"),
    ("128", "Electron 32"),
    ("130", "Electron 33"),
    ("131", "Node 23"),
    ("132", "Electron 34"),
    ("133", "Electron 35"),
    ("135", "Electron 36"),
    ("136", "Electron 37"),
    ("137", "Node 24"),
    ("139", "Electron 38"),
    ("140", "Electron 39"),
    ("141", "Node 25"),
    ("143", "Electron 40"),
    ("145", "Electron 41"),
    ("146", "Electron 42"),
    ("147", "Node 26"),
    ("148", "Electron 43"),
    ("149", "Electron 44"),
    ("150", "Electron 45"),
];

/// The releases of Electron that had a Node ABI.
const SHARED: [(u32, &str); 5] = [
    (47, "Electron 0.36"),
    (48, "Electron 1.1"),
    (51, "Electron 1.5"),
    (57, "Electron 1.8 and 2"),
    (64, "Electron 3"),
];

/// Returns the release with an ABI: `Node 20`, `Electron 33`.
pub(crate) fn release(abi: &str) -> Option<&'static str> {
    ABIS.iter().find(|(known, _)| *known == abi).map(|(_, release)| *release)
}

/// Returns the ABI of a release of Node: `20`, `20.0.0`, `0.12`.
pub(crate) fn of_node(release: &str) -> Option<u32> {
    of_release("Node", release)
}

/// Returns the ABI of a release of Electron.
pub(crate) fn of_electron(release: &str) -> Option<u32> {
    of_release("Electron", release)
}

fn of_release(program: &str, release: &str) -> Option<u32> {
    let mut parts = release.split('.');
    let line = match (parts.next()?, parts.next()) {
        // Before version 1, the second number names the line.
        ("0", Some(minor)) => line("0", minor)?,
        (major, _) => line(major, "0")?,
    };
    let row = ABIS.iter().find(|(_, text)| lines(program, text).contains(&line));
    row.and_then(|(abi, _)| abi.parse().ok())
}

/// Returns the line of Node with an ABI: 20.0 for 115.
pub(crate) fn node(abi: u32) -> Option<Version> {
    lines("Node", release(&abi.to_string())?).into_iter().next()
}

/// Returns the lines of Electron with an ABI.
pub(crate) fn electron(abi: u32) -> Vec<Version> {
    let shared = SHARED.iter().find(|(known, _)| *known == abi).map(|(_, text)| *text);
    shared.or_else(|| release(&abi.to_string())).map_or_else(Vec::new, |text| lines("Electron", text))
}

/// Returns every line of Node, the oldest first.
pub(crate) fn node_lines() -> Vec<Version> {
    ABIS.iter().flat_map(|(_, text)| lines("Node", text)).collect()
}

/// Returns every line of Electron, the oldest first.
pub(crate) fn electron_lines() -> Vec<Version> {
    let mut all: Vec<Version> = ABIS
        .iter()
        .map(|(_, text)| *text)
        .chain(SHARED.iter().map(|(_, text)| *text))
        .flat_map(|text| lines("Electron", text))
        .collect();
    all.sort_unstable();
    all
}

/// Returns whether a line of Node has an even number, and so long-term support, or is a 0.x line.
pub(crate) fn is_long_term(line: Version) -> bool {
    line.major == 0 || line.major.is_multiple_of(2)
}

/// Returns whether a line of Node is supported, or was until recently.
pub(crate) fn is_supported(line: Version) -> bool {
    line.major >= OLDEST_SUPPORTED && is_long_term(line)
}

/// Returns the lines in an entry of [`ABIS`]; an empty list if the entry is about another program.
fn lines(program: &str, text: &str) -> Vec<Version> {
    let numbers = text.strip_prefix(program).and_then(|rest| rest.strip_prefix(' '));
    let numbers = numbers.into_iter().flat_map(|numbers| numbers.split(" and "));
    numbers
        .filter_map(|number| line(number.split_once('.').map_or(number, |parts| parts.0), minor(number)))
        .collect()
}

fn minor(number: &str) -> &str {
    number.split_once('.').map_or("0", |(_, minor)| minor)
}

fn line(major: &str, minor: &str) -> Option<Version> {
    Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()?, patch: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abis_increase_and_each_has_a_release() {
        let numbers: Vec<u32> = ABIS.iter().map(|(abi, _)| abi.parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        for (abi, text) in ABIS {
            assert!(!lines("Node", text).is_empty() || !lines("Electron", text).is_empty(), "{abi}");
        }
        assert!(node_lines().is_sorted() && electron_lines().is_sorted());
    }

    #[test]
    fn a_release_and_its_abi_map_to_each_other() {
        for (release, abi) in [("20", 115), ("20.1.0", 115), ("0.12", 14), ("0.10.48", 11), ("22.23.3", 127)]
        {
            assert_eq!(of_node(release), Some(abi), "{release}");
        }
        assert_eq!((of_node("0.99"), of_node("999"), of_node("x"), of_node("")), (None, None, None, None));
        assert_eq!(
            (of_electron("39.2.7"), of_electron("26"), of_electron("20.0.0")),
            (Some(140), Some(116), Some(107))
        );
        assert_eq!(node(115), line("20", "0"));
        assert_eq!((node(98), node(9999)), (None, None));
        assert_eq!(electron(50), [line("1", "4").unwrap()]);
        assert_eq!(electron(57).len(), 2);
        assert_eq!(electron(115), []);
    }

    #[test]
    fn even_lines_from_node_20_on_are_supported() {
        let supported: Vec<u32> =
            node_lines().into_iter().filter(|line| is_supported(*line)).map(|line| line.major).collect();
        assert_eq!(supported, [20, 22, 24, 26]);
    }
}
