//! The limits on input, memory and output, each with its unit and its reason.
//!
//! Every count and length in an audited file is hostile: a small file can claim any amount. A limit is far above the
//! values of real addons and packages, and low enough that an audit of any file ends in seconds and within the memory of
//! a small machine.

// Files

/// The size of a file, in bytes: 512 MiB. The largest published addons are about 150 MB.
pub const MAX_FILE: u64 = 512 << 20;

/// The memory for the names in all files of one audit, in bytes: 1 GiB. An addon with a hundred thousand names takes
/// about 10 MB.
pub const MAX_NAMES: u64 = 1 << 30;

/// The size of a package.json, in bytes: 1 MiB.
pub(crate) const MAX_MANIFEST: u64 = 1 << 20;

/// The size of a policy file, in bytes: 1 MiB. The file may be a device that never ends.
pub(crate) const MAX_POLICY: u64 = 1 << 20;

/// The depth of nested folders. The audit walks from each addon up to its package.
pub(crate) const MAX_FOLDER_DEPTH: usize = 128;

/// The size from which a file is heavy, in bytes: 64 MiB. An archive is always heavy, since it may hold such a file.
pub(crate) const MIN_HEAVY_FILE: u64 = 64 << 20;

/// The number of heavy files in memory at a time. Without this limit, each processor would hold one.
pub(crate) const MAX_HEAVY_FILES: usize = 4;

// package.json

/// The number of names in each of `os`, `cpu` and `libc` of a package.json. The rule `package` combines each name with
/// the names of the other two fields.
pub(crate) const MAX_PLATFORM_NAMES: usize = 64;

/// The number of Rust targets in the field `napi`. napi-rs knows about 30.
pub(crate) const MAX_NAPI_TARGETS: usize = 256;

/// The number of platform packages that a package.json lists. A rule compares each package with each target and each name
/// in the loader.
pub(crate) const MAX_PLATFORM_PACKAGES: usize = 512;

/// The number of paths in `exports` of a package.json that may lead to the loader.
pub(crate) const MAX_EXPORTED_PATHS: usize = 64;

/// The length of a version range, in bytes. npm does not read longer ranges.
pub(crate) const MAX_VERSION_RANGE: usize = 256;

/// The number of fields of a package.json whose lines are kept.
pub(crate) const MAX_FIELD_LINES: usize = 1000;

// JavaScript

/// The number of files of a package that may be its loader or its install script.
pub(crate) const MAX_SCRIPT_FILES: usize = 64;

/// The size of such a file, in bytes: 256 KiB. napi-rs' loaders are 35 KiB; a larger file is a bundle, which node-audit
/// skips.
pub(crate) const MAX_SCRIPT: u64 = 256 << 10;

/// The number of packages, and of addons, that a loader names.
pub(crate) const MAX_REQUIRES: usize = 512;

/// The length of a literal name, in bytes. npm allows 214 for a package.
pub(crate) const MAX_SPECIFIER: usize = 512;

// npm tarballs

/// The unpacked size of an archive, in bytes: 1 GiB. A few kilobytes of gzip can unpack to any amount.
pub(crate) const MAX_UNPACKED: u64 = 1 << 30;

/// The number of entries in an archive.
pub(crate) const MAX_ENTRIES: usize = 200_000;

/// The length of an entry's path, in bytes.
pub(crate) const MAX_ENTRY_PATH: usize = 1024;

/// The size of a table of extended attributes, which holds an entry's path, in bytes.
pub(crate) const MAX_ENTRY_TABLE: u64 = 64 << 10;

/// The memory for the names and package.json files of an archive, in bytes: 64 MiB.
pub(crate) const MAX_LISTED: u64 = 64 << 20;

/// The number of addons in an archive. Packages have about a hundred; the findings of the smallest addon take 10 KB.
pub(crate) const MAX_ARCHIVE_ADDONS: usize = 10_000;

// Names in all formats

/// The length of a name, in bytes. Real addons have mangled C++ names of several kilobytes.
pub(crate) const MAX_NAME: usize = 64 << 10;

/// The total length of the names in a string table or export trie, in bytes: 64 MiB.
pub(crate) const MAX_TABLE_NAMES: usize = 64 << 20;

/// The bytes that may be read from a string table, in multiples of its length. Names may overlap: a name may be the end
/// of another name, and each symbol version names its library.
pub(crate) const MAX_TABLE_READS: usize = 8;

/// The bytes that may be read from any string table, however small.
pub(crate) const MIN_TABLE_READ: usize = 64 << 10;

/// The number of names in a file. Node itself has about 75,000.
pub(crate) const MAX_NAME_COUNT: usize = 1 << 20;

// ELF

/// The number of DT_NEEDED entries. The audit looks for each library in each directory of a RUNPATH.
pub(crate) const MAX_NEEDED: usize = 512;

/// The number of entries in a dynamic table. Linkers write about thirty entries, plus one for each needed library.
pub(crate) const MAX_DYNAMIC_ENTRIES: usize = 4096;

/// The number of entries in an RPATH or RUNPATH. The audit looks on disk for each library in each entry.
pub(crate) const MAX_RUNPATH_ENTRIES: usize = 64;

/// The length of a section's name, in bytes. The sections of debug information have shorter names.
pub(crate) const MAX_SECTION_NAME: usize = 64;

/// The number of listed sections of debug information. Compilers write about thirty.
pub(crate) const MAX_LEFTOVERS: usize = 256;

/// The number of libraries that are read with an addon; the audit does not follow more. Packages ship about ten.
pub(crate) const MAX_LIBRARIES: usize = 64;

/// The number of passes over an archive: for its names, its addons, their libraries, and the libraries that these need.
/// The audit does not follow deeper needs.
pub(crate) const MAX_ARCHIVE_READS: usize = 8;

/// The number of segments of one kind (also in a Mach-O file), and of notes in one segment. Linkers write one to three.
pub(crate) const MAX_SEGMENTS: usize = 64;

/// The number of relocations in one table that are searched for a registered module.
pub(crate) const MAX_RELOCATIONS: usize = 1 << 20;

/// The highest index of a symbol version. An index has 15 bits, so no file has more versions.
pub(crate) const MAX_VERSION_INDEX: u16 = 0x7fff;

// Mach-O

/// The number of parts in a fat file. Apple's tools write about ten. A Java class begins with the same four bytes, and
/// has its version, at least 45, where a fat file has the number of parts.
pub(crate) const MAX_FAT_PARTS: u32 = 44;

/// The number of libraries, of directories to search, and of writable segments. The audit looks for each library in each
/// directory.
pub(crate) const MAX_LOAD_COMMANDS: usize = 512;

/// The length of a path in a load command, in bytes. macOS does not open a path of more than 1024 bytes.
pub(crate) const MAX_LOAD_PATH: usize = 4096;

/// The depth of an export trie: one node for each byte of the longest name, and the root.
pub(crate) const MAX_TRIE_DEPTH: usize = MAX_NAME + 1;

/// The number of code directories in a signature: one for each kind of hash.
pub(crate) const MAX_CODE_DIRECTORIES: usize = 6;

// PE

/// The number of sections. The reader looks up each address in all sections.
pub(crate) const MAX_SECTIONS: usize = 256;

/// The number of libraries that a file imports from.
pub(crate) const MAX_DLLS: usize = 1024;

/// The number of imported names. Lists may overlap, so a small file could name any number.
pub(crate) const MAX_IMPORTS: u32 = 1 << 18;

/// The number of exported names. Ordinals have 16 bits, but one function may have several names.
pub(crate) const MAX_EXPORTS: u32 = 1 << 18;

/// The number of entries in the debug directory. Linkers write fewer than 8.
pub(crate) const MAX_DEBUG_ENTRIES: u32 = 64;

// Paths of the build machine

/// The number of distinct paths that are kept; if a file has more, the rules say "at least".
pub(crate) const MAX_PATHS: usize = 10_000;

/// The length of a path that is kept, in bytes.
pub(crate) const MAX_PATH: usize = 1024;

/// The number of places at which a path may begin. Only a hostile file has more.
pub(crate) const MAX_PATH_STARTS: usize = 1 << 18;

// Files that are not addons

/// The number of characters of a title or a line that quotes a damaged file.
pub(crate) const MAX_QUOTED_LINE: usize = 80;

// Findings

/// The number of findings of one rule in one file; further findings are only counted.
pub(crate) const MAX_FINDINGS: usize = 100;

/// The length of each text of a finding, in bytes. File names may have any length, and tables of long texts are slow to
/// lay out.
pub(crate) const MAX_FINDING_TEXT: usize = 4096;

/// The number of names in the evidence of a finding.
pub(crate) const MAX_EVIDENCE_NAMES: usize = 5;

/// The number of characters of a name in evidence. Mangled C++ names fill a page.
pub(crate) const MAX_EVIDENCE_NAME: usize = 60;

/// The number of directories in the evidence of `build-path`.
pub(crate) const MAX_EVIDENCE_DIRECTORIES: usize = 6;

// Output

/// The number of names of a list that `--facts` prints.
pub(crate) const MAX_FACT_NAMES: usize = 12;

/// The fewest columns of a table, even on a narrower terminal.
pub(crate) const MIN_TABLE_WIDTH: u16 = 60;

/// The fewest columns of running text, even on a narrower terminal.
pub(crate) const MIN_PROSE_WIDTH: u16 = 30;

/// The most columns of a table, even on a wider terminal.
pub(crate) const MAX_TABLE_WIDTH: u16 = 120;

/// The number of platforms that a verdict lists for one reason.
pub(crate) const MAX_VERDICT_PLATFORMS: usize = 6;

/// The number of libraries of other packages that a verdict lists.
pub(crate) const MAX_VERDICT_LIBRARIES: usize = 3;

/// The number of reasons for failures that a verdict lists.
pub(crate) const MAX_VERDICT_REASONS: usize = 3;

/// The number of platforms or platform packages that evidence lists.
pub(crate) const MAX_LISTED_PLATFORMS: usize = 40;

/// The number of columns for the package names in a summary.
pub(crate) const MAX_PACKAGE_WIDTH: usize = 30;

/// The number of files that are listed for a finding.
pub(crate) const MAX_TABLE_FILES: usize = 20;

/// The number of addons from which a progress bar appears. Fewer addons are read within a second.
pub const MIN_PROGRESS_ADDONS: u64 = 20;

/// The number of imports without a version that are looked up. The search for the first glibc that exports a name
/// computes up to 42 hashes.
pub(crate) const MAX_UNVERSIONED: usize = 10_000;
