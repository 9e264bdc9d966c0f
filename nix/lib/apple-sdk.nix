# The SDK for linking macOS addons with rustc's own lld, on every build machine.
{ pkgs }:
pkgs.runCommandLocal "apple-sdk" { } ''
  export ZIG_GLOBAL_CACHE_DIR=$TMPDIR/zig
  # zig prints ZON since version 0.15, and JSON before.
  folder=$(${pkgs.zig}/bin/zig env | sed -n 's/.*lib_dir[" :=]*\(\/[^"]*\)".*/\1/p')
  sh ${./apple-sdk.sh} "$folder/libc/darwin/libSystem.tbd" $out
''
