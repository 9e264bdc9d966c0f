# The paths of the Debian programs that the offline nixpkgs links to.
{
  bash = "/bin/bash";
  bin = "/usr/bin";
}
