# nixpkgs' package of @napi-rs/cli 3, whose library generates the type definitions: { package; problem; }, `problem` null where
# there is one. The attribute napi-rs-cli was version 2.17, a single program, before napi-rs-cli_3 came
# (pkgs/by-name/na/napi-rs-cli_3/package.nix has version 3.7.4, read 2026-11).
{ pkgs }:
let
  inherit (pkgs) lib;
  found = pkgs.napi-rs-cli_3 or pkgs.napi-rs-cli or null;
  problem =
    if found == null then
      "this nixpkgs has no napi-rs-cli"
    else if lib.versionOlder found.version "3" then
      "this nixpkgs has napi-rs-cli ${found.version} only"
    else
      null;
in
{
  inherit problem;
  package =
    assert lib.assertMsg (problem == null)
      "node-bindings-js: ${toString problem}; the flake wants napi-rs-cli_3, version 3 or later: update the input nixpkgs";
    found;
}
