{
  gnu = {
    aarch64-apple-darwin = "native";
    aarch64-pc-windows-msvc = "native";
    aarch64-unknown-linux-gnu = "native";
    aarch64-unknown-linux-musl = "aarch64-multiplatform-musl";
    x86_64-apple-darwin = "native";
    x86_64-pc-windows-msvc = "native";
    x86_64-unknown-linux-gnu = "native";
    x86_64-unknown-linux-musl = "musl64";
  };
  muslOnMusl = "native";
}
