# Validates targets.json: parsed table -> { problems; targets }. `problems` is a list of messages. `targets` is
# { <triple> = row; }; each row also has the flags of its platform, as cFlags and rustFlags. Reading `targets` throws if
# there are problems.
{ lib }:
table:
let
  fields = [
    "buildHosts"
    "cpu"
    "floor"
    "libc"
    "os"
    "platform"
    "toolchain"
    "triple"
  ];
  flagLists = [
    "cFlags"
    "rustFlags"
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
    map (value: "two rows have the \"${field}\" ${value}") (
      lib.attrNames (lib.filterAttrs (_: same: lib.length same > 1) groups)
    );
  unbuilt = map (row: "${named row} has no build host") (
    lib.filter (row: row ? buildHosts && !(lib.isList row.buildHosts && row.buildHosts != [ ])) rows
  );

  flagFields = [
    "flag"
    "platforms"
    "why"
  ];
  flagProblems =
    list:
    let
      platforms = map (row: row.platform or null) rows;
      problemsOf =
        entry:
        let
          flag = entry.flag or "an entry";
        in
        map (field: "${flag} in \"${list}\" has no \"${field}\"") (
          lib.filter (field: entry.${field} or "" == "") flagFields
        )
        ++ lib.optional (lib.hasInfix " " flag && entry ? flag) "\"${flag}\" in \"${list}\" is not one word"
        ++ map (platform: "${flag} in \"${list}\" names ${platform}, which no row has") (
          lib.subtractLists platforms entry.platforms or [ ]
        );
    in
    if table ? ${list} then lib.concatMap problemsOf table.${list} else [ "the list \"${list}\" is missing" ];
  problems =
    lib.optional (rows == [ ]) "\"targets\" is missing or empty"
    ++ missing
    ++ twice "triple"
    ++ twice "platform"
    ++ unbuilt
    ++ lib.concatMap flagProblems flagLists;

  flagsOf =
    row: list: map (entry: entry.flag) (lib.filter (entry: lib.elem row.platform entry.platforms) table.${list});
in
{
  inherit problems;
  targets =
    assert lib.assertMsg (problems == [ ]) "targets.json is invalid; correct it: ${lib.concatStringsSep "; " problems}";
    lib.listToAttrs (
      map (row: lib.nameValuePair row.triple (row // lib.genAttrs flagLists (flagsOf row))) rows
    );
}
