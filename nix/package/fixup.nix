# Turns the linked library into the shipped addon: { triple, library } -> shell text that fills $out and $debug. Each
# system has a list of steps. A step changes $addon in place.
{ pkgs }:
{ triple, library }:
let
  inherit (pkgs) lib nodeEnv;
  rust = nodeEnv.rustToolchain [ triple ];
  hostTriple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  platform = nodeEnv.platformName triple;
  name = "bindings_node.${platform}.node";

  # rustc's own objcopy handles every target. A machine's binutils handle only that machine's file format.
  objcopy = "LD_LIBRARY_PATH=${rust}/lib ${rust}/lib/rustlib/${hostTriple}/bin/rust-objcopy";

  steps = {
    splitElf = ''
      ${objcopy} --only-keep-debug "$addon" "$debug/${name}.debug"
      ${objcopy} --strip-all "$addon"
      # Runs in the directory of the debug information, so that the link contains only the file's name.
      (cd "$debug" && ${objcopy} --add-gnu-debuglink=${name}.debug "$addon")
    '';
    # rust-objcopy renews the linker's ad-hoc signature; the audit checks the hash of each page.
    splitMachO = ''
      # Cargo writes a link to a folder. A debugger looks for a file with the addon's name.
      cp -rL ${library}.dSYM "$debug/${name}.dSYM"
      mv "$debug/${name}.dSYM/Contents/Resources/DWARF/"{${baseNameOf library},${name}}
      ${objcopy} --strip-debug --discard-all "$addon"
    '';
    # Debug information contains the store path of each crate's source. A debugger needs only the rest of the path.
    scrubDebug = ''
      LC_ALL=C find "$debug" -type f -exec sed -i -E "s|$NIX_STORE/[a-z0-9]{32}-|$NIX_STORE/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-|g" {} +
    '';
    # The addon must contain no store path, not even a scrubbed one.
    noStorePath = ''
      if grep -a -o -m 1 "$NIX_STORE/[^[:cntrl:]]*" "$addon"; then
        echo "fixup: ${name} contains this store path; find its source, or remap the path in release-settings.nix" >&2
        exit 1
      fi
    '';
  };
  perSystem = {
    linux = [
      steps.splitElf
      steps.scrubDebug
      steps.noStorePath
    ];
    darwin = [
      steps.splitMachO
      steps.scrubDebug
      steps.noStorePath
    ];
  };
in
''
  mkdir -p "$out" "$debug"
  addon=$out/${name}
  install -m 644 ${library} "$addon"
  ${lib.concatStrings perSystem.${(nodeEnv.target triple).os}}
  chmod 444 "$addon"
''
