# An empty derivation, unless an evaluation test fails: the evaluation then throws an error that shows each failure.
{ pkgs, failures }:
let
  inherit (pkgs) lib;
  pretty = lib.generators.toPretty { };
  show = failure: "${failure.name}\n  expected ${pretty failure.expected}\n  but got  ${pretty failure.result}";
in
assert lib.assertMsg (failures == [ ]) "nix/tests failed:\n${lib.concatMapStringsSep "\n" show failures}";
pkgs.runCommandLocal "evaluation-tests" { } "touch $out"
