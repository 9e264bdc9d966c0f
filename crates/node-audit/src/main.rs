//! The command `node-audit`: checks whether .node files load where their names claim.

#![forbid(unsafe_code)]

mod progress;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind as Usage;
use clap::{CommandFactory, Parser, ValueEnum};
use console::Style;
use node_audit::{
    Audit, Claim, MAX_DETAILED_FILES, PackageSummary, Policy, Rule, Verdict, audit_paths, explain,
    facts_json, facts_text, json, problems_table, rule_list, sarif, summarize, summary_json, summary_table,
    table,
};

/// Columns of the output if it does not go to a terminal.
const DEFAULT_WIDTH: u16 = 100;

const EXAMPLES: &str = "\
Examples:
  node-audit addon.linux-x64-gnu.node           an addon whose name claims a platform
  node-audit --platform linux-x64-musl a.node   an addon whose name does not
  node-audit package.tgz                        the result of npm pack, before it is published
  node-audit --summary node_modules             which packages fail on Alpine, glibc 2.28, arm64
  node-audit --format sarif . > audit.sarif     for a code host that displays findings
  node-audit --explain glibc-floor              the reason for a rule, and the remedy

Exit status: 0 clean or warnings only, 1 an error was found, 2 bad usage or an unreadable file.";

/// Checks, with evidence, whether native Node addons load on the platforms that they claim.
///
/// Reads .node files for Linux (ELF), macOS (Mach-O, thin and fat) and Windows
/// (PE) without running them. The claim comes from the file's name, its directory,
/// or its package.json; --platform overrides it. --explain lists the rules.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, verbatim_doc_comment)]
struct Arguments {
    /// .node files, folders, npm tarballs (.tgz, .tar), an installed node_modules
    #[arg(required_unless_present = "explain", value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Check the addons for this platform, whatever they claim: linux-x64-gnu, darwin-arm64
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Claim>,

    /// Change the default policy: a TOML file with oldest systems, libraries, sizes, severities
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// The format of the output
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    format: OutputFormat,

    /// List clean files and findings of severity info even for more than ten files
    #[arg(long)]
    all: bool,

    /// Print the facts of each file, without a verdict
    #[arg(long, conflicts_with_all = ["summary", "all", "policy", "platform"])]
    facts: bool,

    /// Print which packages fail on Alpine, on glibc 2.28 and on arm64
    #[arg(long, conflicts_with_all = ["all", "platform"])]
    summary: bool,

    /// Print the reason for a rule and the remedy; without RULE, list all rules
    #[arg(long, value_name = "RULE", num_args = 0..=1, conflicts_with_all = ["paths", "facts", "summary"])]
    explain: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// Tables for people
    Table,
    /// An array of {file, platform, rule, severity, message, evidence, remedy}; [] when clean
    Json,
    /// A SARIF 2.1.0 log
    Sarif,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.format == OutputFormat::Sarif && (arguments.facts || arguments.summary) {
        let message = "SARIF contains findings only: print --facts and --summary as table or json";
        Arguments::command().error(Usage::ArgumentConflict, message).exit();
    }
    match run(&arguments) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            complain(&format!("cannot write the result: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Runs the command. Returns the exit status, or the error of writing.
fn run(arguments: &Arguments) -> io::Result<u8> {
    let width = console::Term::stdout().size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| columns);
    if let Some(rule) = &arguments.explain {
        return print_explanation(rule.as_deref(), width);
    }
    let policy = match arguments.policy.as_deref().map_or_else(|| Ok(Policy::default()), Policy::from_file) {
        Ok(policy) => Policy { claim: arguments.platform.clone(), ..policy },
        Err(error) => {
            complain(&error.to_string());
            return Ok(2);
        }
    };
    let bar = progress::Bar::new();
    let audit = audit_paths(&arguments.paths, &policy, &bar);
    bar.clear();
    for failure in &audit.failures {
        complain(&failure.to_string());
    }
    let (text, has_errors) = match arguments {
        Arguments { facts: true, format, .. } => {
            for (file, damage) in audit.damaged() {
                complain(&format!("{file}: {damage}"));
            }
            (facts(&audit, *format, width)?, false)
        }
        Arguments { summary: true, format, .. } => {
            let packages = summarize(&arguments.paths, &audit, &policy);
            let fails = packages.iter().flat_map(|package| &package.verdicts).any(Verdict::is_failure);
            (summary(&packages, *format, &policy, width)?, fails)
        }
        Arguments { format, all, .. } => (findings(&audit, *format, *all, width)?, audit.has_errors()),
    };
    print(&text)?;
    // Without a verdict, a file without facts is one that could not be read.
    let is_complete = audit.failures.is_empty() && !(arguments.facts && audit.damaged().next().is_some());
    Ok(match (is_complete, has_errors) {
        (false, _) => 2,
        (true, true) => 1,
        (true, false) => 0,
    })
}

fn findings(audit: &Audit, format: OutputFormat, all: bool, width: u16) -> io::Result<String> {
    let reports = audit.reports();
    Ok(match format {
        OutputFormat::Json => json(&reports)?,
        OutputFormat::Sarif => sarif(&reports, &audit.failures)?,
        OutputFormat::Table if reports.is_empty() => String::new(),
        OutputFormat::Table if all || reports.len() <= MAX_DETAILED_FILES => {
            coloured(&table(&reports, width))
        }
        OutputFormat::Table => coloured(&problems_table(&reports, width)),
    })
}

fn facts(audit: &Audit, format: OutputFormat, width: u16) -> io::Result<String> {
    Ok(if format == OutputFormat::Json { facts_json(&audit.files)? } else { facts_text(&audit.files, width) })
}

fn summary(
    packages: &[PackageSummary],
    format: OutputFormat,
    policy: &Policy,
    width: u16,
) -> io::Result<String> {
    Ok(match format {
        OutputFormat::Json => summary_json(packages)?,
        _ if packages.is_empty() => String::new(),
        _ => summary_table(packages, policy, width),
    })
}

/// Prints the explanation of a rule, or the list of all rules. Returns the exit status.
fn print_explanation(rule: Option<&str>, width: u16) -> io::Result<u8> {
    let Some(id) = rule else { return print(&rule_list(width)).map(|()| 0) };
    match Rule::by_id(id) {
        Some(rule) => print(&explain(&rule, width)).map(|()| 0),
        None => {
            let rules = rule_list(width);
            complain(&format!("unknown rule `{}`; the rules are:\n{}", id.escape_debug(), rules.trim_end()));
            Ok(2)
        }
    }
}

fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        // A reader that closes the pipe early (`| head`) is not a failure of the audit.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints an error to standard error. A failure of that has nowhere to go.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "node-audit: {message}");
}

/// Returns a table with coloured severities, if standard output is a terminal and NO_COLOR is not set.
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
