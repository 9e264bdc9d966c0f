# A tool that the flake takes from nixpkgs in a version that it can use: { attributes, oldest } -> { package; problem; }. The
# first attribute that is new enough counts; `problem` is null if there is one.
{ pkgs }:
{ attributes, oldest }:
let
  inherit (pkgs) lib;
  # nixpkgs' aliases for removed packages throw.
  packageOf = name: builtins.tryEval (pkgs.${name} or null);
  found = lib.filter (package: package != null) (
    map (name: (packageOf name).value) (lib.filter (name: (packageOf name).success) attributes)
  );
  usable = lib.filter (package: !lib.versionOlder package.version oldest) found;
  wanted = "the flake wants ${lib.head attributes}, version ${oldest} or later: update the input nixpkgs";
  problem =
    if usable != [ ] then
      null
    else if found == [ ] then
      "this nixpkgs has no ${lib.head attributes}; ${wanted}"
    else
      "this nixpkgs has version ${(lib.head found).version} of ${lib.head attributes}; ${wanted}";
in
{
  inherit problem;
  package =
    assert lib.assertMsg (problem == null) "node-bindings-js: ${problem}";
    lib.head usable;
}
