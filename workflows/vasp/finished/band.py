"""Read a finished band: images with or without vasprun.xml, ends with whatever was kept of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from ....analysis.results.checks import Check, invalid_because
from ...evaluation.guards import guard
from .document import BandPoint, VaspBand, VaspRun
from .files import decompressed_text, run_files
from .oszicar import read_oszicar
from .reader import read_files, read_poscar, read_run

# A structure that was copied from a CONTCAR differs by its printed digits only.
SAME_STRUCTURE_A = 0.01
# No ion of a solid hops over more: such a barrier is the difference of two kinds of calculation.
LARGEST_BARRIER_eV = 8.0
MOVED_A = 1e-4
# How a patched build is asked to move a band.
VTST_TAGS = ("LCLIMB", "ICHAIN", "IOPT", "LTANGENTOLD", "LDNEB")


@dataclass
class _Image:
    point: BandPoint
    start: Structure | None
    work: int | None


def image_folders(folder: str | Path) -> list[Path]:
    """Folders 00, 01, ... of a band in order; empty if the folder holds no band.

    Parameters
    ----------
    folder
        That may be a band: it needs 00 and 01 at least.
    """
    place = Path(folder)
    if not place.is_dir():
        return []
    paths = sorted(p for p in place.iterdir() if p.is_dir() and re.fullmatch(r"\d{2}", p.name))
    return paths if [p.name for p in paths][:2] == ["00", "01"] else []


def read_image(folder: str | Path, number: int) -> VaspRun:
    """One moving image of a band as a run, with or without a vasprun.xml of its own.

    Parameters
    ----------
    folder
        Of the band.
    number
        Of the image; 0 is the first end.

    Raises
    ------
    FileNotFoundError
        If the image's folder holds neither vasprun.xml nor OUTCAR.
    """
    place = Path(folder)
    return read_files(place / f"{number:02d}", {**_shared(place), **run_files(place / f"{number:02d}")})


def _shared(place: Path) -> dict[str, Path]:
    """Inputs of a band, which lie above its images."""
    return {kind: path for kind, path in run_files(place).items() if kind in ("INCAR", "KPOINTS", "POTCAR")}


def read_band(folder: str | Path, ends: Sequence[str | Path] | None = None) -> VaspBand:
    """Read a finished band of images.

    Parameters
    ----------
    folder
        With the images' folders 00, 01, ...; files gzipped or not.
    ends
        Folders of the two relaxed ends, for bands whose first and last folder hold a POSCAR only. Without it, runs
        below and beside `folder` whose last structure is that of the end are taken.

    Returns
    -------
    VaspBand
        With a barrier only if every energy is known, all of them compare and no image failed a guard; the reasons are
        in its checks.

    Raises
    ------
    FileNotFoundError
        If the folder holds no images, or an end that was given does not exist.
    ValueError
        If not two ends are given.
    """
    place = Path(folder)
    folders = image_folders(place)
    if len(folders) < 3:
        raise FileNotFoundError(f"{place} holds no band: it needs folders 00, 01, ... with two ends and an image")
    if ends is not None and len(ends) != 2:
        raise ValueError(f"{len(ends)} ends are given; a band has two")
    shared = _shared(place)
    images = [_read_image(one, shared) for one in folders]
    notes: list[str] = []
    for position, given in ((0, ends[0] if ends else None), (len(images) - 1, ends[1] if ends else None)):
        _complete_end(images[position], place, given, notes)
    points = [image.point for image in images]
    checks = [
        _contiguous(folders),
        *_own_verdicts(points),
        _patched(points, place),
        _moved(images),
        _comparable(points),
        _same_mesh(images),
    ]
    return _finish(place, points, checks, notes)


def _read_image(folder: Path, shared: dict[str, Path]) -> _Image:
    """One folder; INCAR, KPOINTS and POTCAR of a band lie above its images."""
    files = run_files(folder)
    start = read_poscar(files["POSCAR"]) if "POSCAR" in files else None
    kept = read_poscar(files["CONTCAR"]) if "CONTCAR" in files else None
    oszicar = read_oszicar(decompressed_text(files["OSZICAR"])) if "OSZICAR" in files else None
    run = read_files(folder, {**shared, **files}) if {"vasprun.xml", "OUTCAR"} & set(files) else None
    energy, source = None, ""
    if run is not None and run.energy_eV is not None:
        energy = run.energy_eV
        source = "vasprun.xml" if "vasprun.xml" in run.files and run.stress_kB is not None else "OUTCAR"
    elif oszicar is not None and oszicar.sigma0_eV:
        energy, source = oszicar.sigma0_eV[-1], "OSZICAR"
    structure = (run.structure if run is not None else None) or kept or start
    point = BandPoint(name=folder.name, structure=structure, energy_eV=energy, source=source, run=run)
    return _Image(point, start, oszicar.bands_times_kpoints if oszicar is not None else None)


def _complete_end(image: _Image, place: Path, given: str | Path | None, notes: list[str]) -> None:
    """Energy of an end from its own relaxation, where its folder in the band holds none."""
    point = image.point
    if given is None and point.energy_eV is not None:
        return
    candidates = [Path(given)] if given is not None else _runs_near(place)
    for folder in candidates:
        run = read_run(folder)
        if run.energy_eV is None or not run.usable or not same_structure(run.structure, point.structure):
            continue
        point.run, point.energy_eV, point.source = run, run.energy_eV, folder.name
        notes.append(f"end {point.name} is the run in {folder.name}: its last structure is the same")
        return
    if given is not None:
        notes.append(f"{Path(given).name} is not used for end {point.name}: it is unusable or of another structure")


def _runs_near(place: Path) -> list[Path]:
    """Folders of runs below a band, then beside it, that are no images."""
    around = [p for p in (*sorted(place.iterdir()), *sorted(place.resolve().parent.iterdir())) if p.is_dir()]
    return [
        p
        for p in around
        if not re.fullmatch(r"\d{2}", p.name)
        and p.resolve() != place.resolve()
        and {"vasprun.xml", "OUTCAR"} & set(run_files(p))
        # What lies above the images of another band is none of its ends.
        and not any(re.fullmatch(r"\d{2}", q.name) for q in p.iterdir() if q.is_dir())
    ]


def same_structure(one: Structure | None, other: Structure | None) -> bool:
    """Whether two cells are one up to the order of like atoms: tools write the ends of a band in another order."""
    if one is None or other is None or one.composition != other.composition:
        return False
    if not np.allclose(one.lattice.matrix, other.lattice.matrix, atol=SAME_STRUCTURE_A):
        return False
    distances = one.lattice.get_all_distances(one.frac_coords, other.frac_coords)
    nearest = np.argmin(distances, axis=1)
    if len(set(nearest.tolist())) != len(one):
        return False
    alike = [one[i].specie == other[int(k)].specie for i, k in enumerate(nearest)]
    return all(alike) and float(distances.min(axis=1).max()) < SAME_STRUCTURE_A


def _largest_move(one: Structure, other: Structure) -> float:
    away = one.frac_coords - other.frac_coords
    return float(np.linalg.norm((away - np.rint(away)) @ one.lattice.matrix, axis=1).max())


def _contiguous(folders: Sequence[Path]) -> Check:
    names = [p.name for p in folders]
    wanted = [f"{k:02d}" for k in range(len(names))]
    return guard("images of the band", names == wanted, f"the folders are {names} and not {wanted}")


def _own_verdicts(points: Sequence[BandPoint]) -> list[Check]:
    checks: list[Check] = []
    for point in points:
        if point.run is not None:
            checks += [
                c.model_copy(update={"name": f"{c.name} (image {point.name})"})
                for c in point.run.checks
                if c.passed is not None
            ]
    return checks


def _patched(points: Sequence[BandPoint], place: Path) -> Check:
    """Whether a band that was to be moved by VTST was run by a build that has it."""
    name = "VTST found"
    vtst = next((p.run.vtst for p in points[1:-1] if p.run is not None and p.run.vtst), None)
    outcars = [p for p in points[1:-1] if p.run is not None and "OUTCAR" in p.run.files]
    asked = _asked_for_vtst(points, place)
    if vtst is not None or not asked:
        return Check(name=name, passed=True if vtst else None, note="" if vtst else "the band does not ask for it")
    if not outcars:
        return Check(name=name, passed=None, note="no image has an OUTCAR, which would name the patch")
    return guard(name, False, f"the INCAR asks for it ({', '.join(asked)}) and no OUTCAR names it: nothing was moved")


def _asked_for_vtst(points: Sequence[BandPoint], place: Path) -> list[str]:
    from .reader import read_sources

    files = run_files(place)
    settings: dict[str, Any] = {}
    if "INCAR" in files:
        settings |= read_sources({"INCAR": files["INCAR"]}).incar_file
    for point in points[1:-1]:
        settings |= {} if point.run is None else point.run.incar
    asked = [tag for tag in VTST_TAGS if settings.get(tag)]
    if int(settings.get("NSW") or 0) > 0 and settings.get("IBRION") == 3 and float(settings.get("POTIM", 0.5)) == 0.0:
        asked.append("IBRION = 3 with POTIM = 0")
    return asked


def _moved(images: Sequence[_Image]) -> Check:
    """Whether images that ran several steps are not where they started."""
    name = "images moved"
    judged = [
        _largest_move(image.point.run.structure, image.start)
        for image in images[1:-1]
        if image.point.run is not None
        and image.point.run.ionic_steps > 1
        and image.point.run.structure is not None
        and image.start is not None
        and image.start.species == image.point.run.structure.species
    ]
    if not judged:
        return Check(name=name, passed=None, note="no image ran more than one step from a POSCAR that is there")
    largest = max(judged)
    note = "after several steps every image is where it started: the optimiser does not move (no VTST, or POTIM = 0)"
    return guard(name, largest > MOVED_A, note, largest, MOVED_A, "A")


def _settings_of(run: VaspRun) -> dict[str, Any]:
    cutoff = run.parameters.get("ENMAX", run.parameters.get("ENCUT", run.incar.get("ENCUT")))
    return {
        "k-point mesh": run.kpoint_mesh,
        "cut-off": None if cutoff is None else float(cutoff),
        "functional": run.functional,
        "U": [(b.element, b.U_eV) for b in run.hubbard],
        "electrons": run.electrons,
        "PAW data sets": [p.titel for p in run.paw],
    }


def _comparable(points: Sequence[BandPoint]) -> Check:
    """Whether all images that say how they were computed were computed alike."""
    name = "images computed alike"
    read = [(p.name, _settings_of(p.run)) for p in points if p.run is not None]
    if len(read) < 2:
        return Check(name=name, passed=None, note="fewer than two images say how they were computed")
    differ = []
    for key in read[0][1]:
        values = [(n, s[key]) for n, s in read if s[key] is not None]
        odd = [n for n, v in values if v != values[0][1]] if values else []
        if odd:
            differ.append(f"{key} of {', '.join(odd)} is not that of {values[0][0]} ({values[0][1]})")
    return guard(name, not differ, "; ".join(differ))


def _same_mesh(images: Sequence[_Image]) -> Check:
    """Whether ends of which only OSZICAR was kept can have been computed on the images' k points.

    The first line of a loop counts bands times k points. A mesh of M points has at most M irreducible ones, and at
    least M over the 48 operations of a cubic point group and time reversal.
    """
    name = "k points of ends and images"
    known = next(
        (i for i in images[1:-1] if i.work and i.point.run is not None and i.point.run.kpoints),
        None,
    )
    bare = [i for i in (images[0], images[-1]) if i.point.run is None and i.work]
    if known is None or not bare or known.point.run is None or known.work is None:
        return Check(name=name, passed=None, note="no end is known from its OSZICAR alone")
    mesh, points = known.point.run.kpoint_mesh, known.point.run.kpoints
    if mesh is None or not points:
        return Check(name=name, passed=None, note="the images' mesh is not known")
    most = int(np.prod(mesh))
    works = [float(i.work or 0) * points / known.work for i in bare]
    wrong = [f for f in works if f > most + 0.5 or f < most / 96 - 0.5]
    note = (
        f"the ends' OSZICAR tells of about {max(works, key=abs):.3g} k points, a mesh {mesh} has at most {most}: "
        "ends and images are on different meshes and their energies do not compare"
    )
    return guard(name, not wrong, note)


def _finish(place: Path, points: list[BandPoint], checks: list[Check], notes: list[str]) -> VaspBand:
    energies = [p.energy_eV for p in points]
    known = [e for e in energies if e is not None]
    missing = [p.name for p in points if p.energy_eV is None]
    checks.append(guard("energies of the band", not missing, f"image {', '.join(missing)} has no energy"))
    barrier = reaction = None
    if not missing:
        barrier, reaction = max(known) - known[0], known[-1] - known[0]
        note = f"a barrier of {barrier:.2f} eV is no hop: ends and images are two kinds of calculation"
        plausible = barrier <= LARGEST_BARRIER_eV and abs(reaction) <= LARGEST_BARRIER_eV
        checks.append(guard("size of the barrier", plausible, note, barrier, LARGEST_BARRIER_eV, "eV"))
    # A number that rests on a failed check is none; the energies of the images stay readable.
    if invalid_because(checks):
        barrier = reaction = None
    alike = ("images computed alike", "k points of ends and images", "size of the barrier")
    compare = not any(c.passed is False and c.name in alike for c in checks)
    vtst = next((p.run.vtst for p in points if p.run is not None and p.run.vtst), None)
    span = max(known) - min(known) if len(known) > 1 and compare else None
    return VaspBand(
        folder=str(place),
        points=points,
        barrier_eV=barrier,
        reaction_eV=reaction,
        span_eV=span,
        vtst=vtst,
        checks=checks,
        notes=notes,
    )
