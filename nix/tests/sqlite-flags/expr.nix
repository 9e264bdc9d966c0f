{ nodeEnv }:
let
  config.env.LIBSQLITE3_FLAGS = "-DFROM_THE_FILE";
in
{
  linux = nodeEnv.sqliteEnvironment "x86_64-unknown-linux-gnu" config;
  darwin = nodeEnv.sqliteEnvironment "aarch64-apple-darwin" config;
}
