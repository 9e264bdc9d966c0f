{ lib, nodeEnv }:
let
  check = rows: import ../../lib/target-table.nix { inherit lib; } { targets = rows; };
  row = nodeEnv.target "x86_64-unknown-linux-musl";
  other = row // {
    triple = "another-triple";
    platform = "another-platform";
  };
in
{
  empty = (check [ ]).problems;
  right =
    (check [
      row
      other
    ]).problems;
  missing =
    (check [
      (removeAttrs row [ "libc" ])
      (removeAttrs other [
        "floor"
        "triple"
      ])
    ]).problems;
  twice =
    (check [
      row
      (other // { inherit (row) triple; })
      (other // { triple = "a-third"; })
    ]).problems;
  stops = !(builtins.tryEval (check [ (removeAttrs row [ "libc" ]) ]).targets).success;
}
