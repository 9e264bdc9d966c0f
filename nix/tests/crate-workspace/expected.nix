{
  name = "addon";
  members = [
    "addon"
    "crates/engine"
    "crates/engine/leaf"
  ];
  dependencies = {
    engine.path = "crates/engine";
    registry-crate = "1";
  };
  package.version = "1.2.3";
  profile.release.lto = "fat";
  locked = [
    "addon"
    "engine"
    "leaf"
    "registry-crate"
  ];
}
