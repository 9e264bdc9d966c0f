//! The folder of a release: tarballs, the bill of materials, and a manifest of it all.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comfy_table::Table;
use node_targets::Target;
use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha512};

use super::package::Package;
use super::{archive, check, json};
use crate::report;

/// What is to be written.
pub(super) struct Output {
    manifest: Manifest,
    files: Vec<(String, Vec<u8>)>,
    sealed: Vec<(String, &'static Target)>,
}

/// `manifest.json`
#[derive(Serialize)]
struct Manifest {
    version: String,
    /// What is published.
    packages: Vec<Packed>,
    /// What is handed out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<Packed>,
    documents: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Packed {
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(flatten)]
    tarball: Entry,
    /// As a registry and a package-lock.json have it.
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
    pub(super) fn new(version: &str) -> Self {
        let manifest = Manifest {
            version: version.to_owned(),
            packages: Vec::new(),
            bundle: None,
            documents: Vec::new(),
        };
        Self { manifest, files: Vec::new(), sealed: Vec::new() }
    }

    /// Packs a package; the tarball's size.
    pub(super) fn add(&mut self, package: &Package) -> Result<usize> {
        let tarball = archive::tarball(&package.files).with_context(|| package.name.clone())?;
        let size = tarball.len();
        let mut files: Vec<Entry> =
            package.files.iter().map(|file| Entry::new(&file.path, &file.content)).collect();
        files.sort_by(|a, b| a.file.cmp(&b.file));
        let packed = Packed {
            name: package.name.clone(),
            version: package.version.clone(),
            platform: package.target.map(|target| target.platform.clone()),
            tarball: Entry::new(&package.tarball, &tarball),
            integrity: integrity(&tarball),
            unpacked_size: files.iter().map(|file| file.size).sum(),
            files,
        };
        if package.published {
            self.manifest.packages.push(packed);
        } else {
            self.manifest.bundle = Some(packed);
        }
        self.sealed.extend(package.target.map(|target| (package.tarball.clone(), target)));
        self.files.push((package.tarball.clone(), tarball));
        Ok(size)
    }

    /// A file beside the tarballs.
    pub(super) fn document(&mut self, name: String, content: Vec<u8>) {
        self.manifest.documents.push(Entry::new(&name, &content));
        self.files.push((name, content));
    }

    /// Adds the manifest of what was added.
    pub(super) fn finish(mut self) -> Result<Self> {
        self.files.push(("manifest.json".to_owned(), json::file(&self.manifest)?));
        Ok(self)
    }

    /// What was packed, for people.
    pub(super) fn table(&self) -> Table {
        let mut table = report::table(["package", "tarball", "packed", "unpacked", "files"]);
        for Packed { name, tarball, unpacked_size, files, .. } in
            self.manifest.packages.iter().chain(&self.manifest.bundle)
        {
            let (packed, unpacked) = (megabytes(tarball.size), megabytes(*unpacked_size));
            table.add_row([name, &tarball.file, &packed, &unpacked, &files.len().to_string()]);
        }
        table
    }

    /// Writes everything into a folder beside the destination, looks at it as npm's users will get it, and renames.
    pub(super) fn write(&self, out: &Path) -> Result<()> {
        let parent = out.parent().context("the root of the file system cannot be made")?;
        let scratch = tempfile::Builder::new().prefix(".strongroom-pack-").tempdir_in(parent);
        let scratch = scratch.with_context(|| {
            format!("{} cannot be written: name another folder with --out", parent.display())
        })?;
        // Not the scratch folder itself, which is its owner's alone.
        let folder = scratch.path().join("npm");
        fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        for (name, content) in &self.files {
            let path = folder.join(name);
            fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        for (tarball, target) in &self.sealed {
            check::sealed(&folder.join(tarball), target)?;
        }
        fs::rename(&folder, out).with_context(|| format!("{} cannot be made", out.display()))
    }
}

/// A content's digest as registries and manifests have it.
pub(super) fn integrity(content: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(Sha512::digest(content)))
}

/// The absolute path of a folder that is to be made.
///
/// # Errors
/// Where there is something already, or nowhere to make it.
pub(super) fn absent(out: &Path) -> Result<PathBuf> {
    let out = absolute(out).with_context(|| format!("--out {}", out.display()))?;
    if out.symlink_metadata().is_ok() {
        bail!("{} exists already: remove it, or name another folder with --out", out.display());
    }
    match out.parent() {
        Some(parent) if parent.is_dir() => Ok(out),
        _ => bail!("the folder in which {} is to be made does not exist", out.display()),
    }
}

/// That what is made does not lie among the artifacts, where the next run would find it and refuse it.
pub(super) fn outside(out: &Path, artifacts: &[PathBuf]) -> Result<()> {
    // Links are followed, as they are where artifacts are looked for. A folder that is not there is said later.
    let parent = out.parent().and_then(|parent| parent.canonicalize().ok());
    let around = artifacts.iter().find(|folder| {
        let folder = folder.canonicalize();
        parent.as_ref().zip(folder.ok()).is_some_and(|(parent, folder)| parent.starts_with(folder))
    });
    match around {
        None => Ok(()),
        Some(folder) => bail!(
            "{} is inside {}, where the next pack would find it among the artifacts: name a folder outside with --out",
            out.display(),
            folder.display()
        ),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits after the point")]
fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::package::File;

    fn output(content: &str) -> Output {
        let mut output = Output::new("1.0.0");
        let file = File { path: "package.json".to_owned(), content: content.as_bytes().to_vec() };
        let package = Package {
            name: "strongroom".to_owned(),
            version: "1.0.0".to_owned(),
            tarball: "strongroom-1.0.0.tgz".to_owned(),
            target: None,
            published: true,
            files: vec![file],
        };
        output.add(&package).unwrap();
        output.document("bom.json".to_owned(), b"{}".to_vec());
        output.finish().unwrap()
    }

    #[test]
    fn the_manifest_has_size_and_digest_of_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        output("{}").write(&out).unwrap();
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
        let packed = &manifest["packages"][0];
        let tarball = fs::read(out.join(packed["file"].as_str().unwrap())).unwrap();
        assert_eq!(packed["size"], tarball.len());
        assert_eq!(packed["unpackedSize"], 2);
        // What `printf {} | sha256sum` says.
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(packed["files"][0]["sha256"], digest);
        assert_eq!(manifest["documents"][0]["sha256"], digest);
        assert!(packed["integrity"].as_str().is_some_and(|text| text.len() == "sha512-".len() + 88));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the output is left");
    }

    #[test]
    fn what_cannot_be_made_is_said_in_a_line_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        assert_eq!(absent(&out).unwrap(), out);
        fs::write(&out, "").unwrap();
        let error = absent(&out).unwrap_err().to_string();
        assert!(error.ends_with("exists already: remove it, or name another folder with --out"), "{error}");
        let error = absent(&folder.path().join("no/out")).unwrap_err().to_string();
        assert!(error.contains("does not exist") && !error.contains('\n'), "{error}");
        // A file stands where the folder is to be.
        output("{}").write(&out).unwrap_err();
        output("{}").write(&out.join("below")).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
