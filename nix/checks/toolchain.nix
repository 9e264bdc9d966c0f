# Checks that the C layer's compiler compiles, and that the compiler of the other layers preprocesses but refuses to
# compile. The refusal proves that a finished deps or package layer compiled no C.
{ pkgs }:
triple:
let
  toolchain = pkgs.nodeEnv.toolchain triple;
  inherit (toolchain) compiling linking;
in
pkgs.runCommand "toolchain-${pkgs.nodeEnv.platformName triple}"
  {
    nativeBuildInputs = [
      toolchain
      (pkgs.nodeEnv.rustToolchain [ triple ]) # cargo-zigbuild asks rustc for its version
    ];
  }
  ''
    echo 'int one(void) { return 1; }' >one.c
    ${compiling.cc} -c one.c -o one.o
    ${linking.cc} -E one.c | grep -q 'int one'

    if ${linking.cc} -c one.c -o refused.o 2>message; then
      echo "${linking.cc} compiled one.c" >&2
      exit 1
    fi
    grep -q 'this layer compiles no C' message
    [ ! -e refused.o ]
    touch $out
  ''
