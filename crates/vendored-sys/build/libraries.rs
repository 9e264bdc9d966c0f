//! Finds each library.

use std::path::{Path, PathBuf};

use crate::environment::{Target, from_cargo, from_user};

/// The oldest SQLite whose functions libsqlite3-sys declares. Source: the build script of libsqlite3-sys.
const OLDEST_SQLITE: &str = "3.45.3";

/// The three libraries.
pub(crate) struct Libraries {
    pub(crate) openssl: Library,
    pub(crate) sqlcipher: Library,
    pub(crate) zstd: Library,
}

/// One library.
pub(crate) struct Library {
    pub(crate) name: &'static str,
    /// The folder with the library's headers, if this build compiled the library.
    pub(crate) compiled: Option<PathBuf>,
    /// The known static archives of the library; empty for a shared library.
    pub(crate) archives: Vec<PathBuf>,
}

impl Libraries {
    pub(crate) fn find(target: &Target) -> Result<Self, String> {
        Ok(Self { openssl: openssl(target)?, sqlcipher: sqlcipher(target)?, zstd: zstd()? })
    }

    pub(crate) fn archives(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.openssl, &self.sqlcipher, &self.zstd].into_iter().flat_map(|library| &library.archives)
    }
}

fn openssl(target: &Target) -> Result<Library, String> {
    let name = "OpenSSL";
    if from_cargo("DEP_OPENSSL_VENDORED").is_some() {
        let lib = dep_variable("DEP_OPENSSL_ROOT", "openssl-sys")?.join("lib");
        let archives = vec![compiled_archive(&lib, "ssl")?, compiled_archive(&lib, "crypto")?];
        return Ok(Library {
            name,
            compiled: Some(dep_variable("DEP_OPENSSL_INCLUDE", "openssl-sys")?),
            archives,
        });
    }
    // openssl-sys has already refused a missing library. For a library found by pkg-config, openssl-sys passes on no
    // folder.
    let folder = target.setting("OPENSSL_LIB_DIR").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(target.setting("OPENSSL_DIR")?).join("lib")));
    let archives = ["ssl", "crypto"].iter().filter_map(|part| archive(folder.as_deref()?, part)).collect();
    Ok(Library { name, compiled: None, archives })
}

/// Finds SQLCipher. If pkg-config finds no SQLCipher, libsqlite3-sys ignores the failure, and links any shared library of
/// that name that the linker finds. This function therefore asks pkg-config again.
fn sqlcipher(target: &Target) -> Result<Library, String> {
    let name = "SQLCipher";
    if let Some(lib) = from_cargo("DEP_SQLITE3_LIB_DIR") {
        let archives = vec![compiled_archive(Path::new(&lib), "sqlcipher")?];
        return Ok(Library {
            name,
            compiled: Some(dep_variable("DEP_SQLITE3_INCLUDE", "libsqlite3-sys")?),
            archives,
        });
    }
    let folders = match from_user("SQLCIPHER_LIB_DIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => {
            let probed = pkg_config::Config::new()
                .cargo_metadata(false)
                .print_system_libs(false)
                .atleast_version(OLDEST_SQLITE)
                .probe("sqlcipher");
            probed.map_err(|error| no_sqlcipher(target, &error))?.link_paths
        }
    };
    let archives: Vec<PathBuf> = folders.iter().filter_map(|folder| archive(folder, "sqlcipher")).collect();
    let wants_static = from_user("SQLCIPHER_STATIC").is_some_and(|value| value != "0");
    if wants_static && archives.is_empty() {
        let folders =
            folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(format!(
            "SQLCIPHER_STATIC is set, but [{folders}] has no libsqlcipher.a; set SQLCIPHER_LIB_DIR to the lib \
             folder of a prefix that VENDORED_SYS_INSTALL created, or unset SQLCIPHER_STATIC"
        ));
    }
    Ok(Library { name, compiled: None, archives: if wants_static { archives } else { Vec::new() } })
}

fn no_sqlcipher(target: &Target, error: &pkg_config::Error) -> String {
    let cause = match error {
        pkg_config::Error::CrossCompilation => {
            let triple = target.triple.replace('-', "_");
            format!("pkg-config is not set up for {}: set PKG_CONFIG_PATH_{triple}", target.triple)
        }
        pkg_config::Error::Command { .. } => "cannot run pkg-config: install it".to_owned(),
        _ => format!(
            "pkg-config finds no `sqlcipher` with SQLite {OLDEST_SQLITE} or later: install libsqlcipher-dev from a \
             distribution release that has this version"
        ),
    };
    format!("cannot link SQLCipher: {cause}, or build with the feature `vendored` instead of `system`")
}

/// Finds zstd. zstd-sys has already refused a library that pkg-config does not find.
fn zstd() -> Result<Library, String> {
    let name = "zstd";
    let Some(root) = from_cargo("DEP_ZSTD_ROOT").map(PathBuf::from) else {
        return Ok(Library { name, compiled: None, archives: Vec::new() });
    };
    let archives = vec![compiled_archive(&root, "zstd")?];
    Ok(Library { name, compiled: Some(root.join("include")), archives })
}

/// Returns a path that a -sys crate's build script passed on.
fn dep_variable(variable: &str, by: &str) -> Result<PathBuf, String> {
    let path = from_cargo(variable).map(PathBuf::from);
    path.ok_or_else(|| {
        format!("{by} compiled its library but did not set {variable}; was {by} upgraded? adapt vendored-sys")
    })
}

fn compiled_archive(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let found = archive(folder, name);
    found.ok_or_else(|| {
        format!(
            "the build did not create a static library `{name}` in {}; remove that folder and build again",
            folder.display()
        )
    })
}

/// Returns the static library `name` in a folder, under the file names that Unix toolchains and MSVC use.
fn archive(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [format!("lib{name}.a"), format!("{name}.lib"), format!("lib{name}.lib")];
    names.into_iter().map(|file| folder.join(file)).find(|file| file.is_file())
}
