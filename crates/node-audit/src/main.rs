//! `node-audit`: says whether .node files load where their names say.

#![forbid(unsafe_code)]

mod progress;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use node_audit::{Claim, Policy, Report, audit_paths, json, table};

/// Width of the table where it does not go to a terminal.
const WIDTH: u16 = 100;

/// Says, with evidence, whether a native Node addon will load on the platform that its name claims.
///
/// Reads ELF files (Linux). Held against: the claimed processor and C library, the entry point that Node looks for,
/// the glibc version that is needed (2.28 at most, as Node 20 itself), needed libraries, RPATH and RUNPATH, and
/// exported symbols that Node exports as well.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status: 0 clean or warnings only, 1 an error was found, 2 bad usage or an unreadable file."
)]
struct Arguments {
    /// .node files, folders, npm tarballs (.tgz, .tar) or an installed node_modules
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Hold the files against this platform, whatever their names say: linux-x64-gnu, linux-arm64-musl
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Claim>,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// An array of {file, platform, rule, severity, message, evidence, remedy}; [] when clean
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let policy = Policy { claim: arguments.platform, ..Policy::default() };
    let bar = progress::Bar::new();
    let audit = audit_paths(&arguments.paths, &policy, &bar);
    bar.clear();
    for failure in &audit.failures {
        eprintln!("node-audit: {failure}");
    }
    let reports: Vec<Report> = audit.reports();
    if let Err(error) = print(&reports, arguments.format) {
        // A reader that has seen enough (`| head`) is no failure of the audit.
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("node-audit: cannot write the result: {error}");
            return ExitCode::from(2);
        }
    }
    match (!audit.failures.is_empty(), audit.has_errors()) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::from(1),
        (false, false) => ExitCode::SUCCESS,
    }
}

fn print(reports: &[Report], format: Format) -> io::Result<()> {
    let text = match format {
        Format::Json => json(reports)?,
        Format::Table if reports.is_empty() => return Ok(()),
        Format::Table => {
            let width = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns);
            table(reports, width)
        }
    };
    io::stdout().write_all(text.as_bytes())
}
