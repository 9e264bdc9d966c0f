{
  musl = {
    env.FLAG = "1";
    target.x86_64-unknown-linux-musl.rustflags = [ "-Cone" ];
  };
  gnu = {
    env.FLAG = "1";
  };
  none = { };
}
