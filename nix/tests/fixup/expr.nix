# The steps of each target in order, identified by the command of each step. Only rust-objcopy changes a Mach-O file,
# since it renews the signature.
{
  lib,
  pkgs,
}:
let
  marks = [
    "--only-keep-debug"
    ".dSYM\""
    "--strip-all"
    "--strip-debug"
    "--add-gnu-debuglink"
    "sed -i"
    "grep -a"
  ];
  stepsOf =
    triple:
    let
      text = import ../../package/fixup.nix { inherit pkgs; } {
        inherit triple;
        library = "library";
      };
    in
    lib.concatMap (line: lib.filter (mark: lib.hasInfix mark line) marks) (lib.splitString "\n" text);
in
lib.genAttrs [
  "aarch64-apple-darwin"
  "x86_64-apple-darwin"
  "aarch64-unknown-linux-musl"
  "x86_64-unknown-linux-gnu"
] stepsOf
