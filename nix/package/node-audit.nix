# node-audit for the build machine, with its own layer of registry crates.
{ pkgs }:
let
  inherit (pkgs) nodeEnv;
  craneLib = nodeEnv.craneFor [ ];
  crate = nodeEnv.root + "/crates/node-audit";
  workspace = nodeEnv.crateWorkspace crate;
  common = {
    pname = workspace.name;
    inherit (workspace.manifest.workspace.package) version;
    cargoLockParsed = workspace.lock;
    cargoExtraArgs = "--offline -p ${workspace.name}";
    postPatch = "cp --no-preserve=mode ${nodeEnv.writeTOML "Cargo.toml" workspace.manifest} Cargo.toml";
    strictDeps = true;
    doCheck = false;
  };
in
craneLib.buildPackage (
  common
  // {
    src = nodeEnv.filesets.toSource (nodeEnv.filesets.forCrate crate);
    cargoArtifacts = craneLib.buildDepsOnly (
      common
      // {
        src = nodeEnv.filesets.toSource (nodeEnv.filesets.depsOnly crate);
        cargoCheckCommand = "true"; # no later layer uses the output of `cargo check`
      }
    );
    meta.mainProgram = workspace.name;
  }
)
