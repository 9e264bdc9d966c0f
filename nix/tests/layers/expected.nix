{
  database = [
    "audited"
    "js"
    "package"
  ];
  binding = [
    "audited"
    "js"
    "package"
  ];
  audit = [ "audited" ];
  xtask = [ ];
  toolchain = [
    "audited"
    "c"
    "deps"
    "js"
    "package"
  ];
  typescript = [ "js" ];
  readme = [ ];
}
