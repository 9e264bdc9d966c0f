# zig as C compiler and linker of one glibc target, by a fixed wrapper over `cargo-zigbuild zig`, which translates the
# arguments that zig does not know. (`cargo zigbuild` itself writes a linker into a cache directory, whose path cargo
# takes into each fingerprint.)
{ pkgs, nodeEnv }:
triple:
let
  zigTarget = nodeEnv.zigTarget triple;
  # By name on PATH and not by store path: OpenSSL writes the name of its compiler into the library.
  tool = name: "zig-${zigTarget}-${name}";
  wrapper = pkgs.writeTextFile {
    name = "zig-wrapper-${zigTarget}";
    executable = true;
    text = ''
      #!${pkgs.runtimeShell}
      export ZIG_GLOBAL_CACHE_DIR=''${ZIG_GLOBAL_CACHE_DIR:-''${TMPDIR:-/tmp}/zig}
      export ZIG_LOCAL_CACHE_DIR=''${ZIG_LOCAL_CACHE_DIR:-$ZIG_GLOBAL_CACHE_DIR}
      export CARGO_ZIGBUILD_ZIG_COMMAND=${pkgs.zig}/bin/zig CARGO_ZIGBUILD_ZIG_VERSION=${pkgs.zig.version}
      zig() { exec ${pkgs.cargo-zigbuild}/bin/cargo-zigbuild zig "$1" -- "''${@:2}"; }
      # -g0: zig's debug information holds store paths. -fno-sanitize: it would add a run-time library.
      compile() { zig "$1" -g0 -fno-sanitize=all -target ${zigTarget} "''${@:2}"; }

      role=''${0##*-${zigTarget}-}
      case $role in
        cc | c++) compile "$role" "$@" ;;
        cpp)
          # The compiler of the layers that compile no C: it answers questions and preprocesses.
          for argument; do
            case $argument in -c | -S)
              echo "$0: this layer compiles no C; link it from the C layer, through crates/vendored-sys: $*" >&2
              exit 1 ;;
            esac
          done
          compile cc "$@" ;;
        ar | ranlib) zig "$role" "$@" ;;
        ld)
          # Cargo links the build scripts of the machine's own triple with this, too, and those must run here.
          case " $* " in
            *" -shared "*) compile cc "$@" ;;
            *) exec ${pkgs.stdenv.cc}/bin/cc "$@" ;;
          esac ;;
        *) echo "$0: no such tool" >&2; exit 1 ;;
      esac
    '';
  };
in
pkgs.runCommandLocal "zig-toolchain-${zigTarget}"
  {
    passthru = {
      # What environment takes: of a layer that compiles C, and of one that must not.
      compiling = {
        cc = tool "cc";
        cxx = tool "c++";
        ar = tool "ar";
        ranlib = tool "ranlib";
        linker = tool "ld";
      };
      linking = {
        cc = tool "cpp";
        cxx = tool "cpp";
        ar = tool "ar";
        ranlib = tool "ranlib";
        linker = tool "ld";
      };
    };
  }
  ''
    mkdir -p $out/bin
    for name in cc c++ cpp ar ranlib ld; do ln -s ${wrapper} $out/bin/zig-${zigTarget}-$name; done
  ''
