//! The package managers: how each is told its registry, installs the package, and starts a program with it.

use node_targets::Target;

use super::tools::Tool;

/// A way to install the package.
#[derive(Debug)]
pub(super) struct Manager {
    /// What people call it, without the version.
    pub(super) name: &'static str,
    /// What its name lacks, after the version.
    pub(super) variant: &'static str,
    pub(super) tool: Tool,
    /// Installs the package into an empty project. No script of a package may run: there is none.
    pub(super) add: &'static [&'static str],
    /// Whether it compares a package's `libc`, and not `os` and `cpu` alone.
    compares_libc: bool,
    /// Where Yarn 4 puts packages: one of its linkers.
    linker: Option<&'static str>,
    /// It is a runtime as well: what stands before the program that it is to run.
    pub(super) runs: Option<&'static [&'static str]>,
}

const DEFAULT: Manager = Manager {
    name: "npm",
    variant: "",
    tool: Tool::Npm,
    add: &["install", "--ignore-scripts", "--no-audit", "--no-fund", "strongroom"],
    compares_libc: true,
    linker: None,
    runs: None,
};

/// Yarn 4 is told by its settings that no script may run.
const YARN4: Manager = Manager { name: "Yarn", tool: Tool::Yarn4, add: &["add", "strongroom"], ..DEFAULT };

/// Every manager.
pub(super) const ALL: [Manager; 7] = [
    DEFAULT,
    Manager { name: "pnpm", tool: Tool::Pnpm, add: &["add", "--ignore-scripts", "strongroom"], ..DEFAULT },
    Manager {
        name: "Yarn",
        tool: Tool::Yarn1,
        add: &["add", "--ignore-scripts", "--non-interactive", "strongroom"],
        compares_libc: false,
        ..DEFAULT
    },
    Manager { linker: Some("node-modules"), ..YARN4 },
    Manager { variant: " PnP", linker: Some("pnp"), ..YARN4 },
    Manager {
        name: "Bun",
        tool: Tool::Bun,
        add: &["add", "--ignore-scripts", "strongroom"],
        runs: Some(&["run"]),
        ..DEFAULT
    },
    Manager {
        name: "Deno",
        tool: Tool::Deno,
        // It runs no package's scripts unless told to, and takes nothing that was published within a day.
        add: &["add", "--minimum-dependency-age=0", "npm:strongroom"],
        compares_libc: false,
        runs: Some(&["run", "--allow-all"]),
        ..DEFAULT
    },
];

impl Manager {
    /// The settings that a project has for its registry: names and contents of files.
    pub(super) fn settings(&self, registry: &str) -> Vec<(&'static str, String)> {
        let Some(linker) = self.linker else {
            return vec![(".npmrc", format!("registry={registry}\n"))];
        };
        let settings = format!(
            "npmRegistryServer: {registry}\n\
             unsafeHttpWhitelist: [127.0.0.1]\n\
             nodeLinker: {linker}\n\
             enableScripts: false\n\
             enableTelemetry: false\n\
             # It takes nothing that was published within a day.\n\
             npmMinimalAgeGate: 0\n"
        );
        vec![(".yarnrc.yml", settings)]
    }

    /// Whether programs find their packages through the manager alone.
    pub(super) fn is_plug_and_play(&self) -> bool {
        self.linker == Some("pnp")
    }

    /// The platforms whose packages it installs on a host.
    pub(super) fn installs(&self, host: &Target) -> Vec<&'static str> {
        let fits = |target: &&Target| {
            let system = target.os == host.os && target.cpu == host.cpu;
            system && (target.libc == host.libc || !self.compares_libc)
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
    fn the_hosts_package_is_installed_by_all_and_another_c_librarys_by_those_that_compare_none() {
        let both = ["linux-x64-gnu", "linux-x64-musl"];
        for host in both {
            let target = Target::by_platform(host).unwrap();
            for manager in &ALL {
                let expected = if manager.compares_libc { vec![host] } else { both.to_vec() };
                assert_eq!(manager.installs(target), expected, "{} on {host}", manager.name);
            }
        }
        let mac = Target::by_platform("darwin-arm64").unwrap();
        assert!(ALL.iter().all(|manager| manager.installs(mac) == ["darwin-arm64"]));
    }

    #[test]
    fn each_is_told_its_registry() {
        for manager in &ALL {
            let settings = manager.settings("http://127.0.0.1:1/");
            assert!(settings.iter().all(|(_, text)| text.contains("http://127.0.0.1:1/\n")), "{manager:?}");
        }
    }
}
