//! Versions of system interfaces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of two or three numbers: glibc 2.28, glibc 2.2.5, macOS 11.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number; 0 if the string has only two numbers.
    pub patch: u32,
}

/// A string that does not parse as a [`Version`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: expected two or three numbers, as in 2.28")]
pub struct VersionError {
    /// The string.
    pub text: String,
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>();
        match numbers.as_deref() {
            Some(&[major, minor]) => Ok(Version { major, minor, patch: 0 }),
            Some(&[major, minor, patch]) => Ok(Version { major, minor, patch }),
            _ => Err(VersionError { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch == 0 { Ok(()) } else { write!(f, ".{}", self.patch) }
    }
}

/// Parses digits only; `str::parse` alone would also accept "+2".
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_and_print_as_written() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("2.9") < version("2.28"));
        assert!(version("2.2.5") < version("2.3") && version("2.3") < version("2.3.4"));
        assert_eq!(
            (version("11.0").to_string(), version("2.2.5").to_string()),
            ("11.0".into(), "2.2.5".into())
        );
        for text in ["", "2", "2.", "2.x", "+2.1", "1.2.3.4", "99999999999.1"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }
}
