# Converts an attribute set to TOML with inline tables; a derivation becomes its path. crane's own writer is a Rust
# program that Nix would have to compile first.
{ lib }:
let
  value =
    any:
    if builtins.isAttrs any && !(any ? outPath) then
      "{ ${lib.concatStringsSep ", " (lib.mapAttrsToList pair any)} }"
    else if builtins.isList any then
      "[ ${lib.concatMapStringsSep ", " value any} ]"
    else
      builtins.toJSON any; # TOML strings, numbers and booleans have JSON's syntax
  pair = key: any: "${builtins.toJSON key} = ${value any}";
in
table: lib.concatStrings (lib.mapAttrsToList (key: any: "${pair key any}\n") table)
