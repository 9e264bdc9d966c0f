//! Checks which machine a compiler compiles for.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{error, fmt, fs, io};

use crate::machine::Machine;
use crate::variables::compiler_variable;

/// Checks that `compiler` compiles for `triple`, by preprocessing a file in `scratch`.
///
/// `compiler` is the value of a `CC` variable: a program, or a program and its arguments. `scratch` is a writable
/// folder, such as `OUT_DIR`.
///
/// # Errors
///
/// [`CheckError`] if the compiler compiles for another machine, does not run, or lacks the headers of a C library, or if
/// `triple` is unknown.
pub fn check(compiler: &str, triple: &str, scratch: &Path) -> Result<(), CheckError> {
    let Some(wanted) = Machine::of_triple(triple) else {
        return Err(CheckError::UnknownTarget { triple: triple.to_owned() });
    };
    let file = scratch.join("vendored-toolchain-probe.c");
    fs::write(&file, Machine::PROBE).map_err(|source| CheckError::Scratch { file: file.clone(), source })?;
    let (program, arguments) = command(compiler);
    let failed =
        |cause| CheckError::Failed { compiler: compiler.to_owned(), triple: triple.to_owned(), cause };
    let output = Command::new(program)
        .args(arguments)
        .arg("-E")
        .arg(&file)
        .output()
        .map_err(|error| failed(format!("the program did not start: {error}")))?;
    // The output is used even if the compiler failed at a header: the headers often belong to another machine.
    let made = Machine::of_probe(&String::from_utf8_lossy(&output.stdout));
    match made {
        Some(made) if made == wanted && output.status.success() => Ok(()),
        Some(made) if made != wanted => {
            let (compiler, triple) = (compiler.to_owned(), triple.to_owned());
            Err(CheckError::WrongMachine { compiler, made, triple })
        }
        _ if output.status.success() => Err(failed("the program does not preprocess C".to_owned())),
        _ => Err(failed(error_line(&output.stderr).unwrap_or_else(|| output.status.to_string()))),
    }
}

/// A compiler that cannot be used for a target.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckError {
    /// The compiler compiles for another machine.
    WrongMachine {
        /// The compiler, as given.
        compiler: String,
        /// The machine that the compiler compiles for.
        made: Machine,
        /// The target.
        triple: String,
    },
    /// The compiler cannot be run, or fails.
    Failed {
        /// The compiler, as given.
        compiler: String,
        /// The target.
        triple: String,
        /// The cause, in one line.
        cause: String,
    },
    /// The target is unknown, so its compiler cannot be checked.
    UnknownTarget {
        /// The target.
        triple: String,
    },
    /// The file to preprocess cannot be written.
    Scratch {
        /// The file.
        file: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongMachine { compiler, made, triple } => {
                let variable = compiler_variable(triple);
                write!(
                    f,
                    "the C compiler `{compiler}` compiles for {made}, not for {triple}; set {variable} to a compiler for {triple}"
                )
            }
            Self::Failed { compiler, triple, cause } => {
                let variable = compiler_variable(triple);
                write!(
                    f,
                    "cannot use the C compiler `{compiler}` for {triple}: {cause}; set {variable} to another compiler"
                )
            }
            Self::UnknownTarget { triple } => {
                write!(f, "cannot check a C compiler for {triple}; known targets are {}", Machine::KNOWN)
            }
            Self::Scratch { file, source } => write!(f, "cannot write {}: {source}", file.display()),
        }
    }
}

impl error::Error for CheckError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Scratch { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Splits a `CC` variable into a program and its arguments. A path that contains a space is one program, as for the cc
/// crate.
fn command(compiler: &str) -> (&str, Vec<&str>) {
    let mut words = compiler.split_whitespace();
    match words.next() {
        Some(program) if !Path::new(compiler).exists() => (program, words.collect()),
        _ => (compiler, Vec::new()),
    }
}

/// Returns the most informative line of a compiler's output.
fn error_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.clone().find(|line| line.contains("error")).or_else(|| lines.next()).map(str::to_owned)
}
