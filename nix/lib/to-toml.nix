# A value as TOML text, in inline tables; a derivation is its path. crane's own writer is a Rust program that would be
# compiled first.
{ lib }:
let
  value =
    any:
    if builtins.isAttrs any && !(any ? outPath) then
      "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList pair any)} }"
    else if builtins.isList any then
      "[ ${lib.concatMapStringsSep ", " value any} ]"
    else
      builtins.toJSON any; # strings, numbers and booleans are written as JSON writes them
  pair = key: any: "${builtins.toJSON key} = ${value any}";
in
table: lib.concatStrings (lib.mapAttrsToList (key: any: "${pair key any}\n") table)
