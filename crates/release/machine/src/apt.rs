//! apt: installs missing programs, and unpacks packages of other Debian releases.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::program::program;
use crate::workspace::Workspace;

/// Installs Debian packages, which requires root.
pub fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let wanted = packages.join(" ");
    if program("apt-get").is_none() {
        bail!("apt-get is not on PATH: install {wanted} (Debian's names) with your system's package manager");
    }
    if process::capture(process::command("id").arg("-u"))? != "0" {
        bail!("cannot install {wanted}: you are not root; run `apt-get install {wanted}` as root");
    }
    // A broken third-party source must not stop the installation, which itself reports a package that it cannot find.
    let updated = workspace.attempt("apt-get update", process::command("apt-get").args(["-q", "update"]))?;
    let mut install = process::command("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["-q", "-y", "--no-install-recommends", "install"]).args(packages);
    match (workspace.run("apt-get install", install), updated.failure) {
        (Err(_), Some(failure)) => Err(failure.into()),
        (installed, _) => installed.map(drop),
    }
}

/// Packages of another Debian release.
pub struct Foreign {
    /// The release's code name, such as `trixie`.
    pub release: &'static str,
    /// Debian's name for the packages' architecture; `None` means this machine's.
    pub architecture: Option<&'static str>,
    /// The packages' names.
    pub packages: &'static [&'static str],
}

/// Unpacks packages of another release into a folder. apt verifies signatures and hashes.
pub fn unpack(workspace: &Workspace, foreign: &Foreign, into: &Path) -> Result<()> {
    let Foreign { release, architecture, packages } = *foreign;
    for needed in ["apt-get", "dpkg-deb"] {
        if program(needed).is_none() {
            bail!(
                "{needed} is not on PATH: unpacking packages of Debian {release} requires a Debian machine"
            );
        }
    }
    let mirror = machine_mirror()?;
    let folder = workspace.scratch()?;
    let state = folder.path();
    for sub in ["lists/partial", "archives/partial", "downloads", "root"] {
        fs::create_dir_all(state.join(sub))?;
    }
    fs::write(state.join("status"), "")?;
    let source =
        format!("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {release} main\n");
    fs::write(state.join("sources.list"), source)?;
    fs::write(state.join("apt.conf"), private_configuration(state, architecture))?;
    let apt_get = |step: &str, arguments: &[&str]| {
        let mut command = process::command("apt-get");
        command.env("APT_CONFIG", state.join("apt.conf")).current_dir(state.join("downloads"));
        workspace.run(&format!("{release} {step}"), command.arg("-q").args(arguments)).with_context(|| {
            let wanted = packages.join(", ");
            format!(
                "cannot download {wanted} of Debian {release}: check the network, and run the command again"
            )
        })
    };
    apt_get("package lists", &["update"])?;
    apt_get("packages", &[&["download"], packages].concat())?;
    for package in fs::read_dir(state.join("downloads"))? {
        let mut unpack = process::command("dpkg-deb");
        unpack.arg("-x").arg(package?.path()).arg(state.join("root"));
        workspace.run(&format!("{release} unpack"), unpack)?;
    }
    // The rename is atomic, so an interrupted setup leaves no partial folder.
    fs::rename(state.join("root"), into).with_context(|| format!("cannot write {}", into.display()))
}

/// Returns a configuration that keeps apt away from the machine's own state and accepts the expired package lists of an
/// old release. A list that cannot be downloaded is an error. By default apt only warns, and the next command reports a
/// package as missing.
fn private_configuration(state: &Path, architecture: Option<&str>) -> String {
    let state = state.display();
    let architecture = architecture.map_or_else(String::new, |name| {
        format!("APT::Architecture \"{name}\"; APT::Architectures \"{name}\";\n")
    });
    format!(
        "Dir::State \"{state}\"; Dir::State::lists \"{state}/lists\"; Dir::State::status \"{state}/status\";\n\
         Dir::Cache \"{state}\"; Dir::Cache::archives \"{state}/archives\";\n\
         Dir::Etc::sourcelist \"{state}/sources.list\"; Dir::Etc::sourceparts \"-\";\n\
         APT::Update::Error-Mode \"any\"; Acquire::Languages \"none\"; Acquire::Check-Valid-Until \"false\";\n\
         APT::Sandbox::User \"root\"; Debug::NoLocking \"1\";\n\
         {architecture}"
    )
}

/// Returns the mirror of this machine's own release.
fn machine_mirror() -> Result<String> {
    let os_release = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let codename = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename =
        codename.context("/etc/os-release has no VERSION_CODENAME: is this Debian?")?.trim_matches('"');
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let folder = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    files.extend(folder.map(|entry| entry.path()));
    files.sort();
    let mut texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.find_map(|text| mirror_of(&text, codename)).with_context(|| {
        format!("no apt source of this machine offers `{codename}`: add one to /etc/apt/sources.list.d")
    })
}

/// Returns the first address that offers a release. `sources` is in either of apt's two formats.
fn mirror_of(sources: &str, codename: &str) -> Option<String> {
    let one_line = sources.lines().find_map(|line| {
        let line = line.trim().strip_prefix("deb ")?.trim_start();
        // Options in brackets may hold spaces.
        let line = if line.starts_with('[') { line.split_once(']')?.1 } else { line };
        let mut words = line.split_whitespace();
        let address = words.next()?;
        (words.next()? == codename).then(|| address.to_owned())
    });
    one_line.or_else(|| {
        sources.split("\n\n").find_map(|stanza| {
            let field = |name: &str| {
                let line = stanza.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
                Some(line.split_once(':')?.1.trim())
            };
            let binary = field("types:")?.split_whitespace().any(|kind| kind == "deb");
            let offered = field("suites:")?.split_whitespace().any(|suite| suite == codename);
            let address = field("uris:")?.split_whitespace().next()?;
            (binary && offered).then(|| address.to_owned())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_read_from_both_formats() {
        let stanzas = "Types: deb\n# URIs: http://comment.example\nURIs: http://mirror.example/debian\n\
                       Suites: bookworm bookworm-updates\nComponents: main\n\n\
                       Types: deb\nURIs: http://security.example\nSuites: bookworm-security\n";
        assert_eq!(mirror_of(stanzas, "bookworm").as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(mirror_of(stanzas, "bookworm-security").as_deref(), Some("http://security.example"));
        assert_eq!(mirror_of(stanzas, "trixie"), None);
        let lines = "# deb http://no.example bookworm main\ndeb-src http://no.example bookworm main\n\
                     deb [ arch=amd64 signed-by=/k.gpg ] http://mirror.example/debian bookworm main\n";
        assert_eq!(mirror_of(lines, "bookworm").as_deref(), Some("http://mirror.example/debian"));
    }

    #[test]
    fn sources_without_this_release_have_no_mirror() {
        let foreign =
            "Types: deb\nURIs: https://node.example/node_20.x\nSuites: nodistro\nComponents: main\n";
        let source_only = "Types: deb-src\nURIs: http://mirror.example\nSuites: bookworm\n";
        for text in
            ["", foreign, source_only, "deb", "deb [ broken", "deb http://a.example cloud-bookworm main"]
        {
            assert_eq!(mirror_of(text, "bookworm"), None, "{text}");
        }
    }

    #[test]
    fn the_private_apt_writes_into_its_own_folder_only() {
        let text = private_configuration(Path::new("/private"), Some("arm64"));
        for directory in ["Dir::State ", "Dir::State::lists ", "Dir::Cache ", "Dir::Etc::sourcelist "] {
            assert!(text.contains(&format!("{directory}\"/private")), "{directory}");
        }
        assert!(text.ends_with("APT::Architecture \"arm64\"; APT::Architectures \"arm64\";\n"), "{text}");
        assert!(!private_configuration(Path::new("/private"), None).contains("APT::Architecture"));
    }
}
