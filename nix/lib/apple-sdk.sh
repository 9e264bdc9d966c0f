#!/bin/sh
# Makes the SDK with which rustc's own lld links macOS addons, from zig's stub of libSystem.
# usage: apple-sdk.sh LIBSYSTEM FOLDER   (zig's lib/libc/darwin/libSystem.tbd; the folder that SDKROOT will name)
set -eu
system=$1 libraries=$2/usr/lib
grep -q libSystem.B.dylib "$system" || {
  echo "apple-sdk: $system is missing or is not a stub of libSystem" >&2
  exit 1
}
mkdir -p "$libraries"
# lld rejects a stub that names a processor unknown to lld. A list may end in a comma.
sed 's/arm64e\.x1-[a-z0-9-]*,*//g' "$system" >"$libraries/libSystem.tbd"
# rustc passes these names of parts of libSystem to the linker.
for part in libc libm; do ln -s libSystem.tbd "$libraries/$part.tbd"; done
# Rust's standard library links libiconv but uses no symbol of it; -dead_strip_dylibs drops the library.
cat >"$libraries/libiconv.tbd" <<'TBD'
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libiconv.2.dylib'
...
TBD
