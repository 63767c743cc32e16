"""A stand-in for the VASP executable: reads the inputs of the current folder, refuses inconsistent ones, computes
with rigid ions and a ligand field, and writes the outputs that pymatgen and atomate2 parse.

Faults for the tests of the guards are asked for in the environment variable ``VASP_EMULATOR_FAULT``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from emulator_inputs import InputError, read_inputs
from emulator_run import run


def main() -> int:
    try:
        inputs = read_inputs(Path.cwd())
    except InputError as error:
        sys.stdout.write(f" EMULATOR: refused: {error}\n")
        sys.stderr.write(f"refused: {error}\n")
        return 1
    run(inputs, Path.cwd())
    return 0


if __name__ == "__main__":
    sys.exit(main())
