# A C compiler and linker of one target as small programs that are found by name on PATH: { kind, name, definitions,
# archive, library } -> package. `definitions` is shell text with a function `compile`, which is called with cc or c++ and
# arguments; `archive` is a command that is called with ar or ranlib and arguments; `library` is the linker's argument that
# tells a library from a program.
{ pkgs }:
{
  kind,
  name,
  definitions,
  archive,
  library ? "-shared",
}:
let
  # By name on PATH and not by store path: OpenSSL writes the name of its compiler into the library.
  tool = role: "${kind}-${name}-${role}";
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
        ar | ranlib) ${archive} "$role" "$@" ;;
        ld)
          # Cargo links the build scripts of the machine's own triple with this, too, and those must run here.
          case " $* " in
            *" ${library} "*) compile cc "$@" ;;
            *) exec ${pkgs.stdenv.cc}/bin/cc "$@" ;;
          esac ;;
        *) echo "$0: no such tool" >&2; exit 1 ;;
      esac
    '';
  };
in
pkgs.runCommandLocal "${kind}-toolchain-${name}"
  {
    passthru = {
      # What crossEnvFor takes: of a layer that compiles C, and of one that must not.
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
    for name in cc c++ cpp ar ranlib ld; do ln -s ${wrapper} $out/bin/${tool "$name"}; done
  ''
