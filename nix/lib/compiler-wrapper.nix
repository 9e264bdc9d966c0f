# A C compiler and linker of one target as small programs that are found by name on PATH: { kind, name, definitions, linker,
# environment } -> package. `definitions` is shell text with the functions `compile`, called with cc or c++ and arguments, and
# `tool`, called with ar or ranlib and arguments. rustc links with `linker`, by default through `compile`. `environment` has
# variables for every build for the target.
{ pkgs }:
{
  kind,
  name,
  definitions,
  linker ? "${kind}-${name}-link",
  environment ? { },
}:
let
  # By name on PATH and not by store path: OpenSSL writes the name of its compiler into the library.
  role = role: "${kind}-${name}-${role}";
  wrapper = pkgs.writeTextFile {
    name = "${kind}-wrapper-${name}";
    executable = true;
    text = ''
      #!${pkgs.runtimeShell}
      ${definitions}
      role=''${0##*-${name}-}
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
        ar | ranlib) tool "$role" "$@" ;;
        link) compile cc "$@" ;;
        *) echo "$0: no such tool" >&2; exit 1 ;;
      esac
    '';
  };
in
pkgs.runCommandLocal "${kind}-toolchain-${name}"
  {
    passthru = {
      inherit linker environment;
      # What crossEnvFor takes, for a layer that compiles C, and for one that must not.
      compiling = {
        cc = role "cc";
        cxx = role "c++";
        ar = role "ar";
        ranlib = role "ranlib";
      };
      linking = {
        cc = role "cpp";
        cxx = role "cpp";
        ar = role "ar";
        ranlib = role "ranlib";
      };
    };
  }
  ''
    mkdir -p $out/bin
    for name in cc c++ cpp ar ranlib link; do ln -s ${wrapper} $out/bin/${role "$name"}; done
  ''
