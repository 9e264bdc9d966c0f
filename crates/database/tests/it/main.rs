//! Integration tests of strongroom-database: one binary, a module per topic.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap and expect in test functions, but not in their helpers"
)]

mod aggregate;
mod attach;
mod backup;
mod backup_target;
mod beyond_gibibyte;
mod check;
mod check_content;
mod closing;
mod codes;
mod connector;
mod crash;
mod damage;
mod describe;
mod exit;
mod extension;
mod functions;
mod fuzz;
mod header_damage;
mod image;
mod interrupted_waits;
mod interrupted_work;
mod interrupter;
mod key_slots;
mod key_slots_rotation;
mod key_slots_shared;
mod keys;
mod limited_change;
mod locks;
mod migrate;
mod migrate_errors;
mod migrate_full_disk;
mod migrate_in_use;
mod migrate_journals;
mod migrate_kill;
mod migrate_permission;
mod migrate_vectors;
mod migrating;
mod model;
mod opening;
mod page_size;
mod permission;
mod provider_layout;
mod recorded;
mod recorded_writes;
#[expect(unsafe_code, reason = "the module is a VFS, which SQLite calls")]
mod recording;
mod redaction;
mod rekey;
mod rekey_faults;
mod scratch;
mod sealed_damage;
mod sealed_file;
mod sealed_kills;
mod sealed_locks;
mod small_disk;
mod sqlcipher_cli;
mod statements;
mod strongroom;
mod strongroom_operations;
mod transactions;
mod unused_pages;
mod user_function;
mod vacuum_into;
mod vectors;
mod virtual_table;
mod wal_attack;
mod wal_checksum;
mod wal_damage;
