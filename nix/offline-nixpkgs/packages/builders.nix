# The subset of nixpkgs' trivial builders that crane, rust-overlay and this project use.
{ lib }:
final: _: {
  fetchurl =
    {
      url ? lib.head urls,
      urls ? [ url ],
      name ? baseNameOf url,
      ...
    }@arguments:
    import <nix/fetchurl.nix> (
      {
        inherit name url;
      }
      // lib.filterAttrs (key: value: lib.elem key [ "hash" "sha256" ] && value != "") arguments
    );

  runCommand =
    name: arguments: buildCommand:
    final.stdenv.mkDerivation (
      { inherit name buildCommand; }
      // arguments
      // {
        passAsFile = [ "buildCommand" ] ++ arguments.passAsFile or [ ];
      }
    );
  runCommandLocal =
    name: arguments:
    final.runCommand name (
      arguments
      // {
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
    );

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
    }:
    final.runCommandLocal name
      {
        inherit text;
        passAsFile = [ "text" ];
      }
      ''
        file=$out${lib.escapeShellArg destination}
        mkdir -p "$(dirname "$file")"
        cp "$textPath" "$file"
        ${lib.optionalString executable ''chmod +x "$file"''}
      '';
  writeText = name: text: final.writeTextFile { inherit name text; };

  symlinkJoin =
    {
      name,
      postBuild ? "",
      ...
    }@arguments:
    final.runCommandLocal name
      (removeAttrs arguments [
        "name"
        "postBuild"
      ])
      ''
        mkdir -p $out
        for p in $paths; do cp -rs --remove-destination --no-preserve=mode "$p"/. $out/; done
        ${postBuild}
      '';

  mkShell =
    arguments:
    final.stdenv.mkDerivation (
      removeAttrs arguments [ "packages" ]
      // {
        name = "shell";
        buildCommand = ''echo "$nativeBuildInputs" >$out'';
        nativeBuildInputs = arguments.nativeBuildInputs or [ ] ++ arguments.packages or [ ];
      }
    );

  makeSetupHook =
    {
      name,
      propagatedBuildInputs ? [ ],
      substitutions ? { },
      meta ? { },
      passthru ? { },
    }:
    script:
    let
      substitution = key: value: "--subst-var-by ${key} ${lib.escapeShellArg value}";
    in
    final.runCommandLocal name { inherit meta passthru propagatedBuildInputs; } ''
      mkdir -p $out/nix-support
      [ -z "$propagatedBuildInputs" ] || echo "$propagatedBuildInputs" >$out/nix-support/propagated-build-inputs
      substitute ${script} $out/nix-support/setup-hook ${toString (lib.mapAttrsToList substitution substitutions)}
    '';
  makeWrapper = final.makeSetupHook { name = "make-wrapper"; } (
    builtins.toFile "hook.sh" "wrapProgram() { echo 'offline-nixpkgs has no wrapProgram; use the real nixpkgs' >&2; return 1; }"
  );

  # crane's hooks source this file.
  darwin.signingUtils = builtins.toFile "signing-utils.sh" "signIfRequired() { :; }";
}
