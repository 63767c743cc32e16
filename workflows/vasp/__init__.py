"""VASP through atomate2: settings, input sets, jobs, guards. Nothing here imports atomate2 when it is loaded."""
