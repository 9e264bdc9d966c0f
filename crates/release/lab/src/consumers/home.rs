//! An environment without the user's settings and without a network.

use std::env;
use std::path::Path;
use std::process::Command;

/// An address at which no server listens.
const NO_SERVER: &str = "http://127.0.0.1:9";

/// Returns a command that runs in `home`, and inherits only `PATH` from this process.
///
/// Package managers take settings, registries and caches from the home and the environment.
pub(super) fn isolated(home: &Path, mut command: Command) -> Command {
    command.current_dir(home).env_clear().env("HOME", home).env("NO_COLOR", "1");
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    // A manager that ignores the registry setting must fail, not ask the public registry.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, NO_SERVER);
    }
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command
}

#[cfg(test)]
mod tests {
    use machine::process;

    /// `npm run` and users' shells set such variables.
    #[test]
    fn no_setting_of_the_user_remains() {
        let mut command = process::command("sh");
        command.args(["-c", "env"]).env("npm_config_registry", "http://example.org/").env("CI", "true");
        let folder = tempfile::tempdir().unwrap();
        let environment = process::capture(super::isolated(folder.path(), command)).unwrap();
        assert!(environment.contains(&format!("HOME={}\n", folder.path().display())), "{environment}");
        for unwanted in ["npm_config_registry", "CI=", "CARGO"] {
            assert!(!environment.lines().any(|line| line.starts_with(unwanted)), "{environment}");
        }
    }
}
