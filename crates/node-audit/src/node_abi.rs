//! The ABIs of Node and Electron (NODE_MODULE_VERSION), by the registry that both share.

/// The start of the entry point's name in an addon that calls V8; the ABI's number follows.
pub(crate) const ENTRY_PREFIX: &str = "node_register_module_v";

/// The ABI of Node 0.10.
pub(crate) const FIRST: u32 = 11;

/// Each ABI, and the release that has it.
const ABIS: [(&str, &str); 60] = [
    ("11", "Node 0.10"),
    ("14", "Node 0.12"),
    ("46", "Node 4"),
    ("47", "Node 5"),
    ("48", "Node 6"),
    ("51", "Node 7"),
    ("57", "Node 8"),
    ("59", "Node 9"),
    ("64", "Node 10"),
    ("67", "Node 11"),
    ("72", "Node 12"),
    ("79", "Node 13"),
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

/// Returns the release with an ABI: `Node 20`, `Electron 33`.
pub(crate) fn release(abi: &str) -> Option<&'static str> {
    ABIS.iter().find(|(known, _)| *known == abi).map(|(_, release)| *release)
}

/// Returns the ABI of a release of Node, by the release's first number.
pub(crate) fn of_node(release: &str) -> Option<u32> {
    let name = format!("Node {release}");
    ABIS.iter().find(|(_, known)| *known == name).and_then(|(abi, _)| abi.parse().ok())
}
