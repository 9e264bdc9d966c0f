{ lib, nodeEnv }:
let
  checkWith =
    flags: rows:
    import ../../lib/target-table.nix { inherit lib; } (
      {
        targets = rows;
        cFlags = [ ];
        rustFlags = [ ];
      }
      // flags
    );
  check = checkWith { };
  row = removeAttrs (nodeEnv.target "x86_64-unknown-linux-musl") [
    "cFlags"
    "rustFlags"
  ];
  other = row // {
    triple = "another-triple";
    platform = "another-platform";
  };
  flags.cFlags = [
    {
      flag = "-one";
      platforms = [ "another-platform" ];
      why = "a reason";
    }
  ];
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
  unbuilt =
    (check [
      (row // { buildHosts = [ ]; })
      (other // { buildHosts = "x86_64-linux"; })
    ]).problems;
  flagOfNoRow = (checkWith flags [ row ]).problems;
  badFlag =
    (checkWith {
      rustFlags = [
        {
          flag = "-a b";
          platforms = [ "linux-x64-musl" ];
          why = "";
        }
        { why = "a reason"; }
      ];
    } [ row ]).problems;
  noList = (import ../../lib/target-table.nix { inherit lib; } { targets = [ row ]; }).problems;
  flags = lib.mapAttrs (_: target: target.cFlags ++ target.rustFlags) (checkWith flags [
    row
    other
  ]).targets;
  stops = !(builtins.tryEval (check [ (removeAttrs row [ "libc" ]) ]).targets).success;
}
