//! Checks the debug information of an addon.

use std::fs;
use std::path::Path;

use addr2line::Loader;
use anyhow::{Context, Result, anyhow, bail, ensure};
use node_targets::{Os, Target};
use object::{Object as _, ObjectSymbol as _, Symbol};

/// The addon's entry point, whose source line a debugger must find.
const ENTRY: &str = "napi_register_module_v1";

/// An addon, and the folder with its debug information.
pub struct DebuggedAddon<'a> {
    /// The addon's file.
    pub addon: &'a Path,
    /// The folder with the debug information.
    pub debug_information: &'a Path,
}

/// Returns the source line of the addon's entry point, such as `module_register.rs:120`.
///
/// # Errors
///
/// Fails if no file has the name that a debugger looks for, or if the debug information has no line for the entry point, is
/// from a different build, or contains a live store path.
pub fn entry_line(target: &Target, built: &DebuggedAddon<'_>) -> Result<String> {
    let DebuggedAddon { addon, debug_information } = *built;
    let file = target.artifact_file();
    let information = debug_information.join(match target.os {
        Os::Darwin => format!("{file}.dSYM/Contents/Resources/DWARF/{file}"),
        _ => format!("{file}.debug"),
    });
    let shown = information.display();
    let content = read(&information)?;
    if let Some(path) = store_path(&content) {
        bail!("{shown} contains the store path {path}");
    }
    let library = read(addon)?;
    let library = parse(addon, &library)?;
    if target.os == Os::Darwin {
        // The UUID ties a dSYM to its library.
        let (own, its) = (library.mach_uuid()?, parse(&information, &content)?.mach_uuid()?);
        ensure!(
            own.is_some() && own == its,
            "{shown} is from a different build than {file}: its UUID is {its:02x?}, not {own:02x?}"
        );
    }
    // A stripped ELF file keeps only the dynamic symbol table.
    let mut symbols = library.symbols().chain(library.dynamic_symbols());
    let is_entry = |symbol: &Symbol<'_, '_>| {
        symbol.is_definition() && symbol.name().is_ok_and(|name| name.trim_start_matches('_') == ENTRY)
    };
    let entry = symbols.find(is_entry).with_context(|| format!("{} exports no {ENTRY}", addon.display()))?;
    let unreadable = |error| anyhow!("cannot read the debug information in {shown}: {error}");
    let lines = Loader::new(&information).map_err(unreadable)?;
    let place = lines.find_location(entry.address()).map_err(unreadable)?;
    let place = place.map(|place| (place.file.unwrap_or_default(), place.line.unwrap_or_default()));
    match place {
        Some((path, line)) if path.ends_with(".rs") && line > 0 => {
            Ok(format!("{}:{line}", path.rsplit('/').next().unwrap_or(path)))
        }
        _ => bail!("{shown} has no Rust source line for {ENTRY}: it resolves to {place:?}"),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn parse<'a>(file: &Path, content: &'a [u8]) -> Result<object::File<'a>> {
    object::File::parse(content).with_context(|| format!("cannot read {}", file.display()))
}

/// Returns the first store path whose hash is not scrubbed.
fn store_path(content: &[u8]) -> Option<String> {
    const STORE: &[u8] = b"/nix/store/";
    const HASH: usize = 32;
    let paths = content.windows(STORE.len() + HASH).filter(|window| window.starts_with(STORE));
    let mut hashes = paths.map(|path| &path[STORE.len()..]);
    let live =
        |hash: &&[u8]| hash.iter().all(u8::is_ascii_alphanumeric) && hash.iter().any(|&byte| byte != b'e');
    hashes.find(live).map(|hash| format!("/nix/store/{}", String::from_utf8_lossy(hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrubbed_store_path_is_ignored() {
        let scrubbed = format!("x/nix/store/{}-napi-3/src/lib.rs\0", "e".repeat(32));
        assert_eq!(store_path(scrubbed.as_bytes()), None);
        let live = "/nix/store/0c2jl8ma3njnaxljpmr8wl8vcr7sj21n";
        assert_eq!(store_path(format!("{scrubbed}{live}-zig/lib.c").as_bytes()).as_deref(), Some(live));
    }
}
