# Layers 2 and 3, one per target: the registry crates, then the workspace's crates. Both layers pass cargo the same
# arguments; otherwise cargo unifies features differently and recompiles the registry crates.
{ pkgs, craneLib }:
triple: cLayer:
let
  inherit (pkgs) lib nodeEnv;
  platform = nodeEnv.platformName triple;
  crate = nodeEnv.root + "/bindings/node";
  workspace = nodeEnv.crateWorkspace crate;
  toolchain = nodeEnv.toolchain triple;
  vendored = craneLib.vendorCargoDeps { cargoLockParsed = workspace.lock; };
  settings = import ./release-settings.nix { inherit pkgs; } {
    inherit triple toolchain vendored;
  };
  cargoArguments = "--offline -p ${workspace.name} ${settings.arguments}";

  common =
    settings.environment
    // nodeEnv.crossEnvFor triple toolchain.linking
    // nodeEnv.prefixEnvironment triple cLayer pkgs.pkg-config-unwrapped
    // {
      pname = "node-bindings-${platform}";
      inherit (workspace.manifest.workspace.package) version;
      cargoLockParsed = workspace.lock;
      cargoVendorDir = vendored;
      cargoExtraArgs = cargoArguments;
      nativeBuildInputs = [ toolchain ] ++ settings.programs;
      postPatch = "cp --no-preserve=mode ${nodeEnv.writeTOML "Cargo.toml" workspace.manifest} Cargo.toml";
      strictDeps = true;
      doCheck = false;
      doIncludeCrossToolchainEnv = false;
    };

  deps = craneLib.buildDepsOnly (
    common
    // {
      src = nodeEnv.filesets.toSource (nodeEnv.filesets.depsOnly crate);
      cargoCheckCommand = "true"; # no later layer uses the output of `cargo check`
    }
  );
  fromDeps = common // {
    src = nodeEnv.filesets.toSource (nodeEnv.filesets.forCrate crate);
    cargoArtifacts = deps;
    doInstallCargoArtifacts = false;
  };
in
{
  inherit deps;

  package = craneLib.buildPackage (
    fromDeps
    // {
      doNotPostBuildInstallCargoBinaries = true;
      buildPhaseCargoCommand = "cargoWithProfile build ${cargoArguments}";
      outputs = [
        "out"
        "debug"
      ];
      installPhaseCommand = import ./fixup.nix { inherit pkgs; } {
        inherit triple;
        library = "target/${triple}/release/${nodeEnv.libraryName triple workspace.name}";
      };
      # Disables the fixup steps of nixpkgs, which handle only the build machine's file format, and of crane, which would
      # invalidate a macOS addon's signature.
      dontStrip = true;
      dontPatchELF = true;
      doNotRemoveReferencesToRustToolchain = true;
      doNotRemoveReferencesToVendorDir = true;
      allowedReferences = [ ];
    }
  );

  # The type definitions that the #[napi] macros write as they expand, without code generation or linking.
  typeDefinitions = craneLib.mkCargoDerivation (
    fromDeps
    // {
      pname = "node-bindings-type-definitions";
      buildPhaseCargoCommand = ''
        mkdir $out
        NAPI_TYPE_DEF_TMP_FOLDER=$out cargoWithProfile check ${cargoArguments}
      '';
      allowedReferences = [ ];
    }
  );
}
