//! The command `node-audit`: checks whether .node files load on the platforms that their names claim.

#![forbid(unsafe_code)]

mod arguments;
mod npm_pack;
mod progress;

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use arguments::{Arguments, OutputFormat};
use console::Style;
use node_audit::{
    Audit, Given, Locations, MAX_FILE, NamedPolicy, PackageSummary, Policy, Rule, Severity, audit_given,
    explain, facts_json, facts_text, findings_table, github, json, policy_list, policy_text, rule_list,
    sarif, summarize, summary_json, summary_table, verdict_lines, verdicts,
};

/// The width of the output, in columns, if it does not go to a terminal.
const DEFAULT_WIDTH: u16 = 100;

/// The name under which the audit reports a tarball from standard input.
const STANDARD_INPUT: &str = "stdin";

fn main() -> ExitCode {
    match run(&Arguments::read()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            complain(&format!("cannot write the result: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Runs the command. Returns the exit status, or the error if the output cannot be written.
fn run(arguments: &Arguments) -> io::Result<u8> {
    let width = console::Term::stdout().size_checked().map_or(DEFAULT_WIDTH, |(_, columns)| columns);
    if let Some(name) = &arguments.explain {
        return print_explanation(name.as_deref(), width);
    }
    let (policy, given) = match policy(arguments).and_then(|policy| Ok((policy, given(&arguments.paths)?))) {
        Ok(read) => read,
        Err(error) => {
            complain(&error);
            return Ok(2);
        }
    };
    let bar = progress::Bar::new();
    let audit = audit_given(&given, &policy, &bar);
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
            let fails = packages.iter().any(PackageSummary::has_failure);
            (summary(&packages, *format, &policy, width)?, fails)
        }
        _ => (findings(&audit, arguments, &policy, width)?, audit.has_errors()),
    };
    print(&text)?;
    // `--facts` gives no verdict, so a file without facts is reported as unreadable.
    let is_complete = audit.failures.is_empty() && !(arguments.facts && audit.damaged().next().is_some());
    Ok(match (is_complete, has_errors) {
        (false, _) => 2,
        (true, true) => 1,
        (true, false) => 0,
    })
}

/// Returns the policy. A named policy takes precedence over a file of the same name.
fn policy(arguments: &Arguments) -> Result<Policy, String> {
    let policy = match &arguments.policy {
        None => Policy::default(),
        Some(path) => match path.to_str().and_then(NamedPolicy::by_name) {
            Some(named) => named.policy(),
            None => Policy::from_file(path).map_err(|error| {
                let is_name = !path.exists() && path.components().count() == 1 && path.extension().is_none();
                let names = NamedPolicy::ALL.map(|policy| policy.name).join(", ");
                let known = if is_name { format!("; the named policies are {names}") } else { String::new() };
                format!("{error}{known}")
            })?,
        },
    };
    Ok(Policy { claim: arguments.platform.clone(), ..policy })
}

/// Returns the inputs of the audit. `-` is a tarball from standard input; without a path, the input is the package in the current
/// folder.
fn given(paths: &[PathBuf]) -> Result<Vec<Given>, String> {
    if paths.is_empty() {
        let files = npm_pack::npm_pack(Path::new(".")).map_err(|error| error.to_string())?;
        return Ok(vec![Given::Package { folder: PathBuf::new(), files }]);
    }
    let given = paths.iter().map(|path| match path.to_str() {
        Some("-") => standard_input(),
        _ => Ok(Given::Path(path.clone())),
    });
    given.collect()
}

/// Reads a tarball from standard input.
fn standard_input() -> Result<Given, String> {
    let input = io::stdin();
    if input.is_terminal() {
        return Err("standard input is a terminal: pipe an npm tarball into node-audit".to_owned());
    }
    let mut content = Vec::new();
    let read = input.lock().take(MAX_FILE + 1).read_to_end(&mut content);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    if content.len() as u64 > MAX_FILE {
        return Err(format!(
            "standard input is larger than {} MiB, the largest tarball that node-audit reads",
            MAX_FILE >> 20
        ));
    }
    Ok(Given::Tarball { name: PathBuf::from(STANDARD_INPUT), content: Arc::new(content) })
}

fn findings(audit: &Audit, arguments: &Arguments, policy: &Policy, width: u16) -> io::Result<String> {
    let from = arguments.least_severity();
    let locations = || {
        let names = arguments.paths.iter().map(|path| match path.to_str() {
            Some("-") => PathBuf::from(STANDARD_INPUT),
            _ => path.clone(),
        });
        Locations::new(&names.collect::<Vec<_>>())
    };
    Ok(match arguments.format {
        OutputFormat::Json => json(&audit.reports(), from)?,
        OutputFormat::Sarif => sarif(audit, &locations(), from)?,
        OutputFormat::Github => github(audit, &locations(), from),
        OutputFormat::Table if from == Severity::Error => coloured(&findings_table(audit, from, width)),
        OutputFormat::Table if audit.files.is_empty() && audit.packages.is_empty() => String::new(),
        OutputFormat::Table => {
            let table = coloured(&findings_table(audit, from, width));
            format!("{}\n{table}", verdict_lines(&verdicts(audit, policy), width))
        }
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

/// Prints the explanation of a rule or of a named policy, or lists all of them. Returns the exit status.
fn print_explanation(name: Option<&str>, width: u16) -> io::Result<u8> {
    let Some(name) = name else {
        let text = format!("{}\nPolicies (--policy):\n{}", rule_list(width), policy_list(width));
        return print(&text).map(|()| 0);
    };
    match (Rule::by_id(name), NamedPolicy::by_name(name)) {
        (Some(rule), _) => print(&explain(&rule, width)).map(|()| 0),
        (None, Some(policy)) => print(&policy_text(&policy, width)).map(|()| 0),
        (None, None) => {
            let rules = rule_list(width);
            complain(&format!(
                "unknown rule `{}`; the rules are:\n{}",
                name.escape_debug(),
                rules.trim_end()
            ));
            Ok(2)
        }
    }
}

fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        // A reader that closes the pipe early (`| head`) does not make the audit fail.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints an error to standard error. If that fails, nothing can report the failure.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "node-audit: {message}");
}

/// Returns a table, with coloured severities if standard output is a terminal and NO_COLOR is not set.
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
