//! Tests this crate's copy of SQLCipher's provider struct, which no public header declares.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::{env, str};

/// The source of this crate's copy of the struct.
const OURS: &str = include_str!("../../src/seam/provider/layout.rs");

/// The functions of the struct that this crate calls or replaces, each with its number of parameters.
const PARAMETERS: [(&str, usize); 13] = [
    ("get_provider_name", 1),
    ("random", 3),
    ("hmac", 9),
    ("cipher", 8),
    ("get_cipher", 1),
    ("get_key_sz", 1),
    ("get_iv_sz", 1),
    ("get_block_sz", 1),
    ("get_hmac_sz", 2),
    ("ctx_init", 1),
    ("ctx_free", 1),
    ("fips_status", 1),
    ("get_provider_version", 1),
];

/// The FNV-1a hash of the struct's tokens in the pinned version. The hash changes if the type of a parameter changes.
const HASH: u64 = 0xf603_c1d1_3286_cee9;

#[test]
fn the_struct_of_this_crate_has_the_fields_of_the_sqlcipher_struct() {
    let Some(source) = source() else {
        println!("skipped: this build does not contain the source of SQLCipher (feature `system`)");
        return;
    };
    let theirs = between(&source, "\nstruct sqlcipher_provider {", "\n};");
    let members: Vec<(&str, usize)> = theirs.split(';').filter_map(member).collect();
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let ours: Vec<&str> = between(OURS, "struct Provider {", "\n}")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub(super) ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(ours, names, "adapt seam/provider/layout.rs to the pinned SQLCipher");
    for function in PARAMETERS {
        assert!(members.contains(&function), "{function:?} is not in {members:?}");
    }
    let hash = theirs
        .split_whitespace()
        .flat_map(|word| word.bytes().chain([b' ']))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    assert_eq!(
        hash, HASH,
        "the struct has changed: compare each signature with seam/provider/layout.rs, then write {hash:#x} here"
    );
}

#[test]
fn the_numbers_of_modes_and_algorithms_match_sqlcipher() {
    let Some(source) = source() else {
        println!("skipped: this build does not contain the source of SQLCipher (feature `system`)");
        return;
    };
    for define in ["DECRYPT 0", "ENCRYPT 1", "HMAC_SHA1 0", "HMAC_SHA256 1", "HMAC_SHA512 2"]
        .map(|it| format!("\n#define SQLCIPHER_{it}\n"))
    {
        assert!(source.contains(&define), "{define}");
    }
}

/// Returns the name of a member and the number of its parameters. A member has the form `const char* (*name)(void
/// *ctx)` or `type *name`.
fn member(text: &str) -> Option<(&str, usize)> {
    let text = text.trim();
    match text.split_once("(*") {
        Some((_, rest)) => {
            let (name, parameters) = rest.split_once(')')?;
            let parameters = parameters.trim().trim_matches(['(', ')']);
            Some((name, if parameters == "void" { 0 } else { parameters.split(',').count() }))
        }
        None => Some((text.rsplit(['*', ' ']).next().filter(|name| !name.is_empty())?, 0)),
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect("the source does not declare the struct");
    rest.split_once(end).expect("the declaration of the struct is not closed").0
}

/// Reads the SQLCipher source that cargo compiles into libsqlite3-sys.
fn source() -> Option<String> {
    let metadata = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata = str::from_utf8(&metadata.stdout).unwrap();
    let manifest = metadata
        .split("\"manifest_path\":\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.contains("sqlcipher-src-"))?
        .replace("\\\\", "\\");
    let file = PathBuf::from(manifest).with_file_name("sqlcipher").join("sqlcipher.c");
    Some(fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}
