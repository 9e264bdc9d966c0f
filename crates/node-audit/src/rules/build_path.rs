//! Checks that the file names no directory of the build machine.

use std::collections::{HashMap, HashSet};

use super::evidence::{first_names, short_name};
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::build_paths;
use crate::finding::Severity;
use crate::limits::{MAX_EVIDENCE_DIRECTORIES, MAX_PATHS};

pub(super) const RULE: Rule = Rule {
    id: "build-path",
    asks: "the file names no home, temporary or build directory of the build machine",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "Compilers embed the paths of source files for assertions and panics (most often from Rust's registry \
        of crates), for __FILE__, and for debuggers. The addon works, but the paths reveal the builder's user name and \
        directories. The paths also differ between machines, so the build is not reproducible. If the addon opens such a \
        path on another machine, the file is missing or belongs to another user.\n\
        Remap the paths: --remap-path-prefix or trim-paths in Rust, -ffile-prefix-map in C and C++, /PDBALTPATH:%_PDB% \
        for the path of the PDB on Windows. Strip debug information.",
    check: Check::Addon(check),
};

/// Directories below a home directory in which tools keep downloads. All paths in such a directory form one group.
const TOOLS: [&str; 4] = [".cargo/registry", ".cargo/git", ".rustup/toolchains", ".conan"];

/// The users of build services and containers. These names reveal no person.
const SERVICES: [&str; 10] =
    ["runner", "runneradmin", "circleci", "travis", "vsts", "vagrant", "ubuntu", "node", "builder", "rust"];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    let pdb = facts.pe().and_then(|pe| pe.pdb.as_deref()).filter(|pdb| pdb.contains(['\\', '/']));
    let mut problems = Vec::new();
    let leaked = facts.paths.iter().filter(|path| !build_paths::is_store(path) && pdb != Some(path.as_str()));
    let groups = groups(leaked);
    if !groups.is_empty() {
        problems.push(Problem {
            severity: Severity::Warning,
            message: message(&groups, facts.paths.len() >= MAX_PATHS),
            evidence: evidence(&groups),
            remedy: "remap the paths with --remap-path-prefix or trim-paths (Rust), -ffile-prefix-map (C, C++), and \
                     strip debug information"
                .to_owned(),
        });
    }
    if let Some(pdb) = pdb {
        problems.push(Problem {
            severity: Severity::Warning,
            message: "the file contains the full path of its debug information on the build machine"
                .to_owned(),
            evidence: format!("PDB path {pdb}"),
            remedy: "link with /PDBALTPATH:%_PDB%, which keeps only the file name".to_owned(),
        });
    }
    problems
}

/// Paths with the same leading directory.
struct Group<'a> {
    directory: &'a str,
    paths: usize,
}

/// Groups paths by their leading directory, the largest group first.
fn groups<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut positions = HashMap::new();
    for path in paths {
        let directory = leading(path);
        let position = *positions.entry(directory).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.paths += 1,
            None => groups.push(Group { directory, paths: 1 }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.paths));
    groups
}

fn total(groups: &[Group<'_>]) -> usize {
    groups.iter().map(|group| group.paths).sum()
}

fn message(groups: &[Group<'_>], is_cut: bool) -> String {
    let count = total(groups);
    let at_least = if is_cut { "at least " } else { "" };
    let plural = if count == 1 { "" } else { "s" };
    let mut known = HashSet::new();
    let users = groups.iter().filter_map(|group| user(group.directory));
    // `AppData` is a Windows folder in a user's directory, from a path whose user name is missing.
    let users = users.filter(|user| !SERVICES.contains(user) && !user.eq_ignore_ascii_case("AppData"));
    let users: Vec<&str> = users.filter(|user| known.insert(*user)).collect();
    let named = match users.as_slice() {
        [] => String::new(),
        [user] => format!(", with the user name {}", short_name(user)),
        users => format!(", with the user names {}", first_names(users)),
    };
    format!("the file contains {at_least}{count} path{plural} of the build machine{named}")
}

fn evidence(groups: &[Group<'_>]) -> String {
    let counted = |Group { directory, paths }: &Group<'_>| {
        format!("{directory} ({paths} path{})", if *paths == 1 { "" } else { "s" })
    };
    let first = groups.iter().take(MAX_EVIDENCE_DIRECTORIES).map(counted).collect::<Vec<_>>().join(", ");
    match groups.get(MAX_EVIDENCE_DIRECTORIES..).unwrap_or_default() {
        [] => first,
        more => format!("{first} and {} more directories ({} paths)", more.len(), total(more)),
    }
}

/// Returns the leading directory of a path: a tool's directory, or the first few directories.
fn leading(path: &str) -> &str {
    // The new string has the length of the path, so positions are the same.
    let plain = path.replace('\\', "/");
    for tool in TOOLS {
        if let Some(at) = plain.find(&format!("/{tool}/")) {
            return &path[..at + 1 + tool.len()];
        }
    }
    let drive = !plain.starts_with('/');
    let deeper = ["/private/", "/var/", "/github/", "/nix/"].iter().any(|start| plain.starts_with(start));
    // `/home/me/project`, `/tmp/build`, `C:\\Users\\me\\project`, `D:\\a\\project`.
    let directories = 2 + usize::from(drive) + usize::from(deeper || user(path).is_some());
    let separators = plain.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
    let end = separators.take(directories).last().unwrap_or(path.len());
    &path[..end]
}

/// Returns the name of the user in whose directory a path begins.
fn user(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/home/").or_else(|| path.strip_prefix("/Users/"));
    let rest = rest.or_else(|| path.get(1..)?.strip_prefix(":\\Users\\"));
    let rest = rest.or_else(|| path.get(1..)?.strip_prefix(":/Users/"))?;
    rest.split(['/', '\\']).next()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::addon::Addon;
    use crate::facts::{Details, Facts, PeFacts};
    use crate::policy::Policy;
    use crate::search_path::is_build_directory;

    #[test]
    fn the_path_of_a_pdb_is_a_finding_of_its_own() {
        let findings = |pdb: &str, paths: &[&str]| {
            let facts = Facts {
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
                ..Facts::empty(Details::Pe(PeFacts { pdb: Some(pdb.to_owned()), ..PeFacts::default() }))
            };
            let addon = Addon::unplaced(PathBuf::new(), vec![facts]);
            check(&Subject::new(&addon, &addon.facts[0], None, &Policy::default()))
        };
        let whole = "D:\\a\\addon\\addon\\build\\addon.pdb";
        let found = findings(whole, &[whole]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].evidence, format!("PDB path {whole}"));
        assert_eq!(findings(whole, &[whole, "D:\\a\\addon\\addon\\x.cc"]).len(), 2);
        // `E:\mine` is not a known build directory, but the rule reports the path of the PDB.
        assert_eq!(findings("E:\\mine\\addon.pdb", &[]).len(), 1);
        assert_eq!(findings("addon.pdb", &[]), []);
    }

    #[test]
    fn every_build_root_is_also_a_build_directory_for_library_search() {
        for directory in build_paths::unix_directories() {
            assert!(is_build_directory(directory), "{directory}");
        }
    }

    #[test]
    fn paths_are_grouped_by_tool_or_user_or_project() {
        for (path, expected) in [
            ("/home/me/.cargo/registry/src/index-1/x/src/lib.rs", "/home/me/.cargo/registry"),
            ("C:\\Users\\me\\.cargo\\registry\\src/x.rs", "C:\\Users\\me\\.cargo\\registry"),
            ("/home/me/project/src/x.c", "/home/me/project"),
            ("/home/me/x.c", "/home/me"),
            ("/build/source/src/x.c", "/build/source"),
            ("/root/x.c", "/root"),
            ("/var/tmp/x/src/y.c", "/var/tmp/x"),
            ("D:\\a\\addon\\addon\\src\\x.c", "D:\\a\\addon"),
            ("C:/Users/me/project/src/x.c", "C:/Users/me/project"),
        ] {
            assert_eq!(leading(path), expected);
        }
    }
}
