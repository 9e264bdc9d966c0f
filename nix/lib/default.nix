# The overlay that adds pkgs.nodeEnv, the build functions of all packages. `root` is the workspace, `table` the result of
# node-env.nix.
{
  crane,
  root,
  table,
}:
final: _:
let
  inherit (final) lib;
  crateClosure = import ./crate-closure.nix { inherit lib root; };
  lockClosure = import ./lock-closure.nix { inherit lib; };
  toTOML = import ./to-toml.nix { inherit lib; };

  # "toolchain" in targets.json -> triple -> toolchain. The flake doesn't offer a target whose toolchain is not listed.
  # To give a target another compiler, change its "toolchain" in targets.json.
  toolchains =
    let
      arguments = {
        pkgs = final;
        nodeEnv = table;
        compilerWrapper = import ./compiler-wrapper.nix { pkgs = final; };
      };
    in
    {
      zig = import ./zig-toolchain.nix arguments;
      pkgsCross = import ./cross-toolchain.nix arguments;
    };
in
{
  nodeEnv = table // {
    inherit root lockClosure;
    crateWorkspace = import ./crate-workspace.nix {
      inherit
        lib
        root
        crateClosure
        lockClosure
        ;
    };
    filesets = import ./filesets.nix { inherit lib root crateClosure; };
    writeTOML = name: value: final.writeText name (toTOML value);

    toolchain =
      triple:
      let
        kind = (table.target triple).toolchain;
      in
      (toolchains.${kind} or (throw "nodeEnv.toolchain: ${triple} needs ${kind}; add it to nix/lib/default.nix")) triple;

    # The triples that `system`, such as "x86_64-linux", builds.
    triplesBuiltOn =
      system:
      lib.attrNames (
        lib.filterAttrs (_: row: lib.elem system row.buildHosts && toolchains ? ${row.toolchain}) table.targets
      );

    # The pinned Rust toolchain with the standard libraries for these triples.
    rustToolchain =
      triples:
      (final.rust-bin.fromRustupToolchainFile (root + "/rust-toolchain.toml")).override { targets = triples; };

    # crane uses the build machine's own package set for every target. Only the C compiler depends on the target.
    craneFor =
      triples:
      ((crane.mkLib final).overrideToolchain (pkgs: pkgs.nodeEnv.rustToolchain triples)).overrideScope (
        _: _: { inherit (final.nodeEnv) writeTOML; }
      );
  };
}
