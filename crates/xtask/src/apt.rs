//! Debian's package manager: missing programs, and another release's libraries unpacked beside the system's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::paths::{Workspace, program};
use crate::process;

/// Installs packages by apt-get, which only root can.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let wanted = packages.join(" ");
    if program("apt-get").is_none() {
        bail!("no apt-get here: install what Debian has as {wanted} by your system's own means");
    }
    let mut id = process::command("id");
    id.arg("-u");
    if process::capture(id)? != "0" {
        bail!("only root installs packages: run `apt-get install {wanted}` as root");
    }
    let apt_get = || {
        let mut command = process::command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let mut update = apt_get();
    update.args(["-q", "update"]);
    // One broken third-party source must not stop the rest; the installation says what it does not find.
    let updated = process::attempt(workspace, "apt-get update", update)?;
    let mut install = apt_get();
    install.args(["-q", "-y", "--no-install-recommends", "install"]).args(packages);
    let installed = process::run(workspace, "apt-get install", install);
    if installed.is_err() && !updated.succeeded {
        return Err(updated.into_failure().into());
    }
    installed.map(drop)
}

/// Packages of another Debian release.
pub(crate) struct Foreign {
    /// Its code name.
    pub(crate) release: &'static str,
    /// Debian's name of another processor; this machine's where there is none.
    pub(crate) architecture: Option<&'static str>,
    /// The packages' names.
    pub(crate) packages: &'static [&'static str],
}

/// Unpacks packages of another release into a folder; apt itself verifies signatures and hashes.
pub(crate) fn unpack(workspace: &Workspace, foreign: &Foreign, into: &Path) -> Result<()> {
    let Foreign { release, architecture, packages } = *foreign;
    for needed in ["apt-get", "dpkg-deb"] {
        if program(needed).is_none() {
            bail!("no {needed} here: Debian {release}'s libraries are had on Debian only");
        }
    }
    let mirror = machine_mirror()?;
    let folder = workspace.scratch()?;
    let state = folder.path();
    for sub in ["lists/partial", "archives/partial", "downloads", "root"] {
        fs::create_dir_all(state.join(sub))?;
    }
    fs::write(state.join("status"), "")?;
    fs::write(state.join("sources.list"), source_line(&mirror, release))?;
    fs::write(state.join("apt.conf"), private_configuration(state, architecture))?;
    let apt_get = |arguments: &[&str]| {
        let mut command = process::command("apt-get");
        command
            .env("APT_CONFIG", state.join("apt.conf"))
            .current_dir(state.join("downloads"))
            .args(arguments);
        command
    };
    let unavailable = || {
        format!(
            "{} of Debian {release} could not be downloaded: is there a network? Then run it again",
            packages.join(", ")
        )
    };
    // Else a list that cannot be had is a warning, and what follows says that there is no such package.
    let update = apt_get(&["-q", "-o", "APT::Update::Error-Mode=any", "update"]);
    process::run(workspace, &format!("{release} package lists"), update).with_context(unavailable)?;
    let mut download = apt_get(&["-q", "download"]);
    download.args(packages);
    process::run(workspace, &format!("{release} packages"), download).with_context(unavailable)?;
    for package in fs::read_dir(state.join("downloads"))? {
        let mut unpack = process::command("dpkg-deb");
        unpack.arg("-x").arg(package?.path()).arg(state.join("root"));
        process::run(workspace, &format!("{release} unpack"), unpack)?;
    }
    // Whole or not at all: an interrupted set-up starts anew.
    fs::rename(state.join("root"), into).with_context(|| format!("{} cannot be written", into.display()))
}

fn source_line(mirror: &str, release: &str) -> String {
    format!("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {release} main\n")
}

/// Keeps apt from reading or writing the machine's own state. An old release's lists may have expired.
fn private_configuration(state: &Path, architecture: Option<&str>) -> String {
    let state = state.display();
    let architecture =
        architecture.map(|name| format!("APT::Architecture \"{name}\"; APT::Architectures \"{name}\";\n"));
    let configuration = format!(
        "Dir::State \"{state}\"; Dir::State::lists \"{state}/lists\"; Dir::State::status \"{state}/status\";\n\
         Dir::Cache \"{state}\"; Dir::Cache::archives \"{state}/archives\";\n\
         Dir::Etc::sourcelist \"{state}/sources.list\"; Dir::Etc::sourceparts \"-\";\n\
         Acquire::Languages \"none\"; Acquire::Check-Valid-Until \"false\";\n\
         APT::Sandbox::User \"root\"; Debug::NoLocking \"1\";\n"
    );
    configuration + &architecture.unwrap_or_default()
}

/// The mirror that this machine takes its own release from.
fn machine_mirror() -> Result<String> {
    let os_release = fs::read_to_string("/etc/os-release").context("/etc/os-release cannot be read")?;
    let codename = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename =
        codename.context("/etc/os-release names no VERSION_CODENAME: is this Debian?")?.trim_matches('"');
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.into_iter().find_map(|text| mirror_of(&text, codename)).with_context(|| {
        format!("no apt source of this machine offers `{codename}`; see /etc/apt/sources.list.d")
    })
}

/// The first address that offers a release, in either of apt's two formats.
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
