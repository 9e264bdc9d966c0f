//! Every limit on input, memory and output, each with its unit and its reason.
//!
//! Every count and length in an audited file is hostile: a small file can name any amount. A limit is far above what real
//! addons and packages have, and low enough that an audit of any file ends in seconds and within the memory of a small machine.

// Files

/// Bytes of a file: 512 MiB. The largest published addons have some 150 MB.
pub const MAX_FILE: u64 = 512 << 20;

/// Bytes of memory for the names in all files of one audit: 1 GiB. An addon with a hundred thousand names takes some 10 MB.
pub const MAX_NAMES: u64 = 1 << 30;

/// Bytes of a package.json: 1 MiB.
pub(crate) const MAX_MANIFEST: u64 = 1 << 20;

/// Bytes of a policy file: 1 MiB. The file may be a device without an end.
pub(crate) const MAX_POLICY: u64 = 1 << 20;

/// Folders within each other. Each addon's way up to its package is walked.
pub(crate) const MAX_FOLDER_DEPTH: usize = 128;

/// Bytes from which on a file counts as heavy: 64 MiB. An archive counts as heavy, since it may hold such a file.
pub(crate) const MIN_HEAVY_FILE: u64 = 64 << 20;

/// Heavy files in memory at a time. Without this limit there would be one for each processor.
pub(crate) const MAX_HEAVY_FILES: usize = 4;

// package.json

/// Names in each of `os`, `cpu` and `libc` of a package.json. The package rule combines each name with each of the others.
pub(crate) const MAX_PLATFORM_NAMES: usize = 64;

/// Rust targets in the field `napi`. napi-rs knows some 30.
pub(crate) const MAX_NAPI_TARGETS: usize = 256;

/// Packages of platforms that a package.json lists. Each is compared with each target and each name in the loader.
pub(crate) const MAX_PLATFORM_PACKAGES: usize = 512;

/// Paths in `exports` of a package.json that may lead to the loader.
pub(crate) const MAX_EXPORTED_PATHS: usize = 64;

/// Bytes of a range of versions. npm reads no longer range.
pub(crate) const MAX_VERSION_RANGE: usize = 256;

/// Fields of a package.json whose lines are kept.
pub(crate) const MAX_FIELD_LINES: usize = 1000;

// JavaScript

/// Files of a package that may be its loader or its install script.
pub(crate) const MAX_SCRIPT_FILES: usize = 64;

/// Bytes of such a file: 256 KiB. napi-rs' loaders have 35 KiB; a larger file is a bundle, which node-audit skips.
pub(crate) const MAX_SCRIPT: u64 = 256 << 10;

/// Packages, and addons, that a loader names.
pub(crate) const MAX_REQUIRES: usize = 512;

/// Bytes of a literal name. npm allows 214 for a package.
pub(crate) const MAX_SPECIFIER: usize = 512;

// npm tarballs

/// Bytes that an archive unpacks to: 1 GiB. A few kilobytes of gzip can unpack to any amount.
pub(crate) const MAX_UNPACKED: u64 = 1 << 30;

/// Entries of an archive.
pub(crate) const MAX_ENTRIES: usize = 200_000;

/// Bytes of an entry's path.
pub(crate) const MAX_ENTRY_PATH: usize = 1024;

/// Bytes of a table of extended attributes, which holds an entry's path.
pub(crate) const MAX_ENTRY_TABLE: u64 = 64 << 10;

/// Bytes of memory for the names and package.json files of an archive: 64 MiB.
pub(crate) const MAX_LISTED: u64 = 64 << 20;

/// Addons of an archive. Packages have some hundred; the findings of the smallest addon take 10 KB.
pub(crate) const MAX_ARCHIVE_ADDONS: usize = 10_000;

// Names in all formats

/// Bytes of a name. Mangled C++ names of several kilobytes are real.
pub(crate) const MAX_NAME: usize = 64 << 10;

/// Bytes of all names in a string table or export trie: 64 MiB.
pub(crate) const MAX_TABLE_NAMES: usize = 64 << 20;

/// Reads of a string table, in multiples of its length. Names may overlap: a name may be the end of another, and each symbol
/// version names its library.
pub(crate) const MAX_TABLE_READS: usize = 8;

/// Bytes that may be read of any string table, however small.
pub(crate) const MIN_TABLE_READ: usize = 64 << 10;

/// Names in a file. Node itself has some 75,000.
pub(crate) const MAX_NAME_COUNT: usize = 1 << 20;

// ELF

/// DT_NEEDED entries. Each library is looked for in each directory of a RUNPATH.
pub(crate) const MAX_NEEDED: usize = 512;

/// Entries of a dynamic table. Linkers write some thirty, and one for each library.
pub(crate) const MAX_DYNAMIC_ENTRIES: usize = 4096;

/// Entries of an RPATH or RUNPATH. Each library is looked for on disk in each of them.
pub(crate) const MAX_RUNPATH_ENTRIES: usize = 64;

/// Bytes of a section's name. The sections of debug information have shorter names.
pub(crate) const MAX_SECTION_NAME: usize = 64;

/// Sections of debug information that are listed. Compilers write some thirty.
pub(crate) const MAX_LEFTOVERS: usize = 256;

/// Libraries that are read with an addon; further ones are not followed. Packages ship some ten.
pub(crate) const MAX_LIBRARIES: usize = 64;

/// Reads of an archive: for its names, its addons, their libraries, and those that these need. Deeper needs are not followed.
pub(crate) const MAX_ARCHIVE_READS: usize = 8;

/// Segments of one kind, of a Mach-O file as well, and notes in one segment. Linkers write one to three.
pub(crate) const MAX_SEGMENTS: usize = 64;

/// Relocations of one table that are searched for a registered module.
pub(crate) const MAX_RELOCATIONS: usize = 1 << 20;

/// The highest index of a symbol version, which has 15 bits; no file has more versions.
pub(crate) const MAX_VERSION_INDEX: u16 = 0x7fff;

// Mach-O

/// Parts of a fat file. Apple's tools write some ten. A Java class, which begins with the same four bytes, has its version
/// where a fat file has the number of parts, and those versions began with 45.
pub(crate) const MAX_FAT_PARTS: u32 = 44;

/// Libraries, directories to search, and writable segments. Each library is looked for in each directory.
pub(crate) const MAX_LOAD_COMMANDS: usize = 512;

/// Bytes of a path in a load command. macOS opens no path of more than 1024.
pub(crate) const MAX_LOAD_PATH: usize = 4096;

/// Nodes of an export trie in a row: one for each byte of the longest name, and the root.
pub(crate) const MAX_TRIE_DEPTH: usize = MAX_NAME + 1;

/// Code directories of a signature: one, and one for each further kind of hash.
pub(crate) const MAX_CODE_DIRECTORIES: usize = 6;

// PE

/// Sections. Each address is looked up in all of them.
pub(crate) const MAX_SECTIONS: usize = 256;

/// Libraries that are imported from.
pub(crate) const MAX_DLLS: usize = 1024;

/// Imports. Lists may overlap, so a small file could name any number.
pub(crate) const MAX_IMPORTS: u32 = 1 << 18;

/// Exported names. Their numbers have 16 bits, but one function may have several names.
pub(crate) const MAX_EXPORTS: u32 = 1 << 18;

/// Entries of the debug directory. Linkers write fewer than 8.
pub(crate) const MAX_DEBUG_ENTRIES: u32 = 64;

// Paths of the build machine

/// Distinct paths that are kept; with more, the rules say "at least".
pub(crate) const MAX_PATHS: usize = 10_000;

/// Bytes of a path that are kept.
pub(crate) const MAX_PATH: usize = 1024;

/// Places at which a path may begin. A file with more was made to keep its reader busy.
pub(crate) const MAX_PATH_STARTS: usize = 1 << 18;

// Files that are not addons

/// Characters of a title or a line that a damaged file is quoted by.
pub(crate) const MAX_QUOTED_LINE: usize = 80;

// Findings

/// Findings of one rule in one file; the others are counted.
pub(crate) const MAX_FINDINGS: usize = 100;

/// Bytes of each text of a finding. File names may have any length, and tables take long to lay out.
pub(crate) const MAX_FINDING_TEXT: usize = 4096;

/// Names that the evidence of a finding lists.
pub(crate) const MAX_EVIDENCE_NAMES: usize = 5;

/// Characters of a name in evidence. Mangled C++ names fill a page.
pub(crate) const MAX_EVIDENCE_NAME: usize = 60;

/// Directories that the evidence of `build-path` lists.
pub(crate) const MAX_EVIDENCE_DIRECTORIES: usize = 6;

// Output

/// Names of a list that `--facts` prints.
pub(crate) const MAX_FACT_NAMES: usize = 12;

/// The fewest columns of a table, even on a narrower terminal.
pub(crate) const MIN_TABLE_WIDTH: u16 = 60;

/// The fewest columns of running text, even on a narrower terminal.
pub(crate) const MIN_PROSE_WIDTH: u16 = 30;

/// The most columns of a table, even on a wider terminal.
pub(crate) const MAX_TABLE_WIDTH: u16 = 120;

/// Platforms with one reason that a verdict lists.
pub(crate) const MAX_VERDICT_PLATFORMS: usize = 6;

/// Libraries of other packages that a verdict lists.
pub(crate) const MAX_VERDICT_LIBRARIES: usize = 3;

/// Reasons of failures that a verdict lists.
pub(crate) const MAX_VERDICT_REASONS: usize = 3;

/// Platforms and packages of platforms that evidence lists.
pub(crate) const MAX_LISTED_PLATFORMS: usize = 40;

/// Columns of the package names in a summary.
pub(crate) const MAX_PACKAGE_WIDTH: usize = 30;

/// Files of a finding that are listed.
pub(crate) const MAX_TABLE_FILES: usize = 20;

/// Addons from which on a progress bar is shown. Fewer are read within a second.
pub const MIN_PROGRESS_ADDONS: u64 = 20;

/// Imports without a version. The search for the first glibc with a name takes up to 42 hashes.
pub(crate) const MAX_UNVERSIONED: usize = 10_000;
