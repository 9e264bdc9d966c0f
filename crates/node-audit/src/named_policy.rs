//! Named policies: the floors of well-known systems, each with its source.

use std::path::Path;

use crate::policy::Policy;

/// A named policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedPolicy {
    /// The name: `debian-11`.
    pub name: &'static str,
    /// The policy file, whose comments name the sources.
    pub text: &'static str,
}

impl NamedPolicy {
    /// All named policies.
    pub const ALL: [NamedPolicy; 5] = [
        NamedPolicy { name: "node20", text: include_str!("policies/node20.toml") },
        NamedPolicy { name: "node22", text: include_str!("policies/node22.toml") },
        NamedPolicy { name: "lambda-al2023", text: include_str!("policies/lambda-al2023.toml") },
        NamedPolicy { name: "debian-11", text: include_str!("policies/debian-11.toml") },
        NamedPolicy { name: "rhel-8", text: include_str!("policies/rhel-8.toml") },
    ];

    /// Returns the policy with a name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<NamedPolicy> {
        NamedPolicy::ALL.into_iter().find(|policy| policy.name == name)
    }

    /// Returns the first line of the policy's comment.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// Returns the parsed policy. A test parses each named policy, so parsing cannot fail.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy::from_toml(Path::new(self.name), self.text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn each_policy_parses_and_names_its_source() {
        for named in NamedPolicy::ALL {
            let parsed = Policy::from_toml(Path::new(named.name), named.text).unwrap();
            assert_eq!(parsed, named.policy());
            assert!(named.text.contains("https://") && named.text.contains("[floors]"), "{}", named.name);
            assert!(named.summary().ends_with('.') && !named.summary().contains('#'), "{}", named.summary());
            // A policy for a system names floors only.
            assert_eq!(
                Policy { floors: parsed.floors.clone(), firm: parsed.firm, ..Policy::default() },
                parsed
            );
        }
    }

    #[test]
    fn floors_are_those_of_the_systems() {
        let floors = |name| NamedPolicy::by_name(name).unwrap().policy().floors;
        let version = |major, minor| Version { major, minor, patch: 0 };
        assert_eq!(floors("node20"), Policy::default().floors);
        assert_eq!(
            (floors("node22").macos_x64, floors("node20").macos_x64),
            (version(11, 0), version(10, 15))
        );
        let glibc = ["node22", "lambda-al2023", "debian-11", "rhel-8"].map(|name| floors(name).glibc);
        assert_eq!(glibc, [version(2, 28), version(2, 34), version(2, 31), version(2, 28)]);
        assert_eq!(NamedPolicy::by_name("node18"), None);
    }
}
