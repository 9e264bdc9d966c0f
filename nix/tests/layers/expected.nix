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
  pack = [ ];
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
