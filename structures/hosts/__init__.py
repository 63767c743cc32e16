"""One file per host material."""
