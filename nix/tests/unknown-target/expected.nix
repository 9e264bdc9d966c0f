{
  message = "nodeEnv: no target sparc64-unknown-linux-gnu in targets.json. It has aarch64-apple-darwin, aarch64-unknown-linux-gnu, aarch64-unknown-linux-musl, x86_64-apple-darwin, x86_64-pc-windows-msvc, x86_64-unknown-linux-gnu, x86_64-unknown-linux-musl.";
  stops = true;
  windows = "mkNode: x86_64-pc-windows-msvc is built on windows, and mkNode was given package sets of aarch64-darwin, aarch64-linux, x86_64-linux.";
  windowsStops = true;
  duplicateStops = true;
  emptyStops = true;
}
