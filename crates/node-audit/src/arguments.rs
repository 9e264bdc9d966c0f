//! The command's arguments.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use node_audit::{Claim, Severity};

const EXAMPLES: &str = "\
Examples:
  node-audit                                    the package in this folder, as npm packs it
  node-audit package.tgz                        the result of npm pack, before it is published
  curl -fsSL $URL | node-audit -                a tarball from standard input
  node-audit addon.linux-x64-gnu.node           an addon whose name claims a platform
  node-audit --platform linux-x64-musl a.node   an addon whose name claims no platform
  node-audit --policy debian-11 package.tgz     for Debian 11 and later
  node-audit --summary node_modules             which packages fail on Alpine, glibc 2.28, arm64
  node-audit --format sarif > audit.sarif       for a code host that displays findings
  node-audit --explain glibc-floor              the reason for a rule, and the remedy

Exit status: 0 without errors, 1 with errors, 2 for bad usage, an unreadable file, or a path with nothing to check.";

/// Checks whether native Node addons load on the platforms that they claim, and shows the evidence.
///
/// Reads .node files for Linux (ELF), macOS (Mach-O, thin and fat) and Windows
/// (PE) without running them. The claim comes from the file's name, its directory,
/// or its package.json; --platform overrides it. --explain lists the rules.
///
/// Prints a verdict on each package, then the errors and warnings.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// .node files, npm tarballs (.tgz, .tar) or folders such as node_modules; "-" for a tarball from standard input.
    /// Without a path, node-audit checks the package in the current folder, as npm packs it
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Check the addons for this platform, such as linux-x64-gnu or darwin-arm64, whatever platform they claim
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Claim>,

    /// Use this policy: node20, node22, lambda-al2023, debian-11, rhel-8, or a TOML file that sets the oldest systems,
    /// libraries, sizes and severities
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<PathBuf>,

    /// Set the output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,

    /// Also list findings of severity info
    #[arg(long, short, alias = "all")]
    verbose: bool,

    /// List errors only; print nothing if the audit finds no error
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,

    /// Print the facts of each file, without a verdict
    #[arg(long, conflicts_with_all = ["summary", "verbose", "quiet", "policy", "platform"])]
    pub(crate) facts: bool,

    /// Print which packages fail on Alpine, on glibc 2.28 and on arm64, or on the given --platform
    #[arg(long, conflicts_with_all = ["verbose", "quiet"])]
    pub(crate) summary: bool,

    /// Explain a rule and its remedy, or print the floors of a named policy and their sources; without NAME, list all
    /// rules and named policies
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with_all = ["paths", "facts", "summary"])]
    pub(crate) explain: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Verdicts and tables, for people
    Table,
    /// An array of {file, platform, rule, severity, message, evidence, remedy}; [] when clean
    Json,
    /// A SARIF 2.1.0 log
    Sarif,
    /// Annotations for GitHub Actions
    Github,
}

impl Arguments {
    /// Parses the command line, or exits with a usage message.
    pub(crate) fn read() -> Arguments {
        let arguments = Arguments::parse();
        let is_format_given = std::env::args_os().any(|argument| {
            argument
                .to_str()
                .is_some_and(|argument| argument == "--format" || argument.starts_with("--format="))
        });
        if arguments.explain.is_some() && is_format_given {
            let message = "--explain prints text only: leave --format out";
            Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
        }
        let finding_formats = [OutputFormat::Sarif, OutputFormat::Github];
        if finding_formats.contains(&arguments.format) && (arguments.facts || arguments.summary) {
            let message = "SARIF and annotations contain findings only: use --format table or json with --facts and --summary";
            Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
        }
        if arguments.paths.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            let message = "standard input can be read only once: pass - once";
            Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
        }
        arguments
    }

    /// Returns the lowest severity that the output lists. The formats for programs list all severities, unless `--quiet`
    /// is given.
    pub(crate) fn least_severity(&self) -> Severity {
        match self.format {
            _ if self.quiet => Severity::Error,
            OutputFormat::Table | OutputFormat::Github if !self.verbose => Severity::Warning,
            _ => Severity::Info,
        }
    }
}
