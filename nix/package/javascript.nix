# The JavaScript of the package: loader, API and types, by the same step as `npm run build:finish`. The addon's types
# come from what #[napi] declared, by the napi CLI's own generator. Generated sources must be the committed ones.
#
# tsc is called as a program: nixpkgs' typescript 5.9.3 (pkgs/by-name/ty/typescript/package.nix, read 2026-11) links bin/tsc
# to lib/node_modules, and TypeScript 7 is a native program.
{ pkgs }:
typeDefinitions:
let
  inherit (pkgs) lib nodeEnv;
  package = nodeEnv.root + "/bindings/node";
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
    NAPI_RS_CLI = (import ./napi-cli.nix { inherit pkgs; }).package;
    TSC = lib.getExe' pkgs.typescript "tsc";
    tsconfig = builtins.toJSON hermetic;
    allowedReferences = [ ];
  }
  ''
    cp -r --no-preserve=mode $src/. workspace
    cd workspace/bindings/node
    mv tsconfig.json tsconfig.tree.json
    printf %s "$tsconfig" >tsconfig.json

    node scripts/declarations.mjs ${typeDefinitions} >ts/native.d.ts
    node scripts/build.mjs finish
    diff -ru $src/bindings/node/ts ts || {
      echo "generated sources in bindings/node/ts are stale: make them again as they say, and commit them" >&2
      exit 1
    }
    mv dist $out
  ''
