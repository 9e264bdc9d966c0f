//! Finds the module that a constructor registers, by the layout of Node's `node_module`.
//!
//! The constructor is code, and no table leads to the module. The module is so unlike other data that a search finds it:
//! an ABI number, flags, two empty fields, two strings, and one or two functions.

use crate::facts::Registration;

/// The function that a constructor calls.
pub(crate) const REGISTER: &str = "node_module_register";

/// The ABIs that a module may name: from Node 0.8 to far beyond any release.
const ABIS: std::ops::RangeInclusive<u32> = 1..=999;

/// The highest flags that a module may have: NM_F_BUILTIN to NM_F_DELETEME.
const MAX_FLAGS: u32 = 0xf;

/// The longest name of a module, in bytes.
const MAX_MODULE_NAME: usize = 256;

/// A file that may contain a module.
pub(crate) trait Memory {
    /// The size of a pointer, in bytes: 4 or 8.
    fn width(&self) -> u64;

    /// Returns the 32-bit number at an address.
    fn number(&self, address: u64) -> Option<u32>;

    /// Returns whether the pointer at an address is null after relocation; None outside of the file.
    fn is_null(&self, address: u64) -> Option<bool>;

    /// Returns the bytes that the pointer at an address points to, if the file alone determines the target.
    fn target(&self, address: u64) -> Option<&[u8]>;
}

/// Returns the module at an address, if one is there.
pub(crate) fn at(memory: &impl Memory, start: u64) -> Option<Registration> {
    let abi = memory.number(start).filter(|abi| ABIS.contains(abi))?;
    memory.number(start.checked_add(4)?).filter(|flags| *flags <= MAX_FLAGS)?;
    // nm_dso_handle, nm_filename, nm_register_func, nm_context_register_func, nm_modname, nm_priv, nm_link
    let field = |index: u64| start.checked_add(8 + index * memory.width());
    let is_null = |index| memory.is_null(field(index)?);
    let is_empty = is_null(0)? && is_null(6)?;
    let has_texts = is_text(memory.target(field(1)?)?) && is_text(memory.target(field(4)?)?);
    let (plain, context) = (!is_null(2)?, !is_null(3)?);
    (is_empty && has_texts && (plain || context)).then_some(Registration { abi, context_aware: context })
}

/// Returns whether bytes begin with a non-empty string that ends with a zero.
fn is_text(bytes: &[u8]) -> bool {
    let length = bytes.iter().take(MAX_MODULE_NAME).position(|byte| *byte == 0);
    // A path may have any length and any characters.
    let text = &bytes[..length.unwrap_or_else(|| bytes.len().min(MAX_MODULE_NAME))];
    !text.is_empty() && text.iter().all(|byte| !byte.is_ascii_control())
}
