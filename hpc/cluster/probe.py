"""Looks on a worker for an engine's code and its data: `python -m magnetoionics.hpc.cluster.probe ENGINE ELEMENT...`.

Prints one line of JSON: a list of [problem, cure].
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
from pathlib import Path

Problem = tuple[str, str]


def vasp_problems(elements: list[str]) -> list[Problem]:
    """Commands of VASP as atomate2 reads them here, and the POTCARs of some elements."""
    package = __name__.split(".")[0]
    if importlib.util.find_spec("atomate2") is None:
        return [("atomate2 is not installed", f"{sys.executable} -m pip install '{package}[vasp]'")]
    from atomate2 import SETTINGS

    out = []
    for variable in ("VASP_CMD", "VASP_NCL_CMD"):
        command = str(getattr(SETTINGS, variable))
        if missing := missing_programs(command):
            out.append(
                (
                    f"{variable} is {command!r}, and {missing} is not found",
                    f"load VASP's module in pre_run or exec_config, or set {variable} in ~/.atomate2.yaml "
                    f"(or ATOMATE2_{variable} in exec_config)",
                )
            )
    return [*out, *vtst_problems(str(SETTINGS.VASP_CMD)), *potcar_problems(elements)]


def vtst_problems(command: str) -> list[Problem]:
    """Whether the program of a command lacks the VTST patch, without which bands do not move.

    A build prints its own "VTST: version", so that the words are in the file; of a script that starts another program
    nothing is said.
    """
    words = shlex.split(os.path.expandvars(command))
    paths = [shutil.which(w) for w in words if "vasp" in Path(w).name.lower() and not w.startswith("-")]
    program = next((Path(p) for p in reversed(paths) if p), None)
    if program is None or not _lacks_vtst(program):
        return []
    return [
        (
            f"{program.name} of VASP_CMD is built without VTST: bands stay where they are put",
            "build VASP with the VTST code (theory.cm.utexas.edu/vtsttools), or name such a build as the engine's "
            "command for bands (commands: {band: ...})",
        )
    ]


def _lacks_vtst(program: Path) -> bool:
    """Whether a binary, and no script, holds no word of VTST."""
    words, overlap = b"VTST: version", 64
    with program.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return False
        before = b""
        while part := stream.read(1 << 24):
            if words in before + part:
                return False
            before = part[-overlap:]
    return True


def missing_programs(command: str) -> str:
    """Programs of a command that are not on the path: what starts it, and the word that names VASP; empty if none."""
    words = shlex.split(os.path.expandvars(command))
    if not words:
        return "an empty command"
    named = [w for w in words[1:] if "vasp" in Path(w).name.lower() and not w.startswith("-")]
    return ", ".join(w for w in dict.fromkeys([words[0], *named]) if shutil.which(w) is None)


def potcar_problems(elements: list[str]) -> list[Problem]:
    """Missing POTCARs of the data sets that the engine uses."""
    from pymatgen.core import SETTINGS
    from pymatgen.io.vasp import PotcarSingle

    from ...workflows.vasp.potcars import POTCAR_FUNCTIONAL, recommended

    cure = "pmg config -p SOURCE TARGET, then pmg config --add PMG_VASP_PSP_DIR TARGET"
    folder = SETTINGS.get("PMG_VASP_PSP_DIR")
    if not folder:
        return [("PMG_VASP_PSP_DIR is not set, so that no POTCAR can be found", cure)]
    if not Path(str(folder)).expanduser().is_dir():
        return [(f"PMG_VASP_PSP_DIR names {folder}, which is not there", cure)]
    parts = SETTINGS.get("PMG_VASP_PSP_SUB_DIRS", {})
    place = Path(str(folder)).expanduser() / parts.get(
        POTCAR_FUNCTIONAL, PotcarSingle.functional_dir[POTCAR_FUNCTIONAL]
    )
    wanted = [recommended()[e] for e in elements if e in recommended()]
    missing = [s for s in wanted if not any(_exists(p) for p in (place / f"POTCAR.{s}", place / s / "POTCAR"))]
    if not missing:
        return []
    return [(f"no POTCAR of {', '.join(missing)} in {place}", f"put release 54 for PBE there: {cure}")]


def _exists(path: Path) -> bool:
    return any(path.with_name(path.name + tail).is_file() for tail in ("", ".gz", ".bz2", ".xz", ".Z"))


def gpaw_problems(elements: list[str]) -> list[Problem]:
    """GPAW itself and its PAW setups."""
    package = __name__.split(".")[0]
    if importlib.util.find_spec("gpaw") is None:
        return [("GPAW is not installed", f"{sys.executable} -m pip install '{package}[gpaw]'")]
    from gpaw import setup_paths

    missing = [e for e in elements if not any(_exists(Path(str(p)) / f"{e}.PBE") for p in setup_paths)]
    if not missing:
        return []
    cure = f"{sys.executable} -m pip install gpaw-data, or set GPAW_SETUP_PATH in exec_config"
    return [(f"no PAW setup of {', '.join(missing)} for PBE", cure)]


PROBES = {"vasp": vasp_problems, "gpaw": gpaw_problems}


if __name__ == "__main__":
    print(json.dumps(PROBES[sys.argv[1]](sys.argv[2:])))
