"""Jobs and engines on top of an ASE calculator."""
