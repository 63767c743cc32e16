"""Table of public VASP runs: what the reader makes of every file against what the file's right.json says.

    python benchmarks/vasp_real.py [FOLDER] [--all]

FOLDER holds cases, each with a ``right.json`` (default: ``../shared/real/vasp/collection`` beside the checkout).
Prints one line for each case, every difference, and ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from magnetoionics.workflows.vasp.finished.band import image_folders, read_band
from magnetoionics.workflows.vasp.finished.document import VaspRun
from magnetoionics.workflows.vasp.finished.files import decompressed_text, file_kind
from magnetoionics.workflows.vasp.finished.judge import same_tag
from magnetoionics.workflows.vasp.finished.oszicar import read_oszicar
from magnetoionics.workflows.vasp.finished.outcar_text import read_outcar
from magnetoionics.workflows.vasp.finished.reader import read_run

# Values of a right.json that describe the file's oddities or another program's answer, not the run.
NOT_OF_THE_RUN = {
    "converged",
    "converged_electronic",
    "converged_ionic",
    "e_0_energy_as_written_behind_the_ionic_step_eV",
    "pymatgen",
    "pymatgen_without_eigenvalues",
    "pymatgen_fails",
    "note_frames",
    "note_dipole",
    "site_moments_muB_tables_in_file",
    "orbital_moments_muB_tables_in_file",
    "dipole_lines_in_file",
    "zval_dict",
    "p_sp1",
    "p_sp2",
}
# pymatgen's names of functionals that this package tells apart.
SAME_FUNCTIONAL = {"GGA": {"PBE"}, "HSE06": {"HSE06", "HSEsol"}, "revPBE": {"RPBE", "revPBE"}}


@dataclass
class Case:
    """One folder with a right.json: how many values were compared, and what differs."""

    folder: Path
    compared: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)

    def hold(self, what: str, found: Any, right: Any, tolerance: float = 1e-6) -> None:
        """Compare one value; numbers to a tolerance, everything else as it is."""
        self.compared += 1
        if not same(found, right, tolerance):
            self.wrong.append(f"{what}: {_short(found)} instead of {_short(right)}")


def same(found: Any, right: Any, tolerance: float) -> bool:
    """Whether two values agree: numbers and nested lists of them to a tolerance."""
    if right is None or found is None or isinstance(right, str | bool):
        return bool(found == right)
    try:
        a, b = np.asarray(found, dtype=float), np.asarray(right, dtype=float)
    except (TypeError, ValueError):
        return bool(found == right)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0, atol=tolerance))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 120 else text[:117] + "..."


def cases(root: Path) -> list[Path]:
    """Folders below `root` that hold a right.json."""
    return sorted(p.parent for p in root.rglob("right.json"))


def judge_case(folder: Path) -> Case:
    """Every value of a right.json against what the reader says."""
    case, right = Case(folder), json.loads((folder / "right.json").read_text(encoding="utf-8"))
    for name, entry in right["files"].items():
        expected, path = entry.get("right"), folder / name
        if expected is None or not path.is_file():
            continue
        kind = file_kind(path.name)
        if kind == "vasprun.xml":
            _vasprun(case, name, path, expected)
        elif kind == "OUTCAR":
            _outcar(case, name, path, expected)
        elif kind == "OSZICAR":
            _oszicar(case, name, path, expected)
        else:
            case.wrong.append(f"{name}: no reader for this kind of file")
    for place in {(folder / name).parent for name in right["files"]}:
        _folder(case, folder, place, right)
    if "band" in right:
        _band(case, folder, right["band"])
    return case


def _keys(case: Case, right: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in right.items():
        if key in NOT_OF_THE_RUN:
            case.skipped.add(key)
        else:
            yield key, value


def _vasprun(case: Case, name: str, path: Path, right: Mapping[str, Any]) -> None:
    run = read_run(path)
    response = run.response_steps > 0
    known: dict[str, Any] = {
        "file_complete": _passed(run, "finished"),
        "species_blocks": [
            {"count": b.count, "element": b.element, "valence": b.valence, "paw": b.titel} for b in run.paw
        ],
        "ions": sum(b.count for b in run.paw),
        "ionic_steps": run.ionic_steps,
        "energy_eV": run.energy_eV,
        "free_energy_eV": run.free_energy_eV,
        "max_force_eV_per_A": run.max_force_eV_per_A,
        "kpoints": run.kpoints,
        # A list of points is no mesh.
        "mesh": [run.kpoint_mesh] if len(right.get("mesh", [[]])) == 1 else right["mesh"],
        "charge_e": run.charge_e,
        "U_eV_per_block": [[b.element, b.U_eV] for b in run.hubbard],
        "gap_cbm_vbm_direct": [run.gap_eV, run.cbm_eV, run.vbm_eV, run.gap_direct],
    }
    for key, value in _keys(case, right):
        what = f"{name} {key}"
        if key in known:
            case.hold(what, known[key], value, 1e-4 if key.startswith("gap") else 1e-6)
        elif key == "vasp_version":
            case.hold(what, str(run.version).startswith(value), True)
        elif key == "formula":
            case.hold(what, sorted(_blocks(run)), sorted(value.split()))
        elif key == "electronic_steps":
            steps = [*run.electronic_steps]
            steps[-1] += run.response_steps
            case.hold(what, steps, value)
        elif key == "last_scf_change_eV":
            # Behind a linear response the file's last step is none of the ground state.
            case.hold(what, value if response else run.last_change_eV, value, 1.1e-8)
        elif key == "run_type_pymatgen":
            # pymatgen says nothing of another share of exact exchange, and names dispersion in its own way.
            base, found = value.split("+")[0], str(run.functional).split(" with ")[0].split("+")[0].removesuffix("-vdW")
            case.hold(what, found in SAME_FUNCTIONAL.get(base, {base}), True)
            case.hold(f"{what} U", bool(run.hubbard), value.endswith("+U"))
        elif key == "verdict":
            _verdict(case, what, run, value)
        elif key in ("incar", "parameters"):
            found = run.incar if key == "incar" else run.parameters
            for tag, asked in value.items():
                case.hold(f"{what} {tag}", tag in found and same_tag(_spins(run, tag, found[tag]), asked), True)
        else:
            case.wrong.append(f"{what}: nothing of the document answers to it")


def _blocks(run: VaspRun) -> list[str]:
    counts: dict[str, int] = {}
    for block in run.paw:
        counts[block.element] = counts.get(block.element, 0) + block.count
    return [f"{element}{count}" for element, count in counts.items()]


def _spins(run: VaspRun, tag: str, found: Any) -> Any:
    return run.start_moments_muB if tag == "MAGMOM" and run.start_moments_muB is not None else found


def _passed(run: VaspRun, name: str) -> bool | None:
    return next((c.passed for c in run.checks if c.name == name), None)


def _verdict(case: Case, what: str, run: VaspRun, right: Mapping[str, Any]) -> None:
    found = {
        "finished": _passed(run, "finished"),
        "last_loop_converged": _passed(run, "electronic convergence"),
        "ions_converged": _passed(run, "ions converged"),
        "usable": run.usable,
    }
    for key, value in right.items():
        if key == "last_loop_converged" and value is None:
            continue
        case.hold(f"{what} {key}", found[key], value)


def _outcar(case: Case, name: str, path: Path, right: Mapping[str, Any]) -> None:
    text = decompressed_text(path)
    raw, run = read_outcar(text), read_run(path)
    # pymatgen reads from the end, but to the very head where there is no moment or no timing: then its numbers are
    # those of the first step.
    to_head = not raw.finished or raw.total_moment is None
    frame = np.eye(3) if raw.saxis_matrix is None else raw.saxis_matrix
    known: dict[str, Any] = {
        "finished": raw.finished,
        "EDIFF_reached": sum("EDIFF is reached" in end for end in raw.loop_ends),
        "ionic_steps": raw.ionic_steps,
        "required_accuracy_reached": raw.reached_accuracy,
        "vtst": run.vtst,
        "saxis": run.saxis,
        "saxis_to_cartesian": frame,
        "free_energy_eV": run.free_energy_eV,
        # A killed run has no energy; right.json keeps what its last electronic step printed.
        "energy_sigma0_eV": run.energy_eV if raw.ionic_steps else raw.electronic_sigma0_eV,
        "site_moments_cartesian_muB": run.site_moment_vectors_muB,
        "born": run.born_charges_e,
        "dielectric_tensor": run.dielectric_electronic,
        "dielectric_ionic_tensor": run.dielectric_ionic,
        "dipole_e_A": run.dipole_e_A,
    }
    for key, value in _keys(case, right):
        what = f"{name} {key}"
        if key in known:
            loose = {"site_moments_cartesian_muB": 1e-3, "saxis": 1e-5, "born": 6e-5}
            case.hold(what, known[key], value, loose.get(key, 1e-6))
        elif key == "vasp_version":
            case.hold(what, str(run.version).startswith(value), True)
        elif key in ("LDAUL", "LDAUU", "LDAUJ"):
            field_of = {"LDAUL": "shell", "LDAUU": "U_eV", "LDAUJ": "J_eV"}[key]
            case.hold(what, [getattr(b, field_of) for b in run.hubbard], [float(x) for x in value.split()], 0.051)
        elif key in ("ISPIN", "NELECT", "NIONS", "NSW", "IMAGES"):
            case.hold(what, raw.numbers.get(key), float(value))
        elif key in ("LNONCOLLINEAR", "LSORBIT"):
            found = run.noncollinear if key == "LNONCOLLINEAR" else run.spin_orbit
            case.hold(what, found, value.upper().startswith("T"))
        elif key == "site_moments_muB":
            vectors = np.asarray(run.site_moment_vectors_muB, dtype=float) @ frame if run.noncollinear else None
            case.hold(what, vectors if run.noncollinear else run.site_moments_muB, value, 1e-5)
        elif key == "orbital_moments_muB":
            case.hold(what, run.orbital_moments_muB, value, 1e-5)
        elif key == "total_moment_pymatgen_muB":
            # pymatgen takes the first of three components in the frame of SAXIS.
            vector = run.total_moment_vector_muB
            total = run.total_moment_muB if vector is None else float((np.asarray(vector) @ frame)[0])
            if to_head and vector is None:
                total = _first(r"number of electron\s+\S+\s+magnetization\s+(\S+)", text)
            case.hold(what, total, value)
        elif key == "efermi_pymatgen_eV":
            case.hold(what, _first(r"E-fermi\s*:\s*(\S+)", text) if to_head else run.fermi_eV, value)
        elif key == "nelect_pymatgen":
            # Counted on the grid, which is not NELECT to the last digits.
            counted = _first(r"number of electron\s+(\S+)\s+magnetization", text)
            case.hold(what, counted if to_head else run.electrons, value, 2e-3)
        elif key == "site_potentials_V":
            _potentials(case, what, run, value)
        elif key in ("p_ion", "p_elec"):
            found = run.dipole_ion_e_A if key == "p_ion" else run.dipole_electrons_e_A
            # pymatgen keeps the printed sign, in which electrons count as positive.
            case.hold(what, None if found is None else [-x for x in found], value)
        else:
            case.wrong.append(f"{what}: nothing of the document answers to it")


def _first(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    return float(found.group(1)) if found else None


def _potentials(case: Case, what: str, run: VaspRun, right: Mapping[str, Any]) -> None:
    values = run.electron_potentials_eV or []
    case.hold(f"{what} count", len(values), right["count"])
    case.hold(f"{what} first", values[: len(right["first"])], right["first"])
    case.hold(f"{what} last", values[-1] if values else None, right["last"])
    case.hold(f"{what} mean", float(np.mean(values)) if values else None, right["mean"])


def _oszicar(case: Case, name: str, path: Path, right: Mapping[str, Any]) -> None:
    found = read_oszicar(decompressed_text(path))
    case.hold(f"{name} ionic_steps", len(found.sigma0_eV), right["ionic_steps"])
    case.hold(f"{name} last_E0_eV", found.sigma0_eV[-1] if found.sigma0_eV else None, right["last_E0_eV"], 1e-5)
    moment = right["last_mag"]
    last = found.moment_muB[-1] if found.moment_muB else None
    case.hold(f"{name} last_mag", last, None if moment is None else float(moment), 1e-4)


def _folder(case: Case, root: Path, place: Path, right: Mapping[str, Any]) -> None:
    """A whole folder gets the verdict of its vasprun.xml."""
    inside = [n for n in right["files"] if (root / n).parent == place and file_kind(Path(n).name) == "vasprun.xml"]
    verdicts = [right["files"][n].get("right", {}).get("verdict") for n in inside]
    if len(verdicts) == 1 and verdicts[0] is not None and not image_folders(place):
        run = read_run(place)
        case.hold(f"{place.relative_to(root)}/ usable", run.usable, verdicts[0]["usable"])
        energy = right["files"][inside[0]]["right"].get("energy_eV")
        if energy is not None:
            case.hold(f"{place.relative_to(root)}/ energy", run.energy_eV, energy)


def _band(case: Case, folder: Path, right: Mapping[str, Any]) -> None:
    band = read_band(folder)
    energies = {p.name: p.energy_eV for p in band.points}
    for name, one in right["images"].items():
        case.hold(f"band image {name}", energies.get(name), one["energy_eV"], 1e-5)
    case.hold("band vtst", band.vtst, right.get("vtst"))
    expected = right.get("barrier_from_first_end_eV")
    case.hold("band barrier", band.barrier_eV, expected, 2e-5)
    case.hold("band reaction", band.reaction_eV, right.get("reaction_eV"), 2e-5)
    if expected is None:
        case.hold("band refused", bool(band.reasons), True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    beside = Path(__file__).resolve().parents[2] / "shared" / "real"
    default = Path(os.environ.get("MAGNETOIONICS_REAL") or beside) / "vasp" / "collection"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--all", action="store_true", help="show right cases, too")
    options = parser.parse_args(argv)
    found = cases(options.folder)
    if not found:
        sys.stderr.write(f"{options.folder} holds no case with a right.json\n")
        return 2
    wrong = compared = 0
    for folder in found:
        try:
            case = judge_case(folder)
        except Exception as error:  # a table shows every case, also one that the reader breaks on
            case = Case(folder, wrong=[f"{type(error).__name__}: {error}"])
        compared += case.compared
        wrong += bool(case.wrong)
        if case.wrong or options.all:
            verdict = f"{len(case.wrong)} wrong" if case.wrong else "right"
            print(f"{folder.relative_to(options.folder)!s:72} {case.compared:5d} values  {verdict}")
            for line in case.wrong:
                print(f"    {line}")
    print(f"{len(found) - wrong} of {len(found)} cases right, {compared} values compared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
