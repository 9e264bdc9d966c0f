{
  aarch64-apple-darwin = {
    floors.macos-arm64 = "11.0";
    hardening = {
      stack-protector = true;
      fortify = true;
    };
  };
  aarch64-unknown-linux-gnu = {
    floors.glibc = "2.28";
    hardening = {
      stack-protector = true;
      fortify = true;
    };
  };
  x86_64-unknown-linux-musl = {
    floors = { };
    hardening = {
      stack-protector = true;
      fortify = false;
    };
  };
}
