# nixpkgs' own compiler for one target, from the package set that builds for it. A wrapper calls the compiler: as a build
# input, its setup hook would set CC, which also affects build scripts for the build machine.
{
  pkgs,
  nodeEnv,
  compilerWrapper,
}:
triple:
let
  inherit ((nodeEnv.crossPkgsFor pkgs triple).stdenv) cc;
  prefix = "${cc}/bin/${cc.targetPrefix}";
  binutils = "${cc.bintools}/bin/${cc.bintools.targetPrefix}";
in
compilerWrapper {
  kind = "cross";
  name = triple;
  definitions = ''
    # The flags of targets.json are the whole hardening; nixpkgs' wrappers add theirs by variables that reach some builds only.
    export NIX_HARDENING_ENABLE_${cc.suffixSalt}=
    tool() { exec ${binutils}"$1" "''${@:2}"; }
    # The unwinder that Rust asks for, from the static library: Node's machine need not have libgcc_s. And no RUNPATH,
    # which nixpkgs' linker adds for each library that it finds in the store.
    export NIX_DONT_SET_RPATH_${cc.suffixSalt}=1
    compile() {
      local command=${prefix}$1 arguments=() argument
      for argument in "''${@:2}"; do
        if [ "$argument" = -lgcc_s ]; then argument=-lgcc_eh; fi
        arguments+=("$argument")
      done
      exec "$command" -g0 -static-libgcc "''${arguments[@]}"
    }
  '';
}
