//! The package managers: their settings for a registry, and the arguments that install the package and run a program.

use node_targets::Target;

use super::tools::{self, Tool};

/// A package manager, or one mode of a package manager.
#[derive(Debug)]
pub(super) struct Manager {
    /// The manager's name, without the version.
    pub(super) name: &'static str,
    pub(super) tool: Tool,
    /// The arguments that install the package into an empty project, without running a script.
    pub(super) add: &'static [&'static str],
    /// The arguments that install the project's dependencies, without running a script.
    pub(super) install: &'static [&'static str],
    /// The arguments before those of the program `strongroom`, which the package has as its `bin`.
    pub(super) program: &'static [&'static str],
    /// The folder in `bindings/node/clients/managers` whose project replaces better-sqlite3 with Strongroom.
    pub(super) replacing: &'static str,
    /// `true` if the manager checks a package's `libc` as well as `os` and `cpu`.
    compares_libc: bool,
    /// The value of Yarn 4's `nodeLinker`, which decides where packages go.
    linker: Option<&'static str>,
    /// The arguments before a program, if the manager is also a runtime.
    pub(super) run: Option<&'static [&'static str]>,
}

const NPM: Manager = Manager {
    name: "npm",
    tool: tools::NPM,
    add: &["install", "--ignore-scripts", "--no-audit", "--no-fund", "strongroom"],
    install: &["install", "--ignore-scripts", "--no-audit", "--no-fund"],
    program: &["exec", "--offline", "--", "strongroom"],
    replacing: "npm",
    compares_libc: true,
    linker: None,
    run: None,
};

/// The settings file of Yarn 4 disables scripts.
const YARN4: Manager = Manager {
    name: "Yarn",
    tool: tools::YARN4,
    add: &["add", "strongroom"],
    install: &["install"],
    program: &["run", "strongroom"],
    replacing: "yarn",
    ..NPM
};

/// Every manager.
pub(super) const MANAGERS: [Manager; 7] = [
    NPM,
    Manager {
        name: "pnpm",
        tool: tools::PNPM,
        add: &["add", "--ignore-scripts", "strongroom"],
        install: &["install", "--ignore-scripts"],
        program: &["exec", "strongroom"],
        replacing: "pnpm",
        ..NPM
    },
    Manager {
        name: "Yarn",
        tool: tools::YARN1,
        add: &["add", "--ignore-scripts", "--non-interactive", "strongroom"],
        install: &["install", "--ignore-scripts", "--non-interactive"],
        program: &["run", "--silent", "strongroom"],
        replacing: "yarn",
        compares_libc: false,
        ..NPM
    },
    Manager { linker: Some("node-modules"), ..YARN4 },
    Manager { linker: Some("pnp"), ..YARN4 },
    Manager {
        name: "Bun",
        tool: tools::BUN,
        add: &["add", "--ignore-scripts", "strongroom"],
        install: &["install", "--ignore-scripts"],
        program: &["run", "strongroom"],
        replacing: "bun-deno",
        run: Some(&["run"]),
        ..NPM
    },
    Manager {
        name: "Deno",
        tool: tools::DENO,
        // By default, Deno runs no scripts of packages, and refuses a package that is less than a day old.
        add: &["add", "--minimum-dependency-age=0", "npm:strongroom"],
        install: &["install", "--minimum-dependency-age=0"],
        program: &["run", "--allow-all", "node_modules/strongroom/dist/cli/strongroom.js"],
        replacing: "bun-deno",
        compares_libc: false,
        run: Some(&["run", "--allow-all"]),
        ..NPM
    },
];

impl Manager {
    /// Returns the name and the content of the settings file that selects a registry.
    pub(super) fn settings(&self, registry: &str) -> (&'static str, String) {
        let Some(linker) = self.linker else {
            return (".npmrc", format!("registry={registry}\n"));
        };
        let settings = format!(
            "npmRegistryServer: {registry}\n\
             unsafeHttpWhitelist: [127.0.0.1]\n\
             nodeLinker: {linker}\n\
             enableScripts: false\n\
             enableTelemetry: false\n\
             # By default, Yarn refuses a package that is less than a day old.\n\
             npmMinimalAgeGate: 0\n"
        );
        (".yarnrc.yml", settings)
    }

    /// Returns whether only the manager can resolve packages, so that plain `node` cannot import them.
    pub(super) fn is_plug_and_play(&self) -> bool {
        self.linker == Some("pnp")
    }

    /// Returns the platforms, sorted, whose packages the manager installs on a host.
    pub(super) fn platforms(&self, host: &Target) -> Vec<&'static str> {
        let fits = |target: &&Target| {
            let is_system = target.os == host.os && target.cpu == host.cpu;
            is_system && (target.libc == host.libc || !self.compares_libc)
        };
        let fitting = node_targets::targets().iter().filter(fits);
        let mut platforms: Vec<&str> = fitting.map(|target| target.platform.as_str()).collect();
        platforms.sort_unstable();
        platforms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_that_ignores_libc_installs_the_packages_for_both_c_libraries() {
        let both = ["linux-x64-gnu", "linux-x64-musl"];
        for host in both {
            let target = Target::by_platform(host).unwrap();
            for manager in &MANAGERS {
                let expected = if manager.compares_libc { vec![host] } else { both.to_vec() };
                assert_eq!(manager.platforms(target), expected, "{} on {host}", manager.name);
            }
        }
        let mac = Target::by_platform("darwin-arm64").unwrap();
        assert!(MANAGERS.iter().all(|manager| manager.platforms(mac) == ["darwin-arm64"]));
    }

    #[test]
    fn each_managers_settings_name_the_registry() {
        for manager in &MANAGERS {
            let (_, settings) = manager.settings("http://127.0.0.1:1/");
            assert!(settings.contains("http://127.0.0.1:1/\n"), "{manager:?}");
        }
    }
}
