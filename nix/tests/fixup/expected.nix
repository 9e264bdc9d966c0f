let
  linux = [
    "--only-keep-debug"
    "--strip-all"
    "--add-gnu-debuglink"
    "grep -a"
  ];
  darwin = [
    ".dSYM\""
    "--strip-debug"
    "install_name_tool -id"
    "install_name_tool -change"
    "grep -a"
    "codesign"
  ];
in
{
  aarch64-apple-darwin = darwin;
  x86_64-apple-darwin = darwin;
  aarch64-unknown-linux-musl = linux;
  x86_64-unknown-linux-gnu = linux;
}
