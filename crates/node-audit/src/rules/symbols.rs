//! Checks that the addon exports no name that Node also exports.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;
use crate::{node_abi, node_api};

pub(super) const RULE: Rule = Rule {
    id: "symbols",
    asks: "the addon exports no symbol that Node itself exports",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "Node exports the OpenSSL, zlib, zstd, SQLite and libuv that are compiled into it. ELF binds a name \
        to the first library that defines it, which is Node: calls to the addon's own exported copy reach Node's copy. \
        If Node's copy is a different version with different structures, the calls crash far from the cause. Other \
        exported names are harmless, but show that the addon does not hide its internals. macOS looks up a name in the \
        library in which the linker found it, unless a file was linked with -flat_namespace.\n\
        Hide everything but the entry point: -fvisibility=hidden, -Wl,--exclude-libs,ALL, or a version script.",
    check: Check::Addon(check),
};

/// The libraries whose names Node exports or loads into the same scope, and the prefixes of these names.
///
/// The source is the dynamic symbols of Node 20 and 22. The list omits prefixes that other code also uses (`TS_`, `UI_`,
/// `tls_`): the other prefixes are enough to find a copy of the library.
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

/// Names that only zlib has; zlib uses no prefix.
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

const HIDE: &str = "hide the names: -fvisibility=hidden, -Wl,--exclude-libs,ALL, or a version script that exports only the \
                    entry point";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let exports = &subject.facts.exports;
    let mut problems = Vec::new();
    let mut others: Vec<&String> = Vec::new();
    let mut clashes: Vec<Clash<'_>> = Vec::new();
    for export in exports {
        match library(export) {
            Some(library) => match clashes.iter_mut().find(|clash| clash.library == library) {
                Some(clash) => clash.names.push(export),
                None => clashes.push(Clash { library, names: vec![export] }),
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
                "{} of the {} exported symbols are not entry points",
                others.len(),
                exports.len()
            ),
            evidence: first_names(&others),
            remedy: HIDE.to_owned(),
        });
    }
    problems
}

/// The exported names that belong to one of Node's libraries.
struct Clash<'a> {
    library: &'static str,
    names: Vec<&'a String>,
}

fn clash(subject: &Subject<'_>, clashes: &[Clash<'_>]) -> Problem {
    let count: usize = clashes.iter().map(|clash| clash.names.len()).sum();
    let counts = clashes.iter().map(|Clash { library, names }| format!("{library} {}", names.len()));
    let evidence =
        clashes.iter().map(|Clash { library, names }| format!("{library}: {}", first_names(names)));
    let two_level = subject.facts.macho().is_some_and(|macho| macho.two_level);
    // With -Bsymbolic, the addon's calls reach its own copy.
    let (severity, consequence) = if subject.facts.pe().is_some() {
        (
            Severity::Info,
            "Windows keeps the addon's calls out of Node's copy, since an import names its library",
        )
    } else if two_level {
        (Severity::Info, "two-level namespaces keep the addon's calls out of Node's copy")
    } else if subject.facts.elf().is_some_and(|elf| elf.symbolic) {
        (Severity::Warning, "only -Bsymbolic keeps the addon's calls out of Node's copy")
    } else {
        (Severity::Error, "the addon's calls may reach Node's copy, which may be a different version")
    };
    Problem {
        severity,
        message: format!(
            "{count} of {} exported symbols are also Node's ({}): {consequence}",
            subject.facts.exports.len(),
            counts.collect::<Vec<_>>().join(", ")
        ),
        evidence: evidence.collect::<Vec<_>>().join("; "),
        remedy: HIDE.to_owned(),
    }
}

/// Returns the library of Node that exports a name.
fn library(name: &str) -> Option<&'static str> {
    let prefixed =
        PREFIXES.iter().find(|(_, prefixes)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    match prefixed {
        Some((library, _)) => Some(library),
        None => ZLIB.contains(&name).then_some("zlib"),
    }
}

fn is_entry_point(name: &str) -> bool {
    name == node_api::ENTRY
        || name == node_api::DECLARED_VERSION
        || name.starts_with(node_abi::ENTRY_PREFIX)
        || is_constructor(name)
}

/// Returns whether a name is the pointer to the constructor, which the macros in Node's headers export on Windows:
/// `_register_bufferutil_`.
fn is_constructor(name: &str) -> bool {
    name.starts_with("_register_") && name.ends_with('_')
}
