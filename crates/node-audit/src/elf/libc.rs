//! The C library that an ELF file is linked to.

use crate::facts::VersionNeed;
use crate::platform::Libc;

/// Libraries that Android has and musl lacks: musl's `libc.so` contains the whole C library.
const ANDROID: [&str; 4] = ["liblog.so", "libandroid.so", "libdl.so", "libm.so"];

/// Returns the C library, judged by the needed libraries and versions; `android` is true if a note of the file names
/// Android.
///
/// Bionic and musl are both named `libc.so`. The function does not recognise the C libraries of other systems (FreeBSD's
/// `libc.so.7`).
pub(super) fn libc(libraries: &[String], version_needs: &[VersionNeed], android: bool) -> Option<Libc> {
    let needs = |name: &str| libraries.iter().any(|library| library == name);
    // On arm and arm64, libgcc_s has a version GLIBC_2.0, even on musl.
    let glibc = |need: &VersionNeed| need.version.starts_with("GLIBC_") && need.library != "libgcc_s.so.1";
    // Bionic's versions: LIBC, LIBC_N, LIBC_OMR1.
    let bionic = |need: &VersionNeed| {
        need.library == "libc.so" && (need.version == "LIBC" || need.version.starts_with("LIBC_"))
    };
    if android || version_needs.iter().any(bionic) {
        Some(Libc::Bionic)
    } else if needs("libc.so.6") || version_needs.iter().any(glibc) {
        Some(Libc::Glibc)
    } else if needs("libc.so") && ANDROID.iter().any(|library| needs(library)) {
        Some(Libc::Bionic)
    } else if needs("libc.so") || libraries.iter().any(|library| library.starts_with("libc.musl-")) {
        Some(Libc::Musl)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_c_library_is_recognised() {
        let read = |libraries: &[&str], versions: &[(&str, &str)], android| {
            let libraries: Vec<String> = libraries.iter().map(|library| (*library).to_owned()).collect();
            let need = |(library, version): &(&str, &str)| VersionNeed {
                library: (*library).to_owned(),
                version: (*version).to_owned(),
                weak: false,
                symbols: Vec::new(),
            };
            libc(&libraries, &versions.iter().map(need).collect::<Vec<_>>(), android)
        };
        assert_eq!(read(&["libc.so.6"], &[], false), Some(Libc::Glibc));
        assert_eq!(read(&[], &[("ld-linux-x86-64.so.2", "GLIBC_2.3")], false), Some(Libc::Glibc));
        assert_eq!(read(&["libc.so"], &[("libgcc_s.so.1", "GLIBC_2.0")], false), Some(Libc::Musl));
        assert_eq!(read(&["libc.musl-x86_64.so.1"], &[], false), Some(Libc::Musl));
        assert_eq!(read(&["libc.so"], &[], true), Some(Libc::Bionic));
        assert_eq!(read(&["libc.so"], &[("libc.so", "LIBC")], false), Some(Libc::Bionic));
        assert_eq!(read(&["libdl.so", "libc.so"], &[], false), Some(Libc::Bionic));
        assert_eq!(read(&["libc.so.7"], &[("libc.so.7", "FBSD_1.0")], false), None);
        assert_eq!(read(&[], &[], false), None);
    }
}
