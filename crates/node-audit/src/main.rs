//! `node-audit`: says whether .node files load where their names say.

#![forbid(unsafe_code)]

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind as Usage;
use clap::{CommandFactory, Parser, ValueEnum};
use console::Style;
use node_audit::{
    AuditError, Claim, Policy, Report, Rule, audit, brief_table, explain, facts_json, facts_of, facts_text,
    json, rule_list, sarif, table,
};

/// Width of the table where it does not go to a terminal.
const WIDTH: u16 = 100;

/// More files than this are shown in brief.
const MANY: usize = 10;

const EXAMPLES: &str = "\
Examples:
  node-audit addon.linux-x64-gnu.node           an addon whose name says what it is for
  node-audit --platform linux-x64-musl a.node   one whose name does not
  node-audit package.tgz                        what npm pack made, before it is published
  node-audit --summary node_modules             which packages fail on Alpine, glibc 2.28, arm64
  node-audit --format sarif . > audit.sarif     for a code host that shows findings
  node-audit --explain glibc-floor              why a rule stands, and what to do

Exit status: 0 clean or warnings only, 1 an error was found, 2 bad usage or an unreadable file.";

/// Says, with evidence, whether native Node addons will load on the platforms that they claim.
///
/// Reads .node files for Linux (ELF), macOS (Mach-O, fat ones too) and Windows (PE) without running them, on any of
/// these systems. The claim is taken from the file's name, its directory, or its package.json; see --platform. What is
/// asked for: --explain lists the rules.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// What to read: .node files, folders, npm tarballs (.tgz), node_modules
    #[arg(required_unless_present = "explain", value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Hold the addons against this platform, whatever they claim: linux-x64-gnu, darwin-arm64
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Claim>,

    /// Limits in place of the default's: a TOML file with oldest systems, libraries, sizes, severities
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// List clean files and findings of severity info, too, where there are more than ten files
    #[arg(long)]
    all: bool,

    /// Print what was read, with no verdict
    #[arg(long, conflicts_with_all = ["summary", "all", "policy", "platform"])]
    facts: bool,

    /// Print which packages would fail on Alpine, on glibc 2.28 and on arm64
    #[arg(long, conflicts_with_all = ["all", "platform"])]
    summary: bool,

    /// Say why a rule stands and what to do; without RULE, list all rules
    #[arg(long, value_name = "RULE", num_args = 0..=1, conflicts_with = "paths")]
    explain: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// An array of {file, platform, rule, severity, message, evidence, remedy}; [] when clean
    Json,
    /// A SARIF 2.1.0 log
    Sarif,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.format == Format::Sarif && (arguments.facts || arguments.summary) {
        let message = "SARIF holds findings: --facts and --summary are printed as table or json";
        Arguments::command().error(Usage::ArgumentConflict, message).exit();
    }
    match run(&arguments) {
        Ok(status) => ExitCode::from(status),
        // A reader that has seen enough (`| head`) is no failure of the audit.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("cannot write the result: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Does what was asked for; the exit status, or why nothing could be written.
fn run(arguments: &Arguments) -> io::Result<u8> {
    let width = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns);
    if let Some(rule) = &arguments.explain {
        return explained(rule.as_deref(), width);
    }
    let policy = match arguments.policy.as_deref().map_or_else(|| Ok(Policy::default()), Policy::from_file) {
        Ok(policy) => Policy { claim: arguments.platform.clone(), ..policy },
        Err(error) => {
            complain(&error.to_string());
            return Ok(2);
        }
    };
    if arguments.facts { facts(arguments, width) } else { audits(arguments, &policy, width) }
}

/// Holds every addon against the rules; the exit status.
fn audits(arguments: &Arguments, policy: &Policy, width: u16) -> io::Result<u8> {
    let (reports, failures) = each(&arguments.paths, |path| audit(path, policy));
    let text = match arguments.format {
        Format::Json => json(&reports)?,
        Format::Sarif => sarif(&reports, &failures)?,
        Format::Table if reports.is_empty() => String::new(),
        Format::Table if arguments.all || reports.len() <= MANY => table(&reports, width),
        Format::Table => brief_table(&reports, width),
    };
    print(&if arguments.format == Format::Table { coloured(&text) } else { text })?;
    Ok(match (failures.is_empty(), reports.iter().any(Report::has_errors)) {
        (false, _) => 2,
        (true, true) => 1,
        (true, false) => 0,
    })
}

/// Prints what was read, with no verdict; the exit status.
fn facts(arguments: &Arguments, width: u16) -> io::Result<u8> {
    let (files, failures) = each(&arguments.paths, facts_of);
    print(&match arguments.format {
        Format::Json => facts_json(&files)?,
        _ => facts_text(&files, width),
    })?;
    Ok(if failures.is_empty() { 0 } else { 2 })
}

/// What could be made of each path; what could not is said at once.
fn each<T>(paths: &[PathBuf], look: impl Fn(&Path) -> Result<T, AuditError>) -> (Vec<T>, Vec<AuditError>) {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for path in paths {
        match look(path) {
            Ok(result) => found.push(result),
            Err(error) => {
                complain(&error.to_string());
                failures.push(error);
            }
        }
    }
    (found, failures)
}

/// Why a rule stands, or a list of all; the exit status.
fn explained(rule: Option<&str>, width: u16) -> io::Result<u8> {
    let Some(id) = rule else { return print(&rule_list(width)).map(|()| 0) };
    match Rule::by_id(id) {
        Some(rule) => print(&explain(&rule, width)).map(|()| 0),
        None => {
            let rules = rule_list(width);
            complain(&format!(
                "there is no rule `{}`; the rules are:\n{}",
                id.escape_debug(),
                rules.trim_end()
            ));
            Ok(2)
        }
    }
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

/// Says on standard error what went wrong; where nobody listens there either, nothing is left to be done.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "node-audit: {message}");
}

/// Severities at the start of a row in colour, where standard output is a terminal and NO_COLOR is not set.
fn coloured(text: &str) -> String {
    if !console::colors_enabled() {
        return text.to_owned();
    }
    let line = |line: &str| {
        for (severity, style) in [
            ("error", Style::new().red().bold()),
            ("warning", Style::new().yellow()),
            ("info", Style::new().cyan()),
        ] {
            if let Some(rest) = line.strip_prefix(&format!(" {severity} ")) {
                return format!(" {} {rest}", style.apply_to(severity));
            }
        }
        line.to_owned()
    };
    text.split_inclusive('\n').map(line).collect()
}
