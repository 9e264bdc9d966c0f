//! Writes the folder of a release: tarballs, the bill of materials, and a manifest of both.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comfy_table::Table;
use machine::report;
use node_targets::Target;
use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha512};

use crate::package::{NpmPackage, json_file};
use crate::{archive, audit};

/// The files of a release before they are written.
#[derive(Default)]
pub(crate) struct Output {
    manifest: Manifest,
    files: Vec<(String, Vec<u8>)>,
}

/// `manifest.json`
#[derive(Default, Serialize)]
struct Manifest {
    version: String,
    /// The packages to publish.
    packages: Vec<Tarball>,
    /// The all-in-one package, which is not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<Tarball>,
    documents: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tarball {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    #[serde(flatten)]
    entry: Entry,
    /// The digest in the format of registries and of package-lock.json.
    integrity: String,
    unpacked_size: usize,
    files: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    file: String,
    size: usize,
    sha256: String,
}

impl Entry {
    fn new(file: &str, content: &[u8]) -> Self {
        let sha256 = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { file: file.to_owned(), size: content.len(), sha256 }
    }
}

impl Output {
    pub(crate) fn new(version: &str) -> Self {
        let manifest = Manifest { version: version.to_owned(), ..Manifest::default() };
        Self { manifest, ..Self::default() }
    }

    /// Packs a package. Returns the tarball's size in bytes.
    pub(crate) fn add(&mut self, package: &NpmPackage) -> Result<usize> {
        let tarball = archive::tarball(&package.files).with_context(|| package.name.clone())?;
        let size = tarball.len();
        let files: Vec<Entry> =
            package.files.iter().map(|(path, content)| Entry::new(path, content)).collect();
        let packed = Tarball {
            name: package.name.clone(),
            version: self.manifest.version.clone(),
            platform: package.target.map(|target| target.platform.as_str()),
            entry: Entry::new(&package.tarball, &tarball),
            integrity: integrity(&tarball),
            unpacked_size: files.iter().map(|file| file.size).sum(),
            files,
        };
        if package.published {
            self.manifest.packages.push(packed);
        } else {
            self.manifest.bundle = Some(packed);
        }
        self.files.push((package.tarball.clone(), tarball));
        Ok(size)
    }

    /// Adds a file beside the tarballs.
    pub(crate) fn document(&mut self, name: String, content: Vec<u8>) {
        self.manifest.documents.push(Entry::new(&name, &content));
        self.files.push((name, content));
    }

    /// Returns a row for each package.
    pub(crate) fn table(&self) -> Table {
        let mut table = report::table(["package", "tarball", "packed", "unpacked", "files"]);
        for Tarball { name, entry, unpacked_size, files, .. } in
            self.manifest.packages.iter().chain(&self.manifest.bundle)
        {
            let (packed, unpacked) = (megabytes(entry.size), megabytes(*unpacked_size));
            table.add_row([name, &entry.file, &packed, &unpacked, &files.len().to_string()]);
        }
        table
    }

    /// Writes the files and the manifest into a folder beside the destination, audits the tarballs, and renames the
    /// folder to the destination.
    pub(crate) fn write(&self, out: &Path) -> Result<()> {
        let manifest = json_file(&self.manifest).context("cannot write the release's manifest")?;
        let parent = out.parent().context(
            "cannot write the packages to the root of the file system: name another folder with --out",
        )?;
        let scratch = tempfile::Builder::new().prefix(".strongroom-pack-").tempdir_in(parent);
        let scratch = scratch
            .with_context(|| format!("cannot write {}: name another folder with --out", parent.display()))?;
        // Only its owner can read the scratch folder itself.
        let folder = scratch.path().join("npm");
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        for (name, content) in self.files.iter().chain([&("manifest.json".to_owned(), manifest)]) {
            let path = folder.join(name);
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        for Tarball { platform, entry, .. } in &self.manifest.packages {
            if let Some(platform) = platform {
                audit::check_tarball(&folder.join(&entry.file), Target::by_platform(platform)?)?;
            }
        }
        fs::rename(&folder, out).with_context(|| format!("cannot create {}", out.display()))
    }
}

/// Returns the digest of some content in the format of registries.
pub(crate) fn integrity(content: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(Sha512::digest(content)))
}

/// Returns the absolute path of a folder to create.
///
/// # Errors
/// Fails if the path exists, if its parent does not exist, or if it is among the artifacts, where the next run would
/// find and refuse it.
pub(crate) fn absent(out: &Path, artifacts: &[PathBuf]) -> Result<PathBuf> {
    let out = absolute(out).with_context(|| format!("cannot use --out {}", out.display()))?;
    let shown = out.display();
    ensure!(
        out.symlink_metadata().is_err(),
        "{shown} exists already: remove it, or name another folder with --out"
    );
    // Resolves links, since the search for artifacts follows links. `canonicalize` also reports a missing folder.
    let parent = out.parent().and_then(|parent| parent.canonicalize().ok()).filter(|parent| parent.is_dir());
    let parent = parent.with_context(|| {
        format!("cannot create {shown}: its parent folder does not exist; create it first")
    })?;
    for folder in artifacts {
        ensure!(
            !folder.canonicalize().is_ok_and(|folder| parent.starts_with(folder)),
            "{shown} is inside {}, where the next pack would find it among the artifacts: name a folder outside of it with --out",
            folder.display()
        );
    }
    Ok(out)
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits after the point")]
fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Files;

    fn output(content: &str) -> Output {
        let mut output = Output::new("1.0.0");
        let package = NpmPackage {
            name: "strongroom".to_owned(),
            tarball: "strongroom-1.0.0.tgz".to_owned(),
            target: None,
            published: true,
            files: Files::from([("package.json".to_owned(), content.as_bytes().to_vec())]),
        };
        output.add(&package).unwrap();
        output.document("bom.json".to_owned(), b"{}".to_vec());
        output
    }

    #[test]
    fn the_manifest_has_the_size_and_the_digest_of_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        output("{}").write(&out).unwrap();
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
        let packed = &manifest["packages"][0];
        let tarball = fs::read(out.join(packed["file"].as_str().unwrap())).unwrap();
        assert_eq!(packed["size"], tarball.len());
        assert_eq!(packed["unpackedSize"], 2);
        // The output of `printf {} | sha256sum`.
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(packed["files"][0]["sha256"], digest);
        assert_eq!(manifest["documents"][0]["sha256"], digest);
        assert!(packed["integrity"].as_str().is_some_and(|text| text.len() == "sha512-".len() + 88));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the output remains");
    }

    #[test]
    fn a_folder_that_cannot_be_created_gives_a_one_line_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        assert_eq!(absent(&out, &[]).unwrap(), out);
        fs::write(&out, "").unwrap();
        let error = absent(&out, &[]).unwrap_err().to_string();
        assert!(error.ends_with("exists already: remove it, or name another folder with --out"), "{error}");
        let error = absent(&folder.path().join("no/out"), &[]).unwrap_err().to_string();
        assert!(error.contains("does not exist") && !error.contains('\n'), "{error}");
        // A file has the folder's name.
        output("{}").write(&out).unwrap_err();
        output("{}").write(&out.join("below")).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
