# Finds a tool in nixpkgs that is new enough: { attributes, oldest } -> { package; problem; }. `package` is the first of
# the attributes that is new enough; `problem` is an error message, or null if there is such an attribute.
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
  wanted = "the flake needs ${lib.head attributes}, version ${oldest} or later; update the input nixpkgs";
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
