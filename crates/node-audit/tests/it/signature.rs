//! The rule `signature`: code signatures of Mach-O files.

use node_audit::{Severity, Signature};
use object::macho::{self, CsHashType};

use crate::macho_maker::{MachO, NAME, Signing, fat, findings};

const RULE: &str = "signature";
const X64: &str = "addon.darwin-x64.node";

fn signed(hashes: &[CsHashType], page: u8) -> MachO {
    let signing = Signing { hashes: hashes.to_vec(), page, flags: macho::CS_ADHOC.0 };
    MachO { signing: Some(signing), code: 10_000, ..MachO::addon() }
}

fn damage(content: &[u8]) -> String {
    let found = findings(content, NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    found[0].evidence.clone()
}

/// Returns the offset of the signature, which begins with the table of blobs.
fn start(content: &[u8]) -> usize {
    let magic = macho::CSMAGIC_EMBEDDED_SIGNATURE.to_be_bytes();
    content.windows(4).position(|bytes| bytes == magic).unwrap()
}

#[test]
fn each_kind_of_hash_and_page_is_checked() {
    let (sha1, sha256) = (macho::CS_HASHTYPE_SHA1, macho::CS_HASHTYPE_SHA256);
    let (truncated, sha384) = (macho::CS_HASHTYPE_SHA256_TRUNCATED, macho::CS_HASHTYPE_SHA384);
    for (hashes, page, name) in [
        (&[sha256][..], 12, "SHA-256"),
        (&[sha256], 14, "SHA-256"),
        (&[sha256], 0, "SHA-256"),
        (&[sha1], 12, "SHA-1"),
        (&[truncated], 12, "truncated SHA-256"),
        (&[sha384], 12, "SHA-384"),
        (&[sha1, sha256], 12, "SHA-1"),
    ] {
        let good = signed(hashes, page).make();
        assert_eq!(findings(&good, NAME, RULE), []);
        // Byte 9000 is in the code, far after the load commands.
        let mut bad = good.clone();
        bad[9000] ^= 1;
        assert!(damage(&bad).contains(&format!("does not have the {name} hash")), "{}", damage(&bad));
    }
}

#[test]
fn a_changed_byte_names_its_page() {
    let good = signed(&[macho::CS_HASHTYPE_SHA256], 12).make();
    let end = start(&good);
    for (position, expected) in [
        (
            4096,
            "page 2 of 3 (0x1000 to 0x2000) does not have the SHA-256 hash of the code directory".to_owned(),
        ),
        (
            8300,
            format!("page 3 of 3 (0x2000 to {end:#x}) does not have the SHA-256 hash of the code directory"),
        ),
    ] {
        let mut bad = good.clone();
        bad[position] ^= 0x40;
        assert_eq!(damage(&bad), expected);
    }
}

/// A kernel checks the best hash that it knows, so every code directory must be right.
#[test]
fn each_code_directory_is_checked() {
    let object = signed(&[macho::CS_HASHTYPE_SHA1, macho::CS_HASHTYPE_SHA256], 12);
    let mut bad = object.make();
    // The last byte belongs to the last hash of the second directory.
    *bad.last_mut().unwrap() ^= 1;
    assert!(damage(&bad).contains("page 3 of 3") && damage(&bad).contains("SHA-256"), "{}", damage(&bad));
}

#[test]
fn arm64_requires_a_signature_and_x64_does_not() {
    let found = MachO { signing: None, ..MachO::addon() }.findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(found[0].evidence, "no LC_CODE_SIGNATURE");
    assert_eq!(MachO::x64().findings(X64, RULE), []);

    let intel = MachO { cpu: macho::CPU_TYPE_X86_64, ..signed(&[macho::CS_HASHTYPE_SHA256], 12) };
    assert_eq!(intel.findings(X64, RULE), []);
    let mut changed = intel.make();
    changed[9000] ^= 1;
    let found = findings(&changed, X64, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
}

#[test]
fn each_part_of_a_fat_file_has_its_own_signature() {
    let arm64 = signed(&[macho::CS_HASHTYPE_SHA256], 12);
    let parts = |arm64: Vec<u8>| {
        fat(&[(macho::CPU_TYPE_X86_64, MachO::x64().make()), (macho::CPU_TYPE_ARM64, arm64)], false)
    };
    let name = "addon.darwin-universal.node";
    assert_eq!(findings(&parts(arm64.make()), name, RULE), []);
    let mut changed = arm64.make();
    changed[9000] ^= 1;
    let found = findings(&parts(changed), name, RULE);
    assert_eq!((found.len(), found[0].platform.as_deref()), (1, Some("darwin-arm64")));
}

#[test]
fn invalid_signatures_are_described() {
    let good = signed(&[macho::CS_HASHTYPE_SHA256], 12).make();
    let table = start(&good);
    let directory = table + 20;
    for (position, bytes, expected) in [
        (table, &[0, 0, 0, 0][..], "table of blobs is damaged"),
        (table + 8, &[0xff, 0xff, 0xff, 0xff], "table of blobs is damaged"),
        (table + 8, &[0, 0, 0, 0], "no code directory"),
        (table + 12, &[0, 0, 0, 2], "no code directory"),
        (table + 16, &[0xff, 0xff, 0xff, 0xff], "outside the signature"),
        (directory, &[0, 0, 0, 0], "is not a code directory"),
        (directory + 4, &[0, 0, 0, 9], "cut short"),
        (directory + 4, &[0xff, 0xff, 0xff, 0xff], "outside the signature"),
        (directory + 16, &[0xff, 0xff, 0xff, 0xff], "hash of page 0 is outside"),
        (
            directory + 28,
            &[0xff, 0xff, 0xff, 0xff],
            "the file has 3 pages, but the signature has 4294967295 hashes",
        ),
        (directory + 32, &[0, 0, 0, 1], "the signature covers the file up to 0x1, but begins at"),
        (directory + 36, &[31], "the hashes have 31 bytes, but SHA-256 hashes have 32"),
        (directory + 37, &[9], "the hash type 9"),
        (directory + 39, &[1], "a page size of 2^1 bytes"),
        (directory + 39, &[255], "a page size of 2^255 bytes"),
    ] {
        let mut bad = good.clone();
        bad[position..position + bytes.len()].copy_from_slice(bytes);
        assert!(damage(&bad).contains(expected), "{expected}: {}", damage(&bad));
    }
    let mut many = signed(&[macho::CS_HASHTYPE_SHA256; 7], 12).make();
    // Each code directory makes node-audit hash the file, so a second directory with the same kind of hash is refused. The
    // seventh directory is in a slot that is not for code directories.
    assert!(damage(&many).contains("two code directories with the same kind of hash"), "{}", damage(&many));
    let seventh = start(&many) + 12 + 6 * 8;
    many[seventh..seventh + 4].fill(0);
    assert!(damage(&many).contains("has 7 code directories"), "{}", damage(&many));
}

#[test]
fn a_signature_with_a_certificate_is_not_ad_hoc() {
    let adhoc = |flags| {
        let signing = Signing { hashes: vec![macho::CS_HASHTYPE_SHA256], page: 12, flags };
        MachO { signing: Some(signing), ..MachO::addon() }.facts().macho().unwrap().signature.clone()
    };
    assert_eq!(adhoc(0), Signature::Valid { adhoc: false });
    assert_eq!(adhoc(0x20002), Signature::Valid { adhoc: true });
}
