//! What the linker adds of its own, and cargo knows nothing of: told by what it leaves in the addon.

use super::linked::{Component, Texts};

/// A message of LLVM's libunwind, which it has in every build that reads DWARF, and GCC's unwinder has not.
const LIBUNWIND: &[u8] = b"libunwind: malformed DW_CFA_";

/// What the list of components does not have, in the notices' own words.
pub(super) const UNSEEN: &str = "\
Not listed is what compilers and linkers add of their own and leaves no mark by which it could be told: routines for
arithmetic and memory (compiler-rt, libgcc), GCC's unwinder, start-up code of the C library. LLVM's are under Apache-2.0
WITH LLVM-exception, zig's under MIT, GCC's under GPL-3.0-or-later WITH GCC-exception-3.1, glibc's under
LGPL-2.1-or-later with an exception for programs that are linked with it.";

/// The unwinder of LLVM, where it is in an addon. zig links it for Linux; with a GCC it is GCC's, and macOS has its own.
///
/// Which version it is the file does not say.
pub(super) fn libunwind(addon: &[u8]) -> Option<Component> {
    let is_there = addon.windows(LIBUNWIND.len()).any(|window| window == LIBUNWIND);
    is_there.then(|| Component {
        name: "LLVM libunwind".to_owned(),
        version: None,
        licence: "Apache-2.0 WITH LLVM-exception".to_owned(),
        purl: Some("pkg:generic/llvm-libunwind".to_owned()),
        cpe: None,
        sha256: None,
        // Not a crate: the exception is for what a compiler puts into a program.
        decided: None,
        texts: Texts::Spdx(&["Apache-2.0", "LLVM-exception"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_by_its_messages_and_not_by_its_name() {
        let there = b"\0libunwind: malformed DW_CFA_register DWARF unwind, reg too big\n\0";
        assert_eq!(libunwind(there).unwrap().reference(), "pkg:generic/llvm-libunwind");
        // Rust's standard library names its own source, and what it calls; GCC's unwinder has the same functions.
        for other in ["", "backtrace/src/backtrace/libunwind.rs", "_Unwind_RaiseException\0libgcc_s.so.1\0"] {
            assert!(libunwind(other.as_bytes()).is_none(), "{other}");
        }
    }
}
