# The JavaScript of the package: loader, API and types, by the same step as `npm run build:finish`. The addon's types
# come from what #[napi] declared, by the napi CLI's own generator. Generated sources must be the committed ones.
# tsc is called as a program, since TypeScript 7 is a native one.
{ pkgs }:
typeDefinitions:
let
  inherit (pkgs) lib nodeEnv;
  package = nodeEnv.root + "/bindings/node";
  tool = request: (import ./nixpkgs-tool.nix { inherit pkgs; } request).package;
  # Version 3 came as a second attribute, beside version 2.17, a single program without the generator.
  napiCli = tool {
    attributes = [
      "napi-rs-cli_3"
      "napi-rs-cli"
    ];
    oldest = "3";
  };
  # tsconfig.json names modules as Node 20 has them.
  typescript = tool {
    attributes = [ "typescript" ];
    oldest = "5.9";
  };
  # Nothing here provides the types of Node, so nothing is checked; the tests of the tree do that. What is emitted is
  # the same as long as every exported type is written out.
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
      echo "generated sources in bindings/node/ts are stale: make them again as they say, and commit them" >&2
      exit 1
    }
    mv dist $out
  ''
