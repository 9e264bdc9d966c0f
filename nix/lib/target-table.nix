# targets.json, checked: parsed table -> { problems; targets }. `problems` is what is wrong with it, a sentence each;
# asking `targets`, { <triple> = row; }, for anything is an error while there are any.
{ lib }:
table:
let
  fields = [
    "buildHost"
    "cpu"
    "floor"
    "libc"
    "os"
    "platform"
    "sqliteFlags"
    "toolchain"
    "triple"
  ];
  rows = table.targets or [ ];
  named = row: row.triple or row.platform or "a row";

  missing = lib.concatMap (
    row: map (field: "${named row} has no \"${field}\"") (lib.subtractLists (lib.attrNames row) fields)
  ) rows;
  twice =
    field:
    let
      groups = lib.groupBy (row: row.${field}) (lib.filter (row: row ? ${field}) rows);
    in
    map (value: "${value} stands twice as \"${field}\"") (
      lib.attrNames (lib.filterAttrs (_: same: lib.length same > 1) groups)
    );
  problems =
    lib.optional (rows == [ ]) "there is no row under \"targets\"" ++ missing ++ twice "triple" ++ twice "platform";
in
{
  inherit problems;
  targets =
    assert lib.assertMsg (problems == [ ]) "targets.json: ${lib.concatStringsSep "; " problems}. Mend the table.";
    lib.listToAttrs (map (row: lib.nameValuePair row.triple row) rows);
}
