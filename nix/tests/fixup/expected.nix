let
  linux = [
    "--only-keep-debug"
    "--strip-all"
    "--add-gnu-debuglink"
    "sed -i"
    "grep -a"
  ];
  darwin = [
    ".dSYM\""
    "--strip-debug"
    "sed -i"
    "grep -a"
  ];
in
{
  aarch64-apple-darwin = darwin;
  x86_64-apple-darwin = darwin;
  aarch64-unknown-linux-musl = linux;
  x86_64-unknown-linux-gnu = linux;
}
