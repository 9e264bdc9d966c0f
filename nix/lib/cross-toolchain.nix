# nixpkgs' own compiler for one target, from the package set that builds for it. A wrapper calls the compiler,
# because the setup hook of a compiler that is a build input sets CC, which also affects build scripts for the build
# machine.
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
    # The flags of targets.json are the only hardening flags. nixpkgs' wrappers would add flags through variables, which
    # reach only some builds.
    export NIX_HARDENING_ENABLE_${cc.suffixSalt}=
    tool() { exec ${binutils}"$1" "''${@:2}"; }
    # Links Rust's unwinder from the static library, since Node's machine may lack libgcc_s. Sets no RUNPATH, which
    # nixpkgs' linker would add for each library in the store.
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
