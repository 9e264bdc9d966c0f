# The JavaScript is the same by every version of TypeScript that the placeholder for nixpkgs has; real nixpkgs has one. Each
# version has its own layout.
{ pkgs }:
javascript: javascriptBy:
let
  inherit (pkgs) lib;
in
pkgs.runCommand "javascript-by-each-typescript" { } ''
  ${lib.concatMapStringsSep "\n" (typescript: "diff -r ${javascript} ${javascriptBy typescript}") (
    lib.attrValues (pkgs.typescriptLayouts or { })
  )}
  touch $out
''
