//! Recognises files that end in `.node` and were never addons: `Dockerfile.node`, a mesh, a scene.

use crate::damage::Damage;
use crate::damage_kind::damage_of_kind;
use crate::format::Format;
use crate::name_claims::NameClaims;

/// The names of files that other programs read, before `.node`, in lower case.
const OTHER_PROGRAMS: [&str; 5] = ["dockerfile", "containerfile", "makefile", "procfile", "jenkinsfile"];

/// The folders for addons, in lower case. The audit reports a text file in such a folder as a damaged addon.
const ADDON_FOLDERS: [&str; 9] =
    ["build", "release", "debug", "prebuilds", "prebuilt", "binding", "bindings", "binaries", "native"];

/// The number of bytes at a text file's start that are searched for the words of a failure.
const START: usize = 512;

/// The words of text files that a failed download leaves in an addon's place, in lower case.
const FAILURES: [&str; 4] = ["<error", "{\"message\"", "{\"error\"", "{\"errors\""];

/// Returns whether a file was never an addon, by its path in the package, the claims of its names, and its content.
///
/// Returns false for an empty file, a Git LFS pointer, an HTML page and a binary file of another kind, since failed
/// builds and downloads leave such files in place of an addon. Also returns false for a text file whose name or folder
/// promises an addon.
pub(crate) fn is_not_an_addon(path: &str, claims: &NameClaims, content: &[u8]) -> bool {
    if Format::of(content).is_ok() {
        return false;
    }
    let Damage::Other { kind, .. } = damage_of_kind(content) else { return false };
    let is_text = ["text", "JSON text", "XML text", "a script"].contains(&kind);
    let start = String::from_utf8_lossy(content.get(..START).unwrap_or(content)).to_ascii_lowercase();
    if !is_text || FAILURES.iter().any(|failure| start.contains(failure)) {
        return false;
    }
    let path = path.to_ascii_lowercase();
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", &path));
    let stem = file.strip_suffix(".node").unwrap_or(file);
    // A TypeScript declaration for an addon: `addon.d.node`.
    if OTHER_PROGRAMS.contains(&stem) || stem.ends_with(".d") {
        return true;
    }
    !claims.has_any() && !folders.split('/').any(|folder| ADDON_FOLDERS.contains(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_file_is_an_addon_only_if_its_name_promises_one() {
        let dockerfile = "FROM node:22\nRUN npm ci\n";
        let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        for (path, content, expected) in [
            ("Dockerfile.node", dockerfile, true),
            ("docker/Dockerfile.node", dockerfile, true),
            ("build/Makefile.node", "all:\n\tcc", true),
            ("build/Release/addon.d.node", "export {}", true),
            ("test/box.1.node", "8 3 0 0\n1 0.0 0.0 0.0\n", true),
            ("scenes/house.node", "<?xml version=\"1.0\"?>\n<node name=\"house\"/>", true),
            ("data/a.node", "{\"name\": \"a\"}", true),
            ("a.node", "\u{feff}na\u{ef}ve", true),
            // Each of these files is a damaged addon.
            ("build/Release/addon.node", dockerfile, false),
            ("prebuilds/linux-x64/node.napi.node", "text", false),
            ("lib/binding/node-v115-linux-x64/a.node", "text", false),
            ("a.linux-x64-gnu.node", "text", false),
            ("a.linux.node", "text", false),
            ("a-x64.node", "text", false),
            ("a.musl.node", "text", false),
            ("node.abi115.node", "text", false),
            // Files that a failed download or checkout leaves behind.
            ("a.node", "", false),
            ("a.node", " \n", false),
            ("a.node", lfs, false),
            ("Dockerfile.node", lfs, false),
            ("a.node", "<!DOCTYPE html><title>404</title>", false),
            ("a.node", "<?xml version=\"1.0\"?>\n<html xmlns=\"x\">", false),
            ("a.node", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", false),
            ("a.node", "{\"message\":\"Not Found\"}", false),
            // Other files.
            ("a.node", "\u{7f}ELF", false),
            ("a.node", "MZ", false),
            ("Dockerfile.node", "PK\u{3}\u{4}", false),
            ("Dockerfile.node", "\0\0\0\0", false),
        ] {
            let claims = NameClaims::new(path, None);
            assert_eq!(is_not_an_addon(path, &claims, content.as_bytes()), expected, "{path} {content:?}");
        }
    }

    #[test]
    fn a_long_text_is_a_text_and_a_binary_file_with_a_text_start_is_not() {
        let is_not = |content: &[u8]| is_not_an_addon("a.node", &NameClaims::default(), content);
        assert!(is_not("\u{e4}".repeat(5000).as_bytes()));
        assert!(is_not(&[b"a", "\u{e4}".repeat(5000).as_bytes()].concat()));
        assert!(!is_not(b"text\0\x01\x02"));
    }

    /// The claims of the package are about its addons, not about each text file in it.
    #[test]
    fn a_package_for_a_platform_may_have_a_text_file() {
        let package =
            crate::manifest::Manifest { name: Some("a-linux-x64".to_owned()), ..Default::default() };
        let claims = NameClaims::new("Dockerfile.node", Some(&package));
        assert!(is_not_an_addon("Dockerfile.node", &claims, b"FROM node"));
        let claims = NameClaims::new("a.node", Some(&package));
        assert!(!is_not_an_addon("a.node", &claims, b"text"));
    }
}
