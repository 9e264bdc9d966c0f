# The files that a build of one crate reads, except the root's Cargo.toml and Cargo.lock, which crateWorkspace writes.
# Assumes that a crate reads no file outside its own directory. An exception is node-targets, which reads targets.json,
# but Nix doesn't build that crate.
{
  lib,
  root,
  crateClosure,
}:
let
  inherit (lib) fileset;
  directories = crate: (crateClosure crate).directories;
  union =
    crate: files:
    let
      each = lib.concatMap (directory: map (file: directory + "/${file}") files) (directories crate);
    in
    fileset.unions (map fileset.maybeMissing ([ (root + "/.cargo/config.toml") ] ++ each));
in
{
  # The sources of the crate and its workspace dependencies, without tests, benches, documents and JavaScript.
  forCrate =
    crate:
    union crate [
      "Cargo.toml"
      "build.rs"
      "build"
      "src"
    ];

  # The manifests and entry points from which crane generates its placeholder sources. crane doesn't read an entry
  # point's text, so editing an entry point changes no derivation.
  depsOnly =
    crate:
    union crate [
      "Cargo.toml"
      "build.rs"
      "src/lib.rs"
      "src/main.rs"
    ];

  toSource =
    files:
    fileset.toSource {
      inherit root;
      fileset = files;
    };
}
