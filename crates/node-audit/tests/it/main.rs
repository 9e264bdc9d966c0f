//! Integration tests of node-audit, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a failed assumption ends the test; clippy exempts only functions marked #[test], not the builders"
)]

mod arch;
mod bad_input;
mod build_path;
mod command;
mod context_aware;
mod damaged;
mod elf_facts;
mod engines_floors;
mod explanations;
mod folders;
mod fuzz;
mod github;
mod given;
mod glibc_floor;
mod hardening;
mod imports;
mod install_name;
mod install_script;
mod libraries;
mod library_files;
mod libstdcxx;
mod load_command;
mod macho_binds;
mod macho_facts;
mod macho_input;
mod macho_maker;
mod main_package;
mod min_os;
mod names;
mod napi_entry;
mod napi_version;
mod needed;
mod node_abi;
mod nodelete;
mod object_maker;
mod package;
mod page_size;
mod pe;
mod pe_bad_input;
mod pe_maker;
mod policy_file;
mod readelf;
mod real_macho;
mod real_objects;
mod runpath;
mod sarif;
mod signature;
mod size;
mod static_tls;
mod store_path;
mod stripped;
mod summary;
mod symbols;
mod tarball_maker;
mod tarballs;
mod undefined_symbols;
mod undefined_symbols_elsewhere;
mod verdict;
mod windows_arm64;
