//! No exported name is one that Node exports too.

use super::napi_entry::{NODE_API, NODE_API_VERSION, V8_PREFIX};
use super::{Check, Problem, Rule, Subject, few};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "symbols",
    asks: "no symbol is exported that Node itself exports",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "Node exports the OpenSSL, zlib, zstd, SQLite and libuv that are compiled into it. ELF binds a name to \
        the first library that defines it, and that is Node: an addon whose own copy is exported ends up in Node's \
        copy, another version with other structures, and crashes far from the cause. Other exported names do no harm \
        by themselves, but show what was meant to be hidden. macOS looks a name up in the library that the linker found it \
        in, so that nothing ends up elsewhere, unless a file was linked with -flat_namespace.\n\
        Hide everything but the entry point: -fvisibility=hidden, -Wl,--exclude-libs,ALL, or a version script.",
    check: Check::Addon(check),
};

/// Libraries whose names Node exports (or loads into the same scope), by the start of their names.
///
/// Each was seen among the dynamic symbols of a Node 20 or 22. Prefixes that other code uses too (`TS_`, `UI_`, `tls_`)
/// are left out: a copy of the library is found by the others.
const PREFIXES: [(&str, &[&str]); 8] = [
    (
        "OpenSSL",
        &[
            "AES_", "ASN1_", "BIO_", "BN_", "CMS_", "CRYPTO_", "DH_", "DSA_", "ECDSA_", "EC_", "ENGINE_",
            "ERR_", "EVP_", "HMAC_", "NCONF_", "OCSP_", "OPENSSL_", "OSSL_", "PEM_", "PKCS12_", "PKCS5_",
            "PKCS7_", "PKCS8_", "RAND_", "RSA_", "SHA256_", "SHA512_", "SMIME_", "SSL_", "X509V3_", "X509_",
            "d2i_", "i2d_", "ossl_",
        ],
    ),
    ("zlib", &["Cr_z_"]),
    ("zstd", &["ZDICT_", "ZSTDMT_", "ZSTD_"]),
    ("SQLite", &["sqlite3_"]),
    ("libuv", &["uv_"]),
    ("c-ares", &["ares_"]),
    ("nghttp2", &["nghttp2_"]),
    ("llhttp", &["llhttp_"]),
];

/// zlib has no prefix: names that nothing else has.
const ZLIB: [&str; 15] = [
    "adler32",
    "compress2",
    "crc32",
    "deflate",
    "deflateEnd",
    "deflateInit2_",
    "deflateInit_",
    "gzopen",
    "gzread",
    "inflate",
    "inflateEnd",
    "inflateInit2_",
    "inflateInit_",
    "uncompress",
    "zlibVersion",
];

const HIDE: &str = "hide it: -fvisibility=hidden, -Wl,--exclude-libs,ALL, or a version script that exports the entry point only";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let exports = &subject.facts.exports;
    let mut problems = Vec::new();
    let mut others: Vec<&String> = Vec::new();
    let mut clashes: Vec<(&str, Vec<&String>)> = Vec::new();
    for export in exports {
        match library(export) {
            Some(library) => match clashes.iter_mut().find(|(name, _)| *name == library) {
                Some((_, names)) => names.push(export),
                None => clashes.push((library, vec![export])),
            },
            None if is_entry_point(export) => {}
            None => others.push(export),
        }
    }
    if !clashes.is_empty() {
        problems.push(clash(subject, &clashes));
    }
    if !others.is_empty() {
        problems.push(Problem {
            severity: subject.policy.other_exports,
            message: format!(
                "{} of the {} symbols that it exports are no entry point",
                others.len(),
                exports.len()
            ),
            evidence: few(&others),
            remedy: HIDE.to_owned(),
        });
    }
    problems
}

fn clash(subject: &Subject<'_>, clashes: &[(&str, Vec<&String>)]) -> Problem {
    let count: usize = clashes.iter().map(|(_, names)| names.len()).sum();
    let counts = clashes.iter().map(|(library, names)| format!("{library} {}", names.len()));
    let evidence = clashes.iter().map(|(library, names)| format!("{library}: {}", few(names)));
    let two_level = subject.facts.macho().is_some_and(|macho| macho.two_level);
    // With -Bsymbolic the addon's own calls reach its own copy all the same.
    let (severity, consequence) = if subject.facts.pe().is_some() {
        (
            Severity::Info,
            "Windows keeps its calls from ending up in Node's copy, since an import names its library",
        )
    } else if two_level {
        (Severity::Info, "two-level namespaces keep its calls from ending up in Node's copy")
    } else if subject.facts.elf().is_some_and(|elf| elf.symbolic) {
        (Severity::Warning, "only -Bsymbolic keeps its calls from ending up in Node's copy")
    } else {
        (Severity::Error, "its own calls may end up in Node's copy, which is another version")
    };
    Problem {
        severity,
        message: format!(
            "{count} of {} exported symbols are Node's as well ({}): {consequence}",
            subject.facts.exports.len(),
            counts.collect::<Vec<_>>().join(", ")
        ),
        evidence: evidence.collect::<Vec<_>>().join("; "),
        remedy: HIDE.to_owned(),
    }
}

fn library(name: &str) -> Option<&'static str> {
    let prefixed =
        PREFIXES.iter().find(|(_, prefixes)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    match prefixed {
        Some((library, _)) => Some(library),
        None => ZLIB.contains(&name).then_some("zlib"),
    }
}

fn is_entry_point(name: &str) -> bool {
    name == NODE_API || name == NODE_API_VERSION || name.starts_with(V8_PREFIX) || is_constructor(name)
}

/// The macros of Node's headers export the pointer to the constructor on Windows: `_register_bufferutil_`.
fn is_constructor(name: &str) -> bool {
    name.starts_with("_register_") && name.ends_with('_')
}
