//! Installs the compiled libraries into a prefix, for builds that compile no C.

use std::fs;
use std::path::{Path, PathBuf};

use crate::libraries::{Libraries, Library};

/// Copies the libraries and their headers into `prefix`, and writes the .pc files by which the -sys crates find them.
pub(crate) fn install(libraries: &Libraries, prefix: &Path) -> Result<(), String> {
    let (lib, include) = (prefix.join("lib"), prefix.join("include"));
    let Libraries { openssl, sqlcipher, zstd } = libraries;
    let headers = [openssl, sqlcipher, zstd].map(headers_of);
    let [openssl_headers, sqlcipher_headers, zstd_headers] = headers;

    folder(&lib.join("pkgconfig"))?;
    for archive in libraries.archives() {
        copy(archive, &lib)?;
    }
    copy_headers(&openssl_headers?.join("openssl"), &include.join("openssl"))?;
    copy_headers(zstd_headers?, &include)?;
    copy(&sqlcipher_headers?.join("sqlite3.h"), &include)?;

    // libsqlite3-sys compares this version with the SQLite that it needs, so SQLCipher's own version would be wrong.
    let sqlite = define(&include.join("sqlite3.h"), "SQLITE_VERSION")?;
    pkg_config(&lib, "sqlcipher", "sqlcipher", &sqlite)?;
    let header = include.join("zstd.h");
    let part = |name: &str| define(&header, &format!("ZSTD_VERSION_{name}"));
    let zstd = format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("RELEASE")?);
    pkg_config(&lib, "libzstd", "zstd", &zstd)
}

fn headers_of(library: &Library) -> Result<&PathBuf, String> {
    library.compiled.as_ref().ok_or_else(|| {
        format!(
            "VENDORED_SYS_INSTALL installs only compiled libraries, but {} was not compiled; unset \
             VENDORED_SYS_INSTALL, or unset OPENSSL_NO_VENDOR, LIBSQLITE3_SYS_USE_PKG_CONFIG and \
             ZSTD_SYS_USE_PKG_CONFIG, and build with the feature `vendored`",
            library.name
        )
    })
}

fn copy_headers(from: &Path, to: &Path) -> Result<(), String> {
    folder(to)?;
    let failed = |error| format!("cannot read the folder {}: {error}", from.display());
    for entry in fs::read_dir(from).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|extension| extension == "h") {
            copy(&file, to)?;
        }
    }
    Ok(())
}

/// Copies the content but not the mode: registry sources may be read-only, and a second run must overwrite.
fn copy(file: &Path, to: &Path) -> Result<(), String> {
    let name = file.file_name().ok_or_else(|| format!("{} is not a file", file.display()))?;
    let content = fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    write(&to.join(name), &content)
}

fn pkg_config(lib: &Path, file: &str, name: &str, version: &str) -> Result<(), String> {
    let text = format!(
        "prefix=${{pcfiledir}}/../..\n\
         Name: {name}\n\
         Description: compiled by vendored-sys\n\
         Version: {version}\n\
         Libs: -L${{prefix}}/lib -l{name}\n\
         Cflags: -I${{prefix}}/include\n"
    );
    write(&lib.join("pkgconfig").join(format!("{file}.pc")), text.as_bytes())
}

/// Returns the value of a `#define` in a header.
fn define(header: &Path, name: &str) -> Result<String, String> {
    let text =
        fs::read_to_string(header).map_err(|error| format!("cannot read {}: {error}", header.display()))?;
    let value = text.lines().find_map(|line| {
        let rest = line.strip_prefix("#define")?.trim_start().strip_prefix(name)?;
        rest.starts_with([' ', '\t']).then(|| rest.trim().trim_matches('"').to_owned())
    });
    value.ok_or_else(|| {
        format!("{} does not define {name}; was the library upgraded? adapt vendored-sys", header.display())
    })
}

fn folder(path: &Path) -> Result<(), String> {
    let failed = |error| {
        format!(
            "cannot create the folder {}: {error}; set VENDORED_SYS_INSTALL to another folder",
            path.display()
        )
    };
    fs::create_dir_all(path).map_err(failed)
}

fn write(file: &Path, content: &[u8]) -> Result<(), String> {
    let failed = |error| {
        format!("cannot write {}: {error}; set VENDORED_SYS_INSTALL to another folder", file.display())
    };
    fs::write(file, content).map_err(failed)
}
