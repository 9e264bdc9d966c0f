# The files that a build of one crate reads. The root's Cargo.toml and Cargo.lock are not among them: crateWorkspace
# writes those anew.
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
  # node-targets compiles the table in.
  table = crate: lib.optional (lib.elem (root + "/crates/node-targets") (directories crate)) (root + "/targets.json");
in
{
  # Sources of the crate and of what it depends on in the workspace: no tests, benches, documents, JavaScript.
  forCrate =
    crate:
    fileset.unions (
      table crate
      ++ [
        (union crate [
          "Cargo.toml"
          "build.rs"
          "build"
          "src"
        ])
      ]
    );

  # What crane's stand-in sources are made from: the manifests, and which entry points there are. crane reads no entry
  # point's text, so that an edit of one changes no derivation.
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
