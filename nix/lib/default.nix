# The overlay: everything that the packages are built with, as pkgs.nodeEnv. `root` is the workspace, `table` the target
# table that node-env.nix makes.
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

  # "toolchain" in targets.json -> what makes it for a triple. A target whose toolchain is not here is not offered.
  # One line of that table gives a target another compiler.
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
      cross = import ./cross-toolchain.nix arguments;
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
      (toolchains.${kind} or (throw "nodeEnv.toolchain: ${triple} needs ${kind}; nix/lib/default.nix has none")) triple;

    # The triples that are made on a build machine, such as "x86_64-linux".
    triplesBuiltOn =
      system:
      lib.attrNames (
        lib.filterAttrs (_: row: lib.elem system row.buildHosts && toolchains ? ${row.toolchain}) table.targets
      );

    # The pinned Rust, with the standard libraries of these triples.
    rustToolchain =
      triples:
      (final.rust-bin.fromRustupToolchainFile (root + "/rust-toolchain.toml")).override { targets = triples; };

    # crane on the build machine's own package set for every target: many C compilers, and no cross package set.
    craneFor =
      triples:
      ((crane.mkLib final).overrideToolchain (pkgs: pkgs.nodeEnv.rustToolchain triples)).overrideScope (
        _: _: { inherit (final.nodeEnv) writeTOML; }
      );
  };
}
