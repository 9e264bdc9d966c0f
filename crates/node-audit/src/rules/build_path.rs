//! No directory of the machine that built the file is named.

use std::collections::{HashMap, HashSet};

use super::{Check, Problem, Rule, Subject, few};
use crate::finding::Severity;
use crate::paths;

pub(super) const RULE: Rule = Rule {
    id: "build-path",
    asks: "no home, temporary or build directory of the machine that built the file is named",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "Compilers write the paths of source files into what they compile: for assertions and panics (Rust's \
        registry of crates is the most common), for __FILE__, and for debuggers. They work all the same, but tell users \
        the name and the directories of the one who built it, differ from machine to machine, so that no one can \
        build the same file again, and now and then are really opened: then the file that is meant is not there, or \
        is somebody else's.\n\
        Remap them: --remap-path-prefix or trim-paths in Rust, -ffile-prefix-map in C and C++, /PDBALTPATH:%_PDB% for \
        the debug information that a Windows linker names; and strip debug information.",
    check: Check::Addon(check),
};

/// Directories below a home under which tools keep what they downloaded: all in them is one thing.
const TOOLS: [&str; 4] = [".cargo/registry", ".cargo/git", ".rustup/toolchains", ".conan"];

/// Users of build services and containers, who are nobody.
const SERVICES: [&str; 10] =
    ["runner", "runneradmin", "circleci", "travis", "vsts", "vagrant", "ubuntu", "node", "builder", "rust"];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let facts = subject.facts;
    let pdb = facts.pe().and_then(|pe| pe.pdb.as_deref()).filter(|pdb| pdb.contains(['\\', '/']));
    let mut problems = Vec::new();
    let mut groups: Vec<(&str, usize)> = Vec::new();
    let mut positions = HashMap::new();
    let mut count = 0;
    for path in &facts.paths {
        if paths::is_store(path) || pdb == Some(path) {
            continue;
        }
        count += 1;
        let directory = leading(path);
        let position = *positions.entry(directory).or_insert(groups.len());
        match groups.get_mut(position) {
            Some((_, paths)) => *paths += 1,
            None => groups.push((directory, 1)),
        }
    }
    if count > 0 {
        groups.sort_by_key(|(_, paths)| std::cmp::Reverse(*paths));
        problems.push(Problem {
            severity: Severity::Warning,
            message: message(&facts.paths, count, &groups),
            evidence: evidence(&groups),
            remedy: "remap them with --remap-path-prefix or trim-paths (Rust), -ffile-prefix-map (C, C++), and strip \
                     debug information"
                .to_owned(),
        });
    }
    if let Some(pdb) = pdb {
        problems.push(Problem {
            severity: Severity::Warning,
            message: "it names its debug information by the whole path on the machine that built it"
                .to_owned(),
            evidence: format!("PDB path {pdb}"),
            remedy: "link with /PDBALTPATH:%_PDB%, which leaves the file's name only".to_owned(),
        });
    }
    problems
}

fn message(paths: &[String], count: usize, groups: &[(&str, usize)]) -> String {
    let least = if paths.len() < paths::MOST { "" } else { "at least " };
    let (stand, plural) = if count == 1 { ("stands", "") } else { ("stand", "s") };
    let mut known = HashSet::new();
    let users = groups.iter().filter_map(|(directory, _)| user(directory));
    let users = users.filter(|user| !SERVICES.contains(user));
    let users: Vec<&str> = users.filter(|user| known.insert(*user)).collect();
    let named = match users.as_slice() {
        [] => String::new(),
        [user] => format!(", with the user name {}", super::shortened(user)),
        users => format!(", with the user names {}", few(users)),
    };
    format!("{least}{count} path{plural} of the machine that built it {stand} in it{named}")
}

fn evidence(groups: &[(&str, usize)]) -> String {
    const SHOWN: usize = 6;
    let counted = |(directory, paths): &(&str, usize)| {
        format!("{directory} ({paths} path{})", if *paths == 1 { "" } else { "s" })
    };
    let shown = groups.iter().take(SHOWN).map(counted).collect::<Vec<_>>().join(", ");
    match groups.get(SHOWN..).unwrap_or_default() {
        [] => shown,
        more => {
            let paths: usize = more.iter().map(|(_, paths)| paths).sum();
            format!("{shown} and {} more directories ({paths} paths)", more.len())
        }
    }
}

/// The part of a path that says whose it is: a tool's store, or the first directories.
fn leading(path: &str) -> &str {
    // As long as the path, so that positions are the same.
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

/// The name of the user whose directory a path begins with.
fn user(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/home/").or_else(|| path.strip_prefix("/Users/"));
    let rest = rest.or_else(|| path.get(1..)?.strip_prefix(":\\Users\\"));
    let rest = rest.or_else(|| path.get(1..)?.strip_prefix(":/Users/"))?;
    rest.split(['/', '\\']).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beside::Beside;
    use crate::facts::{Details, Facts, PeFacts};
    use crate::policy::Policy;
    use crate::rules::Context;
    use crate::rules::runpath::is_build;

    #[test]
    fn the_path_of_a_pdb_is_a_finding_of_its_own() {
        let findings = |pdb: &str, paths: &[&str]| {
            let facts = Facts {
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
                ..Facts::empty(Details::Pe(PeFacts { pdb: Some(pdb.to_owned()), ..PeFacts::default() }))
            };
            let policy = Policy::default();
            let context = Context { package: None, beside: Beside::Unknown, abi: None, policy: &policy };
            check(&Subject::new(&facts, None, context))
        };
        let whole = "D:\\a\\addon\\addon\\build\\addon.pdb";
        let found = findings(whole, &[whole]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].evidence, format!("PDB path {whole}"));
        assert_eq!(findings(whole, &[whole, "D:\\a\\addon\\addon\\x.cc"]).len(), 2);
        // A directory that no list has.
        assert_eq!(findings("E:\\mine\\addon.pdb", &[]).len(), 1);
        assert_eq!(findings("addon.pdb", &[]), []);
    }

    #[test]
    fn a_directory_that_leaks_is_none_to_search_for_libraries() {
        for directory in paths::unix_directories() {
            assert!(is_build(directory), "{directory}");
        }
    }

    #[test]
    fn the_leading_directories_say_whose_a_path_is() {
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
