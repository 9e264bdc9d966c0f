# A small stdenv.mkDerivation on top of setup.sh: phases, hooks, dependencies, passthru, overrideAttrs, env.
{
  host,
  lib,
  pkgs,
  platform,
}:
let
  dependencyKinds = [
    "depsBuildBuild"
    "nativeBuildInputs"
    "depsBuildTarget"
    "depsHostHost"
    "buildInputs"
    "depsTargetTarget"
    "propagatedNativeBuildInputs"
    "propagatedBuildInputs"
  ];

  # `final` is nixpkgs' finalAttrs: the arguments after every overrideAttrs.
  fixed =
    function:
    let
      final = function (final // { inherit overrideAttrs; });
      overrideAttrs =
        change:
        fixed (
          next:
          let
            previous = function next;
            changed = if builtins.isFunction change then change previous else change;
          in
          previous // (if builtins.isFunction changed then change next previous else changed)
        );
    in
    build overrideAttrs final;

  build =
    overrideAttrs: arguments:
    let
      check = arguments.doCheck or false;
      environment = arguments.env or { };
      clash = lib.intersectLists (lib.attrNames environment) (lib.attrNames arguments);
      inputs = lib.filterAttrs (_: list: list != [ ]) (
        lib.genAttrs dependencyKinds (
          kind:
          map lib.getDev (
            lib.flatten (arguments.${kind} or [ ])
            ++ lib.optionals (kind == "nativeBuildInputs" && check) (arguments.nativeCheckInputs or [ ])
          )
        )
      );
      plain = removeAttrs arguments [
        "checkInputs"
        "env"
        "meta"
        "nativeCheckInputs"
        "passthru"
        "pos"
      ];
    in
    assert lib.assertMsg (clash == [ ]) "mkDerivation: both env and the arguments set ${toString clash}; set each variable in one place";
    lib.extendDerivation true
      (
        {
          meta = {
            position = null;
            outputsToInstall = [ "out" ];
            available = true;
          }
          // arguments.meta or { };
          inherit overrideAttrs;
          passthru = arguments.passthru or { };
        }
        // arguments.passthru or { }
      )
      (
        derivation (
          plain
          // environment
          // inputs
          // {
            name = arguments.name or "${arguments.pname}-${arguments.version}";
            inherit (platform) system;
            builder = host.bash;
            args = [
              "-e"
              ./builder.sh
            ];
            stdenv = setup;
            doCheck = check;
            strictDeps = arguments.strictDeps or false;
            outputs = arguments.outputs or [ "out" ];
          }
        )
      );

  setup = derivation {
    name = "stdenv-${platform.system}";
    inherit (platform) system;
    builder = host.bash;
    args = [
      "-c"
      ''
        PATH=${host.bin}:/bin; mkdir -p $out
        {
          echo "initialPath='${pkgs.hostTools}'"
          echo "defaultNativeBuildInputs='${stdenv.cc}'"
          echo "SHELL=${host.bash}"
          cat ${./setup.sh}
        } >$out/setup
        exit 0
      ''
    ];
  };

  stdenv = {
    name = "stdenv";
    type = "attrs";
    mkDerivation = argument: fixed (if builtins.isFunction argument then argument else _: argument);
    buildPlatform = platform;
    hostPlatform = platform;
    targetPlatform = platform;
    inherit (platform) system isLinux isDarwin;
    shell = host.bash;
    hasCC = true;
    cc = pkgs.gcc;
  };
in
stdenv
