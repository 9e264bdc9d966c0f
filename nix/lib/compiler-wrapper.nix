# A target's C compiler and linker as small programs on PATH:
# { kind, name, definitions, linker, environment } -> package.
#
# `definitions` is shell text with two functions: `compile` takes cc or c++ and arguments, `tool` takes ar or ranlib and
# arguments. rustc links with `linker`, which calls `compile` by default. `environment` holds variables for every build
# for the target.
{ pkgs }:
{
  kind,
  name,
  definitions,
  linker ? "${kind}-${name}-link",
  environment ? { },
}:
let
  # The compiler is a name on PATH instead of a store path, since OpenSSL writes its compiler's name into the library.
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
          # The compiler of the layers that compile no C: it answers queries and preprocesses.
          for argument; do
            case $argument in -c | -S)
              echo "$0: this layer compiles no C; add the library to crates/vendored-sys, which builds the C layer, and link that library: $*" >&2
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
      # Arguments of crossEnvFor: `compiling` for the C layer, `linking` for the layers that must not compile C.
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
