{ nodeEnv }:
{
  x64 = nodeEnv.zigTarget "x86_64-unknown-linux-gnu";
  arm64 = nodeEnv.zigTarget "aarch64-unknown-linux-gnu";
  musl = (builtins.tryEval (nodeEnv.zigTarget "x86_64-unknown-linux-musl")).success;
}
