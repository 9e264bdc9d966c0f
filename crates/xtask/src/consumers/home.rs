//! The surroundings of every program here: nothing of the user's, and no way out of this machine.

use std::env;
use std::path::Path;
use std::process::Command;

/// A port at which nothing answers.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Gives a program this folder as its home, and of this process's environment `PATH` alone: managers read settings,
/// registries and stores from both.
pub(super) fn at(home: &Path, mut command: Command) -> Command {
    command.env_clear().env("HOME", home).env("NO_COLOR", "1");
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    // A manager that overlooks its registry's setting asks the public one, and would pass or fail with the network.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, NOWHERE);
    }
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command
}

#[cfg(test)]
mod tests {
    use crate::process;

    /// As `npm run` or a user's shell would set it.
    #[test]
    fn nothing_of_the_users_settings_is_left() {
        let mut command = process::command("sh");
        command.args(["-c", "env"]).env("npm_config_registry", "http://example.org/").env("CI", "true");
        let folder = tempfile::tempdir().unwrap();
        let seen = process::capture(super::at(folder.path(), command)).unwrap();
        assert!(seen.contains(&format!("HOME={}\n", folder.path().display())), "{seen}");
        for unwanted in ["npm_config_registry", "CI=", "CARGO"] {
            assert!(!seen.lines().any(|line| line.starts_with(unwanted)), "{seen}");
        }
    }
}
