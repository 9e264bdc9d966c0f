# The files that a build of one crate reads, without the root's Cargo.toml and Cargo.lock: crateWorkspace writes those. No
# crate that Nix builds reads a file outside its own directory: node-targets, which compiles targets.json in, is not one.
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
  # Sources of the crate and of what it depends on in the workspace: no tests, benches, documents, JavaScript.
  forCrate =
    crate:
    union crate [
      "Cargo.toml"
      "build.rs"
      "build"
      "src"
    ];

  # The manifests and entry points from which crane makes its placeholder sources. crane does not read an entry point's
  # text, so an edit of one changes no derivation.
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
