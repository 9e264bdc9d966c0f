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
  targetTable = [ "js" ];
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
