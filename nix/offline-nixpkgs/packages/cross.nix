# The compilers for musl in pkgsCross: zig, under the names of nixpkgs' cross compilers.
{
  host,
  hostPackage,
  lib,
}:
final: _:
let
  compiler =
    { config, zigTarget }:
    let
      targetPrefix = "${config}-";
      script = ''
        #!${host.bash}
        export ZIG_GLOBAL_CACHE_DIR=\''${ZIG_GLOBAL_CACHE_DIR:-\''${TMPDIR:-/tmp}/zig}
        export ZIG_LOCAL_CACHE_DIR=\''${ZIG_LOCAL_CACHE_DIR:-\$ZIG_GLOBAL_CACHE_DIR}
        export CARGO_ZIGBUILD_ZIG_COMMAND=${final.zig}/bin/zig CARGO_ZIGBUILD_ZIG_VERSION=${final.zig.version}
        role=\''${0##*/${targetPrefix}}
        # zig has its unwinder in a separate library, which it links under gcc's other name for the unwinder.
        arguments=()
        for argument; do arguments+=("\''${argument/#-lgcc_eh/-lgcc_s}"); done
        case \$role in
          cc | c++) set -- -fno-sanitize=all -target ${zigTarget} "\''${arguments[@]}" ;;
        esac
        exec ${final.cargo-zigbuild}/bin/cargo-zigbuild zig "\$role" -- "\$@"
      '';
      tools = hostPackage {
        name = "${targetPrefix}cc";
        commands = ''
          mkdir -p $out/bin
          cat >$out/bin/${targetPrefix}cc <<EOF
          ${script}
          EOF
          chmod +x $out/bin/${targetPrefix}cc
          for tool in c++ ar ranlib; do ln -s ${targetPrefix}cc $out/bin/${targetPrefix}$tool; done
        '';
      };
    in
    tools
    // {
      inherit targetPrefix;
      suffixSalt = lib.replaceStrings [ "-" ] [ "_" ] config;
      bintools = tools // {
        inherit targetPrefix;
      };
    };
  crossSet = names: { stdenv.cc = compiler names; };
in
{
  pkgsCross = {
    musl64 = crossSet {
      config = "x86_64-unknown-linux-musl";
      zigTarget = "x86_64-linux-musl";
    };
    aarch64-multiplatform-musl = crossSet {
      config = "aarch64-unknown-linux-musl";
      zigTarget = "aarch64-linux-musl";
    };
  };
}
