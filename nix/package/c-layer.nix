# Layer 1, one per target: OpenSSL, SQLCipher and zstd as a prefix of static libraries, headers and pkg-config files.
# The build scripts of the -sys crates compile the libraries, and the build script of vendored-sys installs them. Only a
# change to a vendored version, to one of these build scripts or to a toolchain rebuilds the layer.
{ pkgs, craneLib }:
triple:
let
  inherit (pkgs) lib nodeEnv;
  inherit (lib) fileset;
  crate = nodeEnv.root + "/crates/vendored-sys";
  workspace = nodeEnv.crateWorkspace crate;
  toolchain = nodeEnv.toolchain triple;
  own = lib.importTOML (crate + "/Cargo.toml");
  cargoConfig = lib.importTOML (nodeEnv.root + "/.cargo/config.toml");

  # Keeps only the settings that affect C: a change to the rest of the root's manifest (version, lints, link-time
  # optimisation) must not rebuild the layer.
  manifest = {
    workspace = {
      inherit (workspace.manifest.workspace) resolver members dependencies;
      package = removeAttrs workspace.manifest.workspace.package [ "version" ];
      lints = { };
    };
    profile.release = builtins.intersectAttrs {
      debug = null;
      opt-level = null;
    } (workspace.manifest.profile.release or { });
  };
  config = nodeEnv.cargoConfigOf triple cargoConfig;
  sources = fileset.difference (nodeEnv.filesets.forCrate crate) (
    # The crate's Rust sources compile no C; `postPatch` replaces them with an empty library.
    fileset.union (crate + "/src") (nodeEnv.root + "/.cargo/config.toml")
  );
in
assert lib.assertMsg (!(own ? dev-dependencies))
  "cLayer: crates/vendored-sys has dev-dependencies, whose updates would recompile all C; move them to another crate";
craneLib.mkCargoDerivation (
  nodeEnv.crossEnvFor triple toolchain.compiling
  // toolchain.environment
  // {
    pname = "node-c-${nodeEnv.platformName triple}";
    inherit (own.package) version;
    src = nodeEnv.filesets.toSource sources;
    cargoLockParsed = workspace.lock;
    cargoArtifacts = null;
    doInstallCargoArtifacts = false;
    doIncludeCrossToolchainEnv = false;
    strictDeps = true;
    nativeBuildInputs = [
      toolchain
      pkgs.perl # OpenSSL's Configure
    ];
    postPatch = ''
      mkdir -p .cargo crates/vendored-sys/src
      cp --no-preserve=mode ${nodeEnv.writeTOML "Cargo.toml" manifest} Cargo.toml
      cp --no-preserve=mode ${nodeEnv.writeTOML "config.toml" config} .cargo/config.toml
      touch crates/vendored-sys/src/lib.rs
    '';
    buildPhaseCargoCommand = "VENDORED_SYS_INSTALL=$out cargoWithProfile check --offline -p vendored-sys";
    doCheck = false;
    dontStrip = true;
    allowedReferences = [ ];
  }
)
