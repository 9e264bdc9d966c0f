//! A harness for power loss: no acknowledged transaction is lost, and a file never becomes unreadable.
//!
//! A workload runs once, on real files, and leaves a record of every operation on every file ([`recorder`]). A model of a disk
//! ([`disk`]) then loses power at many points of the record. At each point, a seed decides what survives. The engine opens
//! the surviving files and checks them, and the harness compares their content with the model of the workload ([`verify`]).
//! Some recoveries lose power again.
//!
//! # The level of the record
//!
//! The record is made below SQLite and below the standard library, in place of the C library's functions ([`interpose`]). A
//! VFS would be the higher alternative, but a VFS does not see the engine's own renames, links, syncs and deletions, so that a
//! rename before a sync would go unnoticed. A VFS would also have to imitate what SQLite's VFS for Unix does with folders. One
//! record of all system calls has one order. After each workload, the harness compares the model's files with the real ones,
//! so that no operation is missing from the record. The level ties the harness to Linux.
//!
//! # What a disk may do
//!
//! SQLite's assumptions, and where the harness goes beyond them:
//!
//! - A sync makes everything durable that was written to the file before. Before the sync, the system writes sectors in any
//!   order, or not at all. A write of several sectors is not atomic. Source: "Atomic Commit In SQLite", section 2,
//!   <https://www.sqlite.org/atomiccommit.html>. Two variants: each write survives, is torn or is lost on its own, as in SQLite's
//!   own crash tests (`src/test6.c`; "How SQLite Is Tested", section 3.3, <https://www.sqlite.org/testing.html>); or each sector
//!   has the bytes of some moment, as a page cache writes it back. Sectors have 512 or 4,096 bytes.
//! - A file may grow before its new bytes are written. These then are zeros or garbage (section 2 of the same document).
//! - A write changes no byte outside its range, but the written bytes may become anything. Source: "Powersafe Overwrite",
//!   <https://www.sqlite.org/psow.html>. In a variant, a write destroys the whole sector, and the VFS reports this to SQLite
//!   ([`overwrite`]).
//! - A created, renamed or deleted name is durable after a sync of the folder. Before, names and lengths change on the disk in
//!   their order, as in a file system with a journal, or each on its own. SQLite's documents assume the first. Deleting and
//!   renaming are atomic.
//! - The index of a log (`-shm`) holds garbage after a loss of power.
//!
//! # The promise
//!
//! Source: "PRAGMA synchronous", <https://www.sqlite.org/pragma.html#pragma_synchronous>, and "Write-Ahead Logging",
//! <https://www.sqlite.org/wal.html>. [`promise::Durability`] has one variant for each:
//!
//! - WAL and FULL, DELETE and EXTRA, and TRUNCATE or PERSIST and FULL: every acknowledged transaction survives. The
//!   transaction in flight survives completely or not at all.
//! - DELETE and FULL: every acknowledged transaction survives, except perhaps the last one.
//! - WAL and NORMAL: the first transactions survive without a gap, at least up to the last checkpoint.
//! - Two files with rollback journals: a transaction of both is in both or in neither. With logs, each file has its own order.
//! - While a key or a format changes, the old one or the new one opens the file, never both. Afterwards, only the new one.
//!
//! # Exceptions
//!
//! - SQLite ignores a failure to sync a folder. Nothing is promised until the folder is synced again.
//! - If a sync fails and the system drops the bytes, as Linux does, SQLite rolls back and goes on with the bytes that it can
//!   still read. Nothing is promised after the program has gone on.
//! - SQLCipher's salt, the first 16 bytes of a file, never becomes garbage: every write of the first page repeats these bytes.
//! - Without safe overwrites, WAL and NORMAL promise nothing: SQLite does not fill up the sector at the end of a log that it
//!   syncs for a checkpoint.
//! - Without safe overwrites, a log does not survive a second loss of power during the recovery: the first one may lose the
//!   frame with which SQLite fills up the last sector of a commit, and the next frame then destroys the end of that commit.
//!   The reason is derived from SQLite's source (`walWriteToLog` in wal.c) and from one point, and was not traced.
//! - A conversion that keeps the original by copying it, on a file system without second names, may leave a part of the copy.
//! - A new file into which nothing was committed may hold garbage that has to be deleted.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap and expect in test functions, but not in their helpers"
)]

mod access;
mod broken;
mod campaign;
mod content;
mod counts;
mod crashes;
mod disk;
mod faults;
#[expect(unsafe_code, reason = "the functions replace those of the C library")]
mod interpose;
mod operations;
#[expect(unsafe_code, reason = "the module is a VFS, which SQLite calls")]
mod overwrite;
mod promise;
mod random;
mod recorder;
mod setup;
mod survival;
mod verify;
mod workload;
