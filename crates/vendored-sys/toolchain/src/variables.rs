//! The names of the variables that set a target's tools.

/// Returns the variable that names a target's C compiler: `CC_x86_64_unknown_linux_musl`.
///
/// A shell can export this spelling, but not `CC_x86_64-unknown-linux-musl`. The crate cc reads both.
pub fn compiler_variable(triple: &str) -> String {
    format!("CC_{}", underscored(triple))
}

/// Returns the variable that names a target's archiver: `AR_x86_64_unknown_linux_musl`.
pub fn archiver_variable(triple: &str) -> String {
    format!("AR_{}", underscored(triple))
}

/// Returns the variable that names a target's linker: `CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER`.
pub fn linker_variable(triple: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", underscored(triple).to_uppercase())
}

fn underscored(triple: &str) -> String {
    triple.replace(['-', '.'], "_")
}
