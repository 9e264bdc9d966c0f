//! The functions of the program that has loaded the addon.

/// The program.
#[cfg(unix)]
pub(super) type Program = libloading::os::unix::Library;
/// The program.
#[cfg(windows)]
pub(super) type Program = libloading::os::windows::Library;

/// Returns the program, which is never unloaded.
pub(super) fn program() -> Option<Program> {
    #[cfg(unix)]
    return Some(Program::this());
    #[cfg(windows)]
    return Program::this().ok();
}
