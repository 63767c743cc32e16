"""A run that was cut off (walltime, kill, crash) goes on from its last step when it is started again in its folder.

VASP writes CONTCAR after every ionic step. A second start of the same job finds the files of the first one, moves
all of them into ``cut-1`` (then ``cut-2``, ...), so that no stale output can pass for this run's own, and starts from
the last positions that can be read. What the optimiser knew of the past is lost, what it reached is not.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from monty.json import jsanitize
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar

from .order import back_in_order
from .outcar import file_of, run_text

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator

RECORD = "start-of-run.json"
CUT = "cut-"
_VASP_FILE = re.compile(
    r"(INCAR|KPOINTS|POSCAR|POTCAR|CONTCAR|OUTCAR|OSZICAR|XDATCAR|WAVECAR|CHG|AECCAR|EIGENVAL|DOSCAR|IBZKPT|PCDAT|"
    r"REPORT|PROCAR|LOCPOT|STOPCAR|WAVEDER|OCCMATRIX|vasprun\.xml|vaspout\.h5|vasp\.out|std_err\.txt|custodian\.json|"
    r"continue\.json|error\.\d+\.tar\.gz|\d\d$)"
)
# Two ions nearer than this are a file that was cut in a number.
_CLOSEST_A = 0.7
_STEP = re.compile(r"^\s*\d+ F=", re.MULTILINE)


def go_on(structures: Sequence[Structure], planned: VaspInputGenerator) -> list[Structure]:
    """What a run in the current folder starts from, and clear the folder of an earlier run.

    Parameters
    ----------
    structures
        One structure, or all images of a band with both ends; in VASP's order.
    planned
        Inputs of the run; only a run that moves ions goes on.

    Returns
    -------
    list of Structure
        Those given, with the last positions (and cell) of an earlier run of the same inputs where there are any.
    """
    here = Path.cwd()
    digest = _digest(structures, planned)
    moves = int(planned.user_incar_settings.get("NSW", 0)) > 0
    same = _recorded(here) == digest
    starts = list(structures)
    if moves and same and len(structures) == 1:
        starts = [_last_of(here, structures[0])]
    elif moves and same:
        inner = [_last_of(here / f"{k:02d}", image) for k, image in enumerate(structures[1:-1], start=1)]
        starts = [structures[0], *inner, structures[-1]]
    _set_aside(here)
    (here / RECORD).write_text(json.dumps({"inputs": digest}) + "\n", encoding="utf-8")
    return starts


def earlier_steps(folder: str) -> int:
    """Ionic steps of the runs that were cut off before the one whose folder this is; those of one image of a band."""
    place = Path(str(folder).split(":", 1)[-1])
    total = 0
    for cut in sorted(place.glob(f"{CUT}*")):
        try:
            total += len(_STEP.findall(run_text(cut if not (cut / "01").is_dir() else cut / "01", "OSZICAR")))
        except FileNotFoundError:
            continue
    return total


def _digest(structures: Sequence[Structure], planned: VaspInputGenerator) -> str:
    content: dict[str, Any] = {
        "structures": [s.as_dict() for s in structures],
        "incar": planned.user_incar_settings,
        "kpoints": planned.user_kpoints_settings,
    }
    text = json.dumps(jsanitize(content, strict=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _recorded(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / RECORD).read_bytes())["inputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _last_of(folder: Path, like: Structure) -> Structure:
    """The last whole positions of a run: of CONTCAR, or what it started from if it was cut off before a step."""
    for name in ("CONTCAR", "POSCAR"):
        try:
            structure = Poscar.from_file(file_of(folder, name), check_for_potcar=False).structure
            out, _ = back_in_order(structure, range(len(like)), like)
        except Exception:  # a file cut anywhere breaks the parser anywhere
            continue
        if _sound(out):
            return out
    return like


def _sound(structure: Structure) -> bool:
    if not np.isfinite(structure.frac_coords).all() or not np.isfinite(structure.lattice.matrix).all():
        return False
    distances = structure.distance_matrix + 10.0 * np.eye(len(structure))
    return bool(distances.min() > _CLOSEST_A)


def _set_aside(folder: Path) -> None:
    """Move the files of an earlier run away, and nothing else: a scheduler's and jobflow-remote's files stay."""
    old = [p for p in folder.iterdir() if _VASP_FILE.match(p.name)]
    if not old:
        return
    number = 1 + sum(1 for _ in folder.glob(f"{CUT}*"))
    target = folder / f"{CUT}{number}"
    target.mkdir()
    for path in old:
        shutil.move(path, target / path.name)
