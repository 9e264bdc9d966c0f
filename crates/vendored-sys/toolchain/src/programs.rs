//! Searches for programs.

use std::env;
use std::path::{Path, PathBuf};

/// Returns the file of a program: the name itself if it is a path, else the first file of that name in `path`.
///
/// `path` is the value of `PATH`, and `suffix` is the ending of the host's programs: `.exe` on Windows, else an empty text.
pub fn find_program(name: &str, path: &str, suffix: &str) -> Option<PathBuf> {
    let is_path = Path::new(name).components().count() > 1;
    let folders = if is_path { vec![PathBuf::new()] } else { env::split_paths(path).collect() };
    let names = [name.to_owned(), format!("{name}{suffix}")];
    folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|file| file.is_file())
}
