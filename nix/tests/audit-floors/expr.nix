{ nodeEnv }:
{
  glibc = nodeEnv.auditFloors "aarch64-unknown-linux-gnu";
  musl = nodeEnv.auditFloors "x86_64-unknown-linux-musl";
  macos = nodeEnv.auditFloors "aarch64-apple-darwin";
}
