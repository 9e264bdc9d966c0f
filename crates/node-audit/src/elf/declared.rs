//! Reads the Node-API version that an addon declares: the return value of an exported function, taken from its first
//! instructions.

use object::elf::{self, Machine};

/// The instructions that a function may begin with: `endbr64`, and a frame.
const X64_STARTS: [&[u8]; 3] = [b"\xf3\x0f\x1e\xfa", b"\x55\x48\x89\xe5", b"\x55"];
/// `bti c`, `paciasp`
const ARM64_STARTS: [u32; 2] = [0xd503_245f, 0xd503_233f];
/// `mov w0, #N`, with N from bit 5 on.
const ARM64_MOVE: u32 = 0x5280_0000;

/// Returns the constant that a function returns, if the function does nothing else.
pub(super) fn returned(machine: Machine, code: &[u8]) -> Option<u32> {
    match machine {
        elf::EM_X86_64 => x64(code),
        elf::EM_AARCH64 => arm64(code),
        _ => None,
    }
}

fn x64(mut code: &[u8]) -> Option<u32> {
    for start in X64_STARTS {
        code = code.strip_prefix(start).unwrap_or(code);
    }
    // mov eax, imm32
    let (number, rest) = code.strip_prefix(b"\xb8")?.split_first_chunk::<4>()?;
    // pop rbp; ret
    let rest = rest.strip_prefix(b"\x5d").unwrap_or(rest);
    rest.starts_with(b"\xc3").then(|| u32::from_le_bytes(*number))
}

fn arm64(code: &[u8]) -> Option<u32> {
    let mut instructions = code
        .chunks_exact(4)
        .map(|bytes| bytes.iter().rev().fold(0, |word: u32, byte| word << 8 | u32::from(*byte)));
    let instruction = instructions.find(|word| !ARM64_STARTS.contains(word))?;
    let number = (instruction & 0xffe0_001f == ARM64_MOVE).then_some(instruction >> 5 & 0xffff)?;
    // ret
    (instructions.find(|word| *word != 0xd503_23bf)? == 0xd65f_03c0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_only_returns_a_number_is_read() {
        // GCC with and without -fcf-protection, and Clang with a frame.
        for code in [
            b"\xf3\x0f\x1e\xfa\xb8\x0a\x00\x00\x00\xc3".as_slice(),
            b"\xb8\x0a\x00\x00\x00\xc3\x66\x90",
            b"\x55\x48\x89\xe5\xb8\x0a\x00\x00\x00\x5d\xc3",
        ] {
            assert_eq!(returned(elf::EM_X86_64, code), Some(10), "{code:x?}");
        }
        for code in [
            b"\x40\x01\x80\x52\xc0\x03\x5f\xd6".as_slice(),
            b"\x5f\x24\x03\xd5\x40\x01\x80\x52\xc0\x03\x5f\xd6",
        ] {
            assert_eq!(returned(elf::EM_AARCH64, code), Some(10), "{code:x?}");
        }
    }

    #[test]
    fn other_code_declares_no_version() {
        for code in [b"".as_slice(), b"\xb8\x0a", b"\xb8\x0a\x00\x00\x00\x90", b"\xe9\x00\x00\x00\x00\xc3"] {
            assert_eq!(returned(elf::EM_X86_64, code), None, "{code:x?}");
        }
        for code in [b"".as_slice(), b"\x40\x01\x80\x52", b"\x41\x01\x80\x52\xc0\x03\x5f\xd6"] {
            assert_eq!(returned(elf::EM_AARCH64, code), None, "{code:x?}");
        }
        assert_eq!(returned(elf::EM_ARM, b"\xb8\x0a\x00\x00\x00\xc3"), None);
    }
}
