//! Groups findings: the same finding in ten files is one problem.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::finding::{Finding, Severity};

/// The findings of one problem, in one or more files.
pub(super) struct Group<'a> {
    /// The findings; at least one.
    pub(super) findings: Vec<&'a Finding>,
}

/// Groups findings with the same rule, severity, message and remedy, the most severe first. Ignores differences in the
/// file's name, in counts and in sizes.
pub(super) fn groups<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut positions: HashMap<_, usize> = HashMap::new();
    for finding in findings {
        let Finding { severity, rule, message, remedy, .. } = finding;
        let key = (*severity, *rule, masked(message, file_name(&finding.file)), remedy.as_str());
        match positions.get(&key).and_then(|position| groups.get_mut(*position)) {
            Some(group) => group.findings.push(finding),
            None => {
                positions.insert(key, groups.len());
                groups.push(Group { findings: vec![finding] });
            }
        }
    }
    // The sort is stable, so rules keep their order.
    groups.sort_by_key(|group| Reverse(group.severity()));
    groups
}

impl<'a> Group<'a> {
    /// Returns the finding in the first file.
    pub(super) fn first(&self) -> &'a Finding {
        #[expect(clippy::expect_used, reason = "each group has at least one finding")]
        self.findings.first().expect("a group has a finding")
    }

    pub(super) fn severity(&self) -> Severity {
        self.first().severity
    }

    /// Returns the files, each once.
    pub(super) fn files(&self) -> Vec<&'a str> {
        let mut files: Vec<&str> = self.findings.iter().map(|finding| finding.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Returns the message, with a range in place of each count that differs: `the file contains 3 to 5 paths`.
    pub(super) fn message(&self) -> String {
        let mut merged: Vec<Word> = words(&self.first().message);
        for finding in self.findings.iter().skip(1) {
            for (own, other) in merged.iter_mut().zip(words(&finding.message)) {
                own.widen(&other);
            }
        }
        merged.iter().map(Word::text).collect::<Vec<_>>().join(" ")
    }

    /// Returns the evidence in the first file, and whether it is the same in all other files.
    pub(super) fn evidence(&self) -> (&'a str, bool) {
        let first = self.first().evidence.as_str();
        (first, self.findings.iter().all(|finding| finding.evidence == first))
    }
}

/// A word of a message.
struct Word {
    /// The word, as in the first message.
    text: String,
    /// The smallest and the largest number at this position, each with its text; None for a word that is not a count.
    range: Option<[(f64, String); 2]>,
    /// The punctuation after the number.
    end: String,
}

impl Word {
    fn widen(&mut self, other: &Word) {
        if let (Some([low, high]), Some([other, _])) = (&mut self.range, &other.range) {
            if other.0 < low.0 {
                low.clone_from(other);
            }
            if other.0 > high.0 {
                high.clone_from(other);
            }
        }
    }

    fn text(&self) -> String {
        match &self.range {
            Some([(_, low), (_, high)]) if low != high => format!("{low} to {high}{}", self.end),
            _ => self.text.clone(),
        }
    }
}

/// Splits a message into words. A count is a whole number, or a number before a unit of size. Other numbers are versions.
fn words(message: &str) -> Vec<Word> {
    let all: Vec<&str> = message.split(' ').collect();
    let word = |(position, word): (usize, &&str)| {
        let number = word.trim_end_matches([',', ';', ':', '.', ')']);
        let unit = all.get(position + 1).map_or("", |next| next.trim_end_matches([',', ';', ':', '.', ')']));
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_count = digits || ["kB", "MB", "GB"].contains(&unit);
        let value = number.parse::<f64>().ok().filter(|value| is_count && value.is_finite());
        let range = value.map(|value| [(value, number.to_owned()), (value, number.to_owned())]);
        Word { text: (*word).to_owned(), range, end: word.get(number.len()..).unwrap_or_default().to_owned() }
    };
    all.iter().enumerate().map(word).collect()
}

/// Returns a message without its counts and the file's name.
fn masked(message: &str, file: &str) -> String {
    let words = words(message);
    let mask = |word: &Word| match &word.range {
        Some(_) => format!("#{}", word.end),
        None => word.text.replace(file, "*"),
    };
    words.iter().map(mask).collect::<Vec<_>>().join(" ")
}

fn file_name(file: &str) -> &str {
    file.rsplit(['/', '\\', ':']).next().unwrap_or(file)
}

/// Returns a short text for paths: `prebuilds/linux-x64/node-{108, 115}.node, x.node`, and the number of the other paths.
pub(super) fn joined(files: &[&str], most: usize) -> String {
    let mut folders: Vec<(&str, Vec<&str>)> = Vec::new();
    for file in files.iter().take(most) {
        let name = file_name(file);
        let folder = file.get(..file.len() - name.len()).unwrap_or_default();
        match folders.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, names)) => names.push(name),
            None => folders.push((folder, vec![name])),
        }
    }
    let texts = folders.iter().map(|(folder, names)| match names.as_slice() {
        [name] => format!("{folder}{name}"),
        names => {
            let (start, end) = shared(names);
            let middle = names.iter().filter_map(|name| name.get(start.len()..name.len() - end.len()));
            format!("{folder}{start}{{{}}}{end}", middle.collect::<Vec<_>>().join(", "))
        }
    });
    let more = match files.len().saturating_sub(most) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    texts.collect::<Vec<_>>().join(", ") + &more
}

/// Returns the start and the end that several names share, in whole words.
fn shared<'a>(names: &[&'a str]) -> (&'a str, &'a str) {
    let Some(first) = names.first() else { return ("", "") };
    let is_break = |c: char| !c.is_ascii_alphanumeric();
    let starts = first.match_indices(is_break).map(|(at, mark)| at + mark.len());
    let starts: Vec<&str> = starts.filter_map(|at| first.get(..at)).collect();
    let start = starts.into_iter().rev().find(|start| names.iter().all(|name| name.starts_with(start)));
    let start = start.unwrap_or_default();
    let ends: Vec<&str> = first.match_indices(is_break).filter_map(|(at, _)| first.get(at..)).collect();
    let fits =
        |end: &&&str| names.iter().all(|name| name.len() >= start.len() + end.len() && name.ends_with(**end));
    (start, ends.iter().find(fits).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(file: &str, message: &str, evidence: &str) -> Finding {
        Finding {
            file: file.to_owned(),
            platform: None,
            rule: "build-path",
            severity: Severity::Warning,
            message: message.to_owned(),
            evidence: evidence.to_owned(),
            remedy: "remove".to_owned(),
        }
    }

    #[test]
    fn messages_that_differ_in_counts_merge_into_a_range() {
        let findings = [
            finding("d/a.node", "the file contains 3 paths, of 26.3 kB", "x"),
            finding("d/b.node", "the file contains 12 paths, of 4.0 kB", "x"),
            finding("d/b.node", "the file contains 5 paths, of 7.1 kB", "y"),
        ];
        let groups = groups(&findings);
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].message(), "the file contains 3 to 12 paths, of 4.0 to 26.3 kB");
        assert_eq!(groups[0].files(), ["d/a.node", "d/b.node"]);
        assert_eq!(groups[0].evidence(), ("x", false));
    }

    #[test]
    fn versions_are_not_counts_and_file_names_do_not_matter() {
        let findings = [
            finding("a.node", "the addon needs glibc 2.34; see a.node", ""),
            finding("b.node", "the addon needs glibc 2.34; see b.node", ""),
            finding("c.node", "the addon needs glibc 2.31; see c.node", ""),
        ];
        let groups = groups(&findings);
        assert_eq!(groups.iter().map(|group| group.files().len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(groups[0].message(), "the addon needs glibc 2.34; see a.node");
    }

    #[test]
    fn common_parts_of_paths_are_written_once() {
        for (files, expected) in [
            (&["a.node"][..], "a.node"),
            (&["p/node-108.node", "p/node-115.node", "q/x.node"], "p/node-{108, 115}.node, q/x.node"),
            (&["p/a.glibc.node", "p/a.musl.node"], "p/a.{glibc, musl}.node"),
            (&["p/argon2.armv8.glibc.node", "p/argon2.armv8.musl.node"], "p/argon2.armv8.{glibc, musl}.node"),
            (&["p/ab.node", "p/ac.node"], "p/{ab, ac}.node"),
            (&["p/x.node", "p/x.y.node"], "p/x.{node, y.node}"),
        ] {
            assert_eq!(joined(files, 9), expected);
        }
        assert_eq!(joined(&["a.node", "b.node", "c.node"], 1), "a.node and 2 more");
    }
}
