#!/bin/sh
# RUSTC_WRAPPER of release builds: rustc-wrapper.sh RUSTC ARGUMENTS...
#
# Cargo passes --target only when it compiles for the target, not for build scripts and proc macros. Only the target's
# rustc gets the SDK (TARGET_SDKROOT) and the oldest macOS (MACOS_FLOOR_<triple>) here, so that a Mac links its own
# programs with its own SDK.
previous='' triple=''
for argument; do
  [ "$previous" != --target ] || triple=$argument
  previous=$argument
done
case $triple in
  aarch64-apple-darwin) floor=$MACOS_FLOOR_aarch64_apple_darwin ;;
  x86_64-apple-darwin) floor=$MACOS_FLOOR_x86_64_apple_darwin ;;
  *) floor='' ;;
esac
if [ -n "$floor" ]; then
  export MACOSX_DEPLOYMENT_TARGET="$floor"
  if [ -n "${TARGET_SDKROOT-}" ]; then export SDKROOT="$TARGET_SDKROOT"; fi
fi
# On macOS, Nix's build directory has a different name in each build. In cargo's configuration, a flag with this name
# would be part of the fingerprint, and each layer would recompile the crates of the layer below.
if [ -n "${NIX_BUILD_TOP-}" ]; then set -- "$@" "--remap-path-prefix=$NIX_BUILD_TOP=/strongroom"; fi
# Runs the user's own wrapper, such as sccache.
exec ${INNER_RUSTC_WRAPPER:+"$INNER_RUSTC_WRAPPER"} "$@"
