# Pure evaluation tests: each folder's expr.nix must equal its expected.nix. Both files may be functions of `arguments`.
# Returns the failed tests in the format of lib.runTests. `fixture` is a small workspace for the tests.
{ lib, arguments }:
let
  folders = lib.attrNames (
    lib.filterAttrs (name: type: type == "directory" && name != "fixture") (builtins.readDir ./.)
  );
  call =
    value:
    if lib.isFunction value then value (builtins.intersectAttrs (lib.functionArgs value) arguments) else value;
  case = folder: {
    expr = call (import (./. + "/${folder}/expr.nix"));
    expected = call (import (./. + "/${folder}/expected.nix"));
  };
in
lib.runTests (lib.listToAttrs (map (folder: lib.nameValuePair "test ${folder}" (case folder)) folders))
