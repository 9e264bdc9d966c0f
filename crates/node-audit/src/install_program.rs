//! The known programs in the install scripts of packages with addons.

/// A program that install scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InstallProgram {
    /// `node-gyp-build`
    pub(crate) name: &'static str,
    /// A clause with the program as its subject.
    pub(crate) effect: &'static str,
    /// `true` if the program downloads the addon, even if the package contains an addon.
    pub(crate) downloads: bool,
}

/// The known programs. The rule reports the first program that a script contains.
const PROGRAMS: [InstallProgram; 9] = [
    downloader("prebuild-install", "downloads the addon"),
    program("node-gyp-build-optional-packages", "compiles the addon if no prebuilt addon is installed"),
    program("node-gyp-build", "compiles the addon if no prebuilt addon fits"),
    downloader("node-pre-gyp", "downloads the addon, or compiles it"),
    program("pkg-prebuilds-verify", "compiles the addon if no prebuilt addon fits"),
    program("napi-postinstall", "downloads an addon if none is installed"),
    program("node-gyp", "compiles the addon"),
    program("cmake-js", "compiles the addon"),
    program("cargo", "compiles the addon"),
];

const fn program(name: &'static str, effect: &'static str) -> InstallProgram {
    InstallProgram { name, effect, downloads: false }
}

const fn downloader(name: &'static str, effect: &'static str) -> InstallProgram {
    InstallProgram { downloads: true, ..program(name, effect) }
}

impl InstallProgram {
    /// Returns the known program that a script runs; only whole words match.
    pub(crate) fn of(script: &str) -> Option<InstallProgram> {
        let words: Vec<&str> =
            script.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').collect();
        PROGRAMS.into_iter().find(|program| words.contains(&program.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_match_a_program() {
        let name = |script| InstallProgram::of(script).map(|program| program.name);
        assert_eq!(name("prebuild-install || node-gyp rebuild"), Some("prebuild-install"));
        assert_eq!(name("node-gyp-build"), Some("node-gyp-build"));
        assert_eq!(name("node node_modules/.bin/node-gyp-build"), Some("node-gyp-build"));
        assert_eq!(name("node scripts/makefile.js"), None);
    }
}
