"""Finished VASP folders as they really are: what was run, what came out and whether it may be used."""
