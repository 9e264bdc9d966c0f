# Neither the manifest nor the lock has dependencies that only crates/other needs.
{ fixture }:
let
  workspace = fixture.crateWorkspace (fixture.root + "/addon");
in
{
  inherit (workspace) name;
  inherit (workspace.manifest.workspace) members dependencies package;
  inherit (workspace.manifest) profile;
  locked = map (package: package.name) workspace.lock.package;
}
