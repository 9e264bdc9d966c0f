# Where Debian keeps the programs that the stand-in borrows.
{
  bash = "/bin/bash";
  bin = "/usr/bin";
}
