# Shell functions for the wrappers of zig: `tool` runs zig's ar or ranlib, and `compile` runs its cc or c++ for one
# target. A wrapper sets zig, zig_version, cargo_zigbuild and zig_target before this text, and calls a function after
# it. nix/lib/zig-toolchain.nix and crates/release/build/src/zig_wrappers.rs write such wrappers.

# cargo-zigbuild up to 0.22 reads the path; 0.24 and later read the command.
export CARGO_ZIGBUILD_ZIG_PATH="$zig" CARGO_ZIGBUILD_ZIG_COMMAND="$zig" CARGO_ZIGBUILD_ZIG_VERSION="$zig_version"
# zig has its own Apple headers, and reads the oldest macOS from its target. With an SDK, zig would also search for
# frameworks.
unset SDKROOT MACOSX_DEPLOYMENT_TARGET

# cargo-zigbuild translates arguments that zig lacks.
tool() {
  tool=$1
  shift
  exec "$cargo_zigbuild" zig "$tool" -- "$@"
}

compile() {
  compiler=$1
  shift
  # The crate cc also passes an SDK and the oldest macOS. zig takes both from -target.
  is_value=
  for argument; do
    shift
    if [ -n "$is_value" ]; then
      is_value=
      continue
    fi
    case $argument in
      -isysroot) is_value=1 ;;
      -mmacosx-version-min=*) ;;
      *) set -- "$@" "$argument" ;;
    esac
  done
  # -g0: the debug information of C would contain paths of the build. -fno-sanitize: zig's sanitizer needs a run-time
  # library.
  tool "$compiler" -g0 -fno-sanitize=all -target "$zig_target" "$@"
}
