# Checks that cargo links build scripts and proc macros with the build machine's own cc, and only the library with the
# target's linker, even if the target is the build machine's triple. Each linker logs its arguments.
{ pkgs }:
triple:
let
  inherit (pkgs) lib nodeEnv;
  toolchain = nodeEnv.toolchain triple;
  settings = import ../package/release-settings.nix { inherit pkgs; } {
    inherit triple toolchain;
    vendored = "/nothing-vendored";
  };
  # rustc finds its own lld outside PATH, so no logging script can replace it.
  isCompiler = toolchain.linker != "rust-lld";
in
pkgs.runCommand "linkers-${nodeEnv.platformName triple}"
  (
    settings.environment
    // nodeEnv.crossEnvFor triple toolchain.linking
    // {
      nativeBuildInputs = [
        toolchain
        (nodeEnv.rustToolchain [ triple ])
      ]
      ++ settings.programs;
    }
  )
  ''
    cp -r --no-preserve=mode ${./linkers} crate
    cd crate
    # A cdylib for musl needs the flags in this file.
    install -D ${nodeEnv.root + "/.cargo/config.toml"} .cargo/config.toml
    mkdir logged
    for linker in cc ${lib.optionalString isCompiler toolchain.linker}; do
      real=$(command -v $linker)
      printf '#!%s\necho "$*" >>%s\nexec %s "$@"\n' "$SHELL" "$PWD/$linker.log" "$real" >logged/$linker
      chmod +x logged/$linker
    done
    export CARGO_HOME=$PWD/home
    PATH=$PWD/logged:$PATH cargo build --release --offline ${settings.arguments}

    expect() { # COUNT LOG PATTERN
      [ "$(grep -c -e "$3" "$2")" = "$1" ] || {
        echo "linkers: the number of lines in $2 that match $3 must be $1; $2 contains:" >&2
        cat "$2" >&2
        exit 1
      }
    }
    expect 2 cc.log .
    expect 1 cc.log build_script_build
    expect 1 cc.log libnames
    ${lib.optionalString isCompiler ''
      expect 1 ${toolchain.linker}.log .
      expect 1 ${toolchain.linker}.log liblinkers
    ''}
    ls target/${triple}/release/${nodeEnv.libraryName triple "linkers"}
    touch $out
  ''
