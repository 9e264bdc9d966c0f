{
  aarch64-darwin = [
    "node-bindings-darwin-arm64"
    "node-bindings-darwin-x64"
    "node-bindings-fast"
    "node-bindings-js"
    "node-c-darwin-arm64"
    "node-c-darwin-x64"
  ];
  x86_64-linux = [
    "node-bindings-fast"
    "node-bindings-js"
    "node-bindings-linux-arm64-gnu"
    "node-bindings-linux-arm64-musl"
    "node-bindings-linux-x64-gnu"
    "node-bindings-linux-x64-musl"
    "node-c-linux-arm64-gnu"
    "node-c-linux-arm64-musl"
    "node-c-linux-x64-gnu"
    "node-c-linux-x64-musl"
  ];
}
