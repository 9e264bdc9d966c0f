# A target of musl has one as well, so that "zig" in targets.json is all that makes it zig's.
{ nodeEnv }:
{
  x64 = nodeEnv.zigTarget "x86_64-unknown-linux-gnu";
  arm64 = nodeEnv.zigTarget "aarch64-unknown-linux-gnu";
  musl = nodeEnv.zigTarget "x86_64-unknown-linux-musl";
  darwin = nodeEnv.zigTarget "aarch64-apple-darwin";
  windows = (builtins.tryEval (nodeEnv.zigTarget "x86_64-pc-windows-msvc")).success;
}
