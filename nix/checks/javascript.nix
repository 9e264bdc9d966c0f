# Checks that every version of TypeScript, each in its own package layout, compiles the same JavaScript.
{ pkgs }:
javascript: javascriptBy:
pkgs.runCommand "javascript-by-each-typescript" { } ''
  ${pkgs.lib.concatMapStringsSep "\n" (typescript: "diff -r ${javascript} ${javascriptBy typescript}") (
    pkgs.lib.attrValues pkgs.typescriptLayouts
  )}
  touch $out
''
