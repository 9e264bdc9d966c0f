//! The licences of crates: deny.toml's decisions, and the texts that cargo-about collects under them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use machine::{CargoTool, Workspace, process};
use serde::Deserialize;
use serde_json::{Value, json};
use spdx::Expression;

use crate::component::Component;

/// Collects the licence texts of crates.
pub const CARGO_ABOUT: CargoTool =
    CargoTool { name: "cargo-about", version: "0.9.3", options: &["--features", "cli"] };

/// The licences that deny.toml allows.
#[derive(Deserialize)]
pub(crate) struct Allowed {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

impl Allowed {
    /// Reads the lists of a deny.toml.
    pub(crate) fn parse(deny: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Deny {
            licenses: Allowed,
        }
        let deny: Deny = toml::from_str(deny).context(
            "deny.toml must have the lists licenses.allow and licenses.exceptions: correct the file",
        )?;
        Ok(deny.licenses)
    }

    /// Fails if deny.toml does not allow a component's licence for a crate.
    pub(crate) fn check(&self, component: &Component, allowed_for: &str) -> Result<()> {
        let (title, licence) = (component.title(), &component.licence);
        let expression = Expression::parse(licence)
            .map_err(|error| anyhow!("{title}: `{licence}` is not an SPDX expression: {}", error.reason))?;
        let exceptions = self.exceptions.iter().filter(|exception| exception.name == allowed_for);
        let allowed = self.allow.iter().chain(exceptions.flat_map(|exception| &exception.allow));
        let allowed: Vec<&str> = allowed.map(String::as_str).collect();
        ensure!(
            expression.evaluate(|asked| allowed.contains(&asked.to_string().as_str())),
            "{title} is under {licence}, which deny.toml does not allow for {allowed_for}"
        );
        Ok(())
    }

    /// Runs cargo-about for the addon's dependencies on every target. Returns the dependencies' licence
    /// texts by [`Component::title`].
    ///
    /// # Errors
    /// Fails if deny.toml does not allow a crate's licence, or a crate's text is unknown.
    pub(crate) fn crate_texts(&self, workspace: &Workspace) -> Result<BTreeMap<String, Vec<String>>> {
        let scratch = tempfile::tempdir().context("cannot create a temporary folder for licences")?;
        let (config, output) = (scratch.path().join("about.toml"), scratch.path().join("licences.json"));
        fs::write(&config, toml::to_string(&self.about_toml())?)?;
        let mut about = process::command(CARGO_ABOUT.require(workspace)?);
        about.args(["generate", "--frozen", "--fail", "--format", "json", "--output-file"]).arg(&output);
        about.arg("--config").arg(config).arg("--manifest-path").arg(workspace.package().join("Cargo.toml"));
        about.current_dir(workspace.root());
        workspace.run("licences of crates", about)?;
        by_title(serde_json::from_slice(&fs::read(&output)?).context("cannot read cargo-about's output")?)
    }

    /// Returns cargo-about's configuration, which allows the same licences.
    fn about_toml(&self) -> Value {
        let triples: Vec<&str> =
            node_targets::targets().iter().map(|target| target.triple.as_str()).collect();
        let mut config = json!({
            "accepted": self.allow,
            "targets": triples,
            "ignore-build-dependencies": true,
            "ignore-dev-dependencies": true,
            "private": { "ignore": true },
            // Deeper folders contain the C libraries, whose texts `c_library` lists.
            "max-depth": 1,
        });
        for Exception { name, allow } in &self.exceptions {
            config[name] = json!({ "accepted": allow });
        }
        config
    }
}

/// The fields of cargo-about's output that are read.
#[derive(Deserialize)]
struct About {
    licenses: Vec<Licence>,
}

#[derive(Deserialize)]
struct Licence {
    /// An SPDX identifier.
    id: String,
    text: String,
    /// The crate's licence file; `None` if the text is SPDX's.
    source_path: Option<String>,
    used_by: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "crate")]
    package: LicensedCrate,
}

#[derive(Deserialize)]
struct LicensedCrate {
    name: String,
    version: String,
    authors: Vec<String>,
    manifest_path: String,
}

/// Returns the texts of each crate, by its name and version.
fn by_title(about: About) -> Result<BTreeMap<String, Vec<String>>> {
    let mut texts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for licence in about.licenses {
        for User { package } in &licence.used_by {
            let text = match licence.source_path {
                Some(_) => tidy(&licence.text),
                None => unrecognised(&licence, package)?,
            };
            texts.entry(format!("{} {}", package.name, package.version)).or_default().push(text);
        }
    }
    Ok(texts)
}

/// Returns MIT's text for a crate in which cargo-about recognises no licence file. napi has no licence file, and
/// windows-link has the file `license-mit`. SPDX's text has a blank for the copyright holders, whose names MIT requires.
fn unrecognised(licence: &Licence, package: &LicensedCrate) -> Result<String> {
    let LicensedCrate { name, version, authors, manifest_path } = package;
    if licence.id != "MIT" {
        bail!(
            "{name} {version} has no file with the text of {}: replace the crate, or ask its authors to add one",
            licence.id
        );
    }
    let own = Path::new(manifest_path).with_file_name("license-mit");
    if own.exists() {
        return text(&own);
    }
    let holders = if authors.is_empty() { format!("the authors of {name}") } else { authors.join(", ") };
    Ok(tidy(&licence.text.replace("<year> <copyright holders>", &holders)))
}

/// Reads a licence's text.
pub(crate) fn text(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(tidy(&text))
}

/// Removes trailing blanks, so that equal texts are listed once.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\n\
                        exceptions = [{ crate = \"zstd-sys\", allow = [\"BSD-3-Clause\"] }]";

    #[test]
    fn a_component_needs_a_licence_that_deny_toml_allows() {
        let allowed = Allowed::parse(DENY).unwrap();
        let check = |name: &str, licence: &str| {
            allowed.check(&Component { licence: licence.to_owned(), ..Component::default() }, name)
        };
        for (name, licence) in [
            ("a", "MIT"),
            ("a", "GPL-2.0-only OR MIT"),
            ("a", "MIT AND Apache-2.0"),
            ("zstd-sys", "BSD-3-Clause AND MIT"),
        ] {
            check(name, licence).unwrap();
        }
        for (name, licence) in
            [("a", "BSD-3-Clause"), ("zstd-sys", "GPL-2.0-only"), ("a", "MIT AND GPL-2.0-only")]
        {
            let error = check(name, licence).unwrap_err().to_string();
            assert!(error.contains("deny.toml does not allow"), "{error}");
        }
        assert!(check("a", "my own").unwrap_err().to_string().contains("is not an SPDX expression"));
    }

    #[test]
    fn cargo_about_gets_the_decisions_of_deny_toml() {
        let config = Allowed::parse(DENY).unwrap().about_toml();
        assert_eq!(config["accepted"], json!(["MIT", "Apache-2.0"]));
        assert_eq!(config["zstd-sys"]["accepted"], json!(["BSD-3-Clause"]));
        assert_eq!(config["targets"].as_array().unwrap().len(), node_targets::targets().len());
    }

    #[test]
    fn a_crate_without_a_recognised_file_gets_its_own_text_or_the_authors_in_the_blank() {
        let folder = tempfile::tempdir().unwrap();
        let texts = |id: &str| {
            let about = json!({ "licenses": [{
                "id": id, "text": "MIT License\n\nCopyright (c) <year> <copyright holders>\n", "source_path": null,
                "used_by": [{ "crate": {
                    "name": "a", "version": "1.0.0", "authors": ["A. Author"],
                    "manifest_path": folder.path().join("Cargo.toml"),
                }, "path": "" }],
            }]});
            let mut texts = by_title(serde_json::from_value(about).unwrap())?;
            anyhow::Ok(texts.remove("a 1.0.0").unwrap())
        };
        assert_eq!(texts("MIT").unwrap(), ["MIT License\n\nCopyright (c) A. Author"]);
        let error = texts("Apache-2.0").unwrap_err().to_string();
        assert!(
            error.starts_with("a 1.0.0 has no file with the text of Apache-2.0: replace the crate"),
            "{error}"
        );
        fs::write(folder.path().join("license-mit"), "\u{feff}the crate's own text \n\n").unwrap();
        assert_eq!(texts("MIT").unwrap(), ["the crate's own text"]);
    }
}
