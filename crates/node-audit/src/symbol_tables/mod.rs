//! Tables of the names that the C libraries, the compilers' libraries and Node export.
//!
//! `symbols/make.py` generates the tables from the packages that `sources.txt` names, and describes their format. The
//! tables hold 40-bit hashes: a name that no library has collides with another name in 1 of 5 million cases.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::platform::{Cpu, Libc};
use crate::version::Version;

/// The hashes of the names, and the sets of columns that have them.
static NAMES: &[u8] = include_bytes!("names.bin");

/// The columns, in the order of their bits, with the sources of each.
const SOURCES: &str = include_str!("sources.txt");

/// The C libraries and the compilers' libraries in the tables, by the name between `lib` and `.so`. musl's loader
/// provides most of these libraries itself.
const LIBRARIES: [&str; 8] = ["c", "dl", "gcc_s", "m", "pthread", "rt", "stdc++", "util"];

/// The prefixes of the names of loaders.
const LOADERS: [&str; 3] = ["ld-linux", "ld-musl-", "ld64."];

/// The newest glibc in the tables is 2.43; a test compares the number with the sources.
const LAST_GLIBC: u32 = 43;

/// The size of a set of columns, and of a name (the rest of the hash, and the set's number), in bytes.
const SET: usize = 8;
const ENTRY: usize = 5;

/// The number of values of a hash's first two bytes.
const BUCKETS: usize = 1 << 16;

/// A set of columns, with a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Columns(u64);

impl Columns {
    /// Returns the columns of both sets.
    pub(crate) fn or(self, other: Columns) -> Columns {
        Columns(self.0 | other.0)
    }

    /// Returns whether the sets have a column in common.
    pub(crate) fn meets(self, other: Columns) -> bool {
        self.0 & other.0 != 0
    }
}

/// A release of Node whose exports are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeRelease {
    /// `linux`, `darwin`, `win32`.
    os: &'static str,
    pub(crate) version: Version,
    pub(crate) column: Columns,
    /// `true` if the release is the newest known release of its line (22.x).
    pub(crate) newest: bool,
}

/// The tables, with an index.
struct Tables {
    columns: Vec<&'static str>,
    nodes: Vec<NodeRelease>,
    sets: Vec<Columns>,
    /// The entries of the names, sorted by hash.
    entries: &'static [u8],
    /// The position of the first name with each value of a hash's first two bytes, and the count of all names.
    starts: Vec<usize>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

/// Returns the columns that have a name, or `name@version`.
pub(crate) fn columns_of(name: &str) -> Columns {
    TABLES.find(name).unwrap_or_default()
}

/// Returns whether the tables have the names of a library on Linux.
pub(crate) fn has_library(library: &str) -> bool {
    let name = library.strip_prefix("lib").and_then(|rest| rest.split_once(".so")).map(|(name, _)| name);
    name.is_some_and(|name| LIBRARIES.contains(&name) || name.starts_with("c.musl-"))
        || LOADERS.iter().any(|start| library.starts_with(start))
}

/// Returns the column of a C library and the libraries that every Node is linked to; None for a processor without a
/// table.
pub(crate) fn system(libc: Libc, cpu: Cpu) -> Option<Columns> {
    TABLES.column(&format!("{libc}-{cpu}"))
}

/// Returns the column of macOS's C library.
pub(crate) fn lib_system() -> Option<Columns> {
    TABLES.column("libSystem")
}

/// Returns the known releases of Node for a system: `linux`, `darwin`, `win32`.
pub(crate) fn nodes(os: &str) -> impl Iterator<Item = &'static NodeRelease> {
    TABLES.nodes.iter().filter(move |node| node.os == os)
}

/// Returns the first glibc for a processor that exports a name; None for a name that glibc lacks.
///
/// An import without a version binds to any version of the name.
pub(crate) fn first_glibc(name: &str, cpu: Cpu) -> Option<Version> {
    let column = system(Libc::Glibc, cpu)?;
    // On x64, the first version is 2.2.5, which most names have.
    let has = |version: &Version| columns_of(&format!("{name}@GLIBC_{version}")).meets(column);
    let columns = columns_of(name);
    let is_known = columns.meets(column) && !nodes("linux").any(|node| columns.meets(node.column));
    let versions = (3..=LAST_GLIBC).map(|minor| Version { major: 2, minor, patch: 0 });
    let first = Version { major: 2, minor: 2, patch: 5 };
    std::iter::once(first).chain(versions).filter(|_| is_known).find(has)
}

/// Returns whether a release of Node for a processor may have a name: a known release on any system, or an unknown
/// release.
pub(crate) fn may_be_nodes(name: &str, cpu: Option<Cpu>) -> bool {
    let columns = columns_of(name);
    let is_known = matches!(cpu, Some(Cpu::X64 | Cpu::Arm64));
    !is_known || TABLES.nodes.iter().any(|node| node.column.meets(columns))
}

impl Tables {
    fn new() -> Tables {
        let mut columns: Vec<&'static str> = Vec::new();
        let lines = SOURCES.lines().filter(|line| !line.starts_with('#'));
        for column in lines.filter_map(|line| Some(line.split_once(": ")?.0)) {
            if columns.last() != Some(&column) {
                columns.push(column);
            }
        }
        let (count, rest) = NAMES.split_first_chunk().unwrap_or((&[0; 2], &[]));
        let (sets, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes(*count)) * SET).unwrap_or_default();
        let (counts, entries) = rest.split_at_checked(BUCKETS).unwrap_or_default();
        let mut starts = vec![0];
        let mut start = 0;
        for count in counts {
            start += usize::from(*count);
            starts.push(start);
        }
        let sets = sets.as_chunks::<SET>().0.iter().map(|set| Columns(u64::from_le_bytes(*set))).collect();
        Tables { nodes: releases(&columns), columns, sets, entries, starts }
    }

    fn column(&self, name: &str) -> Option<Columns> {
        self.columns.iter().position(|column| *column == name).map(|bit| Columns(1 << bit))
    }

    fn find(&self, name: &str) -> Option<Columns> {
        let hash = Sha256::digest(name.as_bytes());
        let [first, second, rest @ ..] = hash.first_chunk::<5>()?;
        let bucket = usize::from(u16::from_be_bytes([*first, *second]));
        let range = self.starts.get(bucket)? * ENTRY..self.starts.get(bucket + 1)? * ENTRY;
        let mut entries = self.entries.get(range)?.as_chunks::<ENTRY>().0.iter();
        let [.., low, high] = entries.find(|entry| entry.starts_with(rest))?;
        self.sets.get(usize::from(u16::from_le_bytes([*low, *high]))).copied()
    }
}

/// Returns the releases of Node among the columns: `node-linux-22.23.3`.
fn releases(columns: &[&'static str]) -> Vec<NodeRelease> {
    let mut nodes = Vec::new();
    for (bit, column) in columns.iter().enumerate() {
        let name = column.strip_prefix("node-").and_then(|name| name.split_once('-'));
        if let Some((os, version)) = name
            && let Ok(version) = version.parse()
        {
            nodes.push(NodeRelease { os, version, column: Columns(1 << bit), newest: false });
        }
    }
    for index in 0..nodes.len() {
        let NodeRelease { os, version, .. } = nodes[index];
        let later = |node: &NodeRelease| {
            node.os == os && node.version.major == version.major && node.version > version
        };
        nodes[index].newest = !nodes.iter().any(later);
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_has_its_typical_names() {
        let x64 = |libc| system(libc, Cpu::X64).unwrap();
        let has = |column: Columns, name: &str| columns_of(name).meets(column);
        let glibc = x64(Libc::Glibc);
        for name in [
            "malloc",
            "fcntl64",
            "dlopen",
            "pthread_create@GLIBC_2.34",
            "@GLIBC_2.2.5",
            "_Znwm",
            "_Unwind_Resume",
        ] {
            assert!(has(glibc, name), "{name}");
        }
        for name in ["some_missing_function", "", "uv_default_loop", "malloc@GLIBC_2.17", "@GLIBC_2.99"] {
            assert!(!has(glibc, name), "{name}");
        }
        assert!(has(system(Libc::Glibc, Cpu::Arm64).unwrap(), "malloc@GLIBC_2.17"));
        // musl lacks fcntl64, and its loader resolves open64 without the symbol table.
        let musl = x64(Libc::Musl);
        for (name, expected) in
            [("open64", true), ("readdir64_r", true), ("stat64", true), ("fcntl64", false)]
        {
            assert_eq!(has(musl, name), expected, "{name}");
        }
        assert!(has(lib_system().unwrap(), "malloc") && has(lib_system().unwrap(), "dyld_stub_binder"));
        assert_eq!(system(Libc::Glibc, Cpu::Arm), None);
        assert_eq!(system(Libc::Bionic, Cpu::X64), None);
    }

    #[test]
    fn a_name_without_a_version_has_a_first_glibc() {
        for (name, expected) in [
            ("strlcpy", Some("2.38")),
            ("arc4random", Some("2.36")),
            ("__isoc23_strtol", Some("2.38")),
            ("memcpy", Some("2.2.5")),
            ("napi_create_function", None),
            ("_Znwm", None),
            ("some_missing_function", None),
        ] {
            let first = first_glibc(name, Cpu::X64).map(|version| version.to_string());
            assert_eq!(first.as_deref(), expected, "{name}");
        }
        assert_eq!(first_glibc("memcpy", Cpu::Arm64).map(|version| version.minor), Some(17));
        assert_eq!(first_glibc("memcpy", Cpu::Arm), None);
    }

    #[test]
    fn the_newest_glibc_matches_the_sources() {
        let minors: Vec<u32> = SOURCES
            .lines()
            .filter_map(|line| {
                line.strip_prefix("glibc-")?.split_once(" libc6 2.")?.1.split('-').next()?.parse().ok()
            })
            .collect();
        assert_eq!(minors, [LAST_GLIBC; 2], "x64 and arm64");
    }

    #[test]
    fn each_node_exports_node_api_and_libuv_and_v8() {
        for os in ["linux", "darwin", "win32"] {
            let lines: Vec<u32> =
                nodes(os).filter(|node| node.newest).map(|node| node.version.major).collect();
            assert_eq!(lines, [20, 22, 24, 26], "{os}");
            for node in nodes(os) {
                let v8 = if os == "win32" {
                    "?GetCurrent@Isolate@v8@@SAPEAV12@XZ"
                } else {
                    "_ZN2v87Isolate10GetCurrentEv"
                };
                for name in ["napi_create_function", "uv_default_loop", "SSL_new", "inflate", v8] {
                    assert!(columns_of(name).meets(node.column), "{os} {} {name}", node.version);
                }
                assert!(!columns_of("some_missing_function").meets(node.column));
            }
        }
    }

    #[test]
    fn the_table_is_consistent() {
        let Tables { columns, entries, starts, sets, .. } = Tables::new();
        assert!(columns.len() <= 64 && starts.len() == BUCKETS + 1);
        assert_eq!(entries.len(), starts.last().unwrap() * ENTRY);
        let bits = sets.iter().fold(0, |bits, set| bits | set.0);
        assert_eq!(bits, (1 << columns.len()) - 1, "each column has names");
    }
}
