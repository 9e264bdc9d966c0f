{ lib, nodeEnv }: lib.mapAttrs (triple: _: nodeEnv.platformName triple) nodeEnv.targets
