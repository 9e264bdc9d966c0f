# Installs the addon and its JavaScript into a folder, and opens an encrypted database in Node.
{ pkgs }:
addon: javascript:
pkgs.runCommand "loads-${addon.name}" { nativeBuildInputs = [ pkgs.nodejs ]; } ''
  mkdir strongroom
  cp -r --no-preserve=mode ${javascript} strongroom/dist
  cp ${addon}/*.node strongroom/dist/
  cp ${pkgs.nodeEnv.root + "/bindings/node/package.json"} strongroom/package.json
  node ${pkgs.nodeEnv.root + "/bindings/node/test/smoke.cjs"} $PWD/strongroom
  touch $out
''
