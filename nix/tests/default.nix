# Pure evaluation tests: each folder's expr.nix, called with the arguments that it names, must equal its expected.nix.
# Yields what lib.runTests yields: a list of the failed ones. `fixture` is a small workspace that some of them read.
{ lib, arguments }:
let
  folders = lib.attrNames (
    lib.filterAttrs (name: type: type == "directory" && name != "fixture") (builtins.readDir ./.)
  );
  call = function: function (builtins.intersectAttrs (builtins.functionArgs function) arguments);
  case = folder: {
    expr = call (import (./. + "/${folder}/expr.nix"));
    expected = import (./. + "/${folder}/expected.nix");
  };
in
lib.runTests (lib.listToAttrs (map (folder: lib.nameValuePair "test ${folder}" (case folder)) folders))
