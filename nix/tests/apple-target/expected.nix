{
  arm64 = "arm64-apple-macos11.0";
  x64 = "x86_64-apple-macos10.15";
  linux = false;
  cargo = [
    "env.MACOSX_DEPLOYMENT_TARGET={value=\"11.0\",force=true}"
    "env.MACOSX_DEPLOYMENT_TARGET={value=\"10.15\",force=true}"
  ];
}
