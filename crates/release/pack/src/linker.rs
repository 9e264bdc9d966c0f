//! Recognises code in the addon that the linker adds and cargo does not list.

use crate::component::{Component, LicenceText};

/// A message that LLVM's libunwind has in every build that reads DWARF. GCC's unwinder does not contain the message.
const LIBUNWIND: &[u8] = b"libunwind: malformed DW_CFA_";

/// The paragraph of the notices on the parts that the list of components omits.
pub(crate) const UNLISTED: &str = "\
The list omits what compilers and linkers add without leaving a mark: routines for arithmetic and memory (compiler-rt,
libgcc), GCC's unwinder, start-up code of the C library. LLVM's are under Apache-2.0 WITH LLVM-exception, zig's under MIT,
GCC's under GPL-3.0-or-later WITH GCC-exception-3.1, glibc's under LGPL-2.1-or-later with an exception for linked programs.";

/// Returns LLVM's unwinder if an addon contains it. zig links it for Linux. gcc links GCC's unwinder, and macOS has its own.
///
/// The component has no version, since the addon does not contain it.
pub(crate) fn libunwind(addon: &[u8]) -> Option<Component> {
    let is_linked = addon.windows(LIBUNWIND.len()).any(|window| window == LIBUNWIND);
    is_linked.then(|| Component {
        name: "LLVM libunwind".to_owned(),
        licence: "Apache-2.0 WITH LLVM-exception".to_owned(),
        purl: Some("pkg:generic/llvm-libunwind".to_owned()),
        text: LicenceText::Spdx(&["Apache-2.0", "LLVM-exception"]),
        ..Component::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libunwind_is_recognised_by_its_messages_not_by_its_name() {
        let linked = b"\0libunwind: malformed DW_CFA_register DWARF unwind, reg too big\n\0";
        assert_eq!(libunwind(linked).unwrap().reference(), "pkg:generic/llvm-libunwind");
        // Rust's standard library contains the name of its own source file, and the names of functions that GCC's
        // unwinder has, too.
        for other in ["", "backtrace/src/backtrace/libunwind.rs", "_Unwind_RaiseException\0libgcc_s.so.1\0"] {
            assert!(libunwind(other.as_bytes()).is_none(), "{other}");
        }
    }
}
