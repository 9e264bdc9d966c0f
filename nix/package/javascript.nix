# The package's JavaScript: loader, API and types, built by the same step as `npm run build:finish`. The napi CLI
# generates the addon's types from the #[napi] definitions. The build fails if generated sources differ from the
# committed ones. tsc is called as a program, since TypeScript 7 is a native program.
{ pkgs }:
typeDefinitions:
let
  inherit (pkgs) lib nodeEnv;
  package = nodeEnv.root + "/bindings/node";
  tool = request: (import ./nixpkgs-tool.nix { inherit pkgs; } request).package;
  # nixpkgs added version 3 as a second attribute. Version 2.17 is a single program without the generator.
  napiCli = tool {
    attributes = [
      "napi-rs-cli_3"
      "napi-rs-cli"
    ];
    oldest = "3";
  };
  # tsconfig.json sets `module` to node20, which older versions lack.
  typescript = tool {
    attributes = [ "typescript" ];
    oldest = "5.9";
  };
  # Node's types aren't available here, so types aren't checked; the tests in the checkout check them. The output is the
  # same if every exported type is written out.
  hermetic = {
    extends = "./tsconfig.tree.json";
    compilerOptions = {
      types = [ ];
      noCheck = true;
    };
  };
in
pkgs.runCommand "node-bindings-js"
  {
    src = nodeEnv.filesets.toSource (
      lib.fileset.unions [
        (nodeEnv.root + "/targets.json")
        (package + "/tsconfig.json")
        (package + "/scripts")
        (package + "/ts")
      ]
    );
    nativeBuildInputs = [ pkgs.nodejs ];
    NAPI_RS_CLI = napiCli;
    TSC = lib.getExe' typescript "tsc";
    tsconfig = builtins.toJSON hermetic;
    allowedReferences = [ ];
  }
  ''
    cp -r --no-preserve=mode $src/. workspace
    cd workspace/bindings/node
    mv tsconfig.json tsconfig.tree.json
    printf %s "$tsconfig" >tsconfig.json

    node scripts/declarations.mjs ${typeDefinitions} >ts/load/native.d.ts
    node scripts/build.mjs finish
    diff -ru $src/bindings/node/ts ts || {
      echo "generated sources in bindings/node/ts are stale: regenerate them as their first lines say, and commit them" >&2
      exit 1
    }
    mv dist $out
  ''
