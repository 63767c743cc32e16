"""Read a finished VASP folder into one document: vasprun.xml first, OUTCAR for the rest or where it stands alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar

from .document import PawDataSet, RunKind, VaspRun
from .electrons import cell_charge_e, edges_of_levels, functional_of, hubbard_of
from .files import decompressed_text, run_files
from .judge import judge_run
from .numbers import finite
from .oszicar import Oszicar, read_oszicar
from .outcar_text import Outcar, element_of, read_outcar
from .vasprun_xml import IonicStep, Vasprun, read_vasprun

Floats = NDArray[np.float64]
SAME_ENERGY_eV = 1e-4
# Printed by OUTCAR with their first letters only.
CUT_WORDS = ("GGA", "METAGGA")


@dataclass
class Sources:
    """What the files of one folder hold, each read by itself."""

    files: dict[str, Path] = field(default_factory=dict)
    xml: Vasprun | None = None
    outcar: Outcar | None = None
    oszicar: Oszicar | None = None
    incar_file: dict[str, Any] = field(default_factory=dict)
    mesh_file: list[int] | None = None
    contcar: Structure | None = None
    potcar_md5: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    # How OUTCAR contradicts vasprun.xml; then its values are left out.
    contradictions: list[str] = field(default_factory=list)

    @property
    def tables(self) -> Outcar | None:
        """OUTCAR where it is of the same run as vasprun.xml."""
        return None if self.contradictions else self.outcar

    @property
    def xml_leads(self) -> bool:
        """Whether energies and structures come from vasprun.xml: it is whole, or no whole OUTCAR stands beside it."""
        if self.xml is None or not (self.xml.steps or self.xml.blocks):
            return False
        return self.xml.complete or self.outcar is None or not self.outcar.finished


def read_run(path: str | Path) -> VaspRun:
    """Read one finished VASP run.

    Parameters
    ----------
    path
        Its folder, files gzipped or not, or a single file of it (``vasprun.xml`` or ``OUTCAR``).

    Returns
    -------
    VaspRun
        Everything that the files hold, in VASP's order of sites, with the verdict in `checks`. A file that is cut
        off, malformed or missing makes a failed check, not an error.

    Raises
    ------
    FileNotFoundError
        If the path does not exist, or the folder holds neither vasprun.xml nor OUTCAR.
    ValueError
        If a single file is given that is none of a run.
    """
    place = Path(path)
    return read_files(place, run_files(place))


def read_files(place: Path, files: dict[str, Path]) -> VaspRun:
    """Read one run from given files; errors as `read_run`.

    Parameters
    ----------
    place
        What the run is called by.
    files
        By kind, see `files.run_files`; INCAR and KPOINTS of a band lie above its images.
    """
    if not {"vasprun.xml", "OUTCAR"} & set(files):
        raise FileNotFoundError(
            f"{place} holds neither vasprun.xml nor OUTCAR (gzipped or not): give the folder in which VASP ran"
        )
    sources = read_sources(files)
    run = run_document(place, sources)
    return run.model_copy(update={"checks": judge_run(run, sources)})


def read_sources(files: dict[str, Path]) -> Sources:
    """Every file by itself; what cannot be read is a note."""
    out = Sources(files=dict(files))
    if "vasprun.xml" in files:
        out.xml = read_vasprun(files["vasprun.xml"])
        if out.xml.why_not:
            out.notes.append(out.xml.why_not)
    if "OUTCAR" in files:
        out.outcar = read_outcar(decompressed_text(files["OUTCAR"]))
    if "OSZICAR" in files:
        out.oszicar = read_oszicar(decompressed_text(files["OSZICAR"]))
    if "INCAR" in files:
        out.incar_file = _incar(files["INCAR"], out.notes)
    if "KPOINTS" in files:
        out.mesh_file = _mesh(files["KPOINTS"])
    if "CONTCAR" in files:
        out.contcar = read_poscar(files["CONTCAR"])
    if "POTCAR" in files:
        out.potcar_md5 = _potcar_hashes(files["POTCAR"], out.notes)
    if out.xml is not None and out.outcar is not None:
        out.contradictions = contradictions(out.xml, out.outcar)
    return out


def _incar(path: Path, notes: list[str]) -> dict[str, Any]:
    try:
        return dict(Incar.from_str(decompressed_text(path)))
    except Exception as error:  # pymatgen raises many kinds on an INCAR that VASP reads
        notes.append(f"INCAR could not be read: {error}")
        return {}


def _mesh(path: Path) -> list[int] | None:
    try:
        points = Kpoints.from_str(decompressed_text(path))
        mesh = [int(n) for n in points.kpts[0]]
    except Exception:  # an odd KPOINTS is no reason to lose the run
        return None
    return mesh if points.num_kpts == 0 and len(mesh) == 3 and min(mesh) > 0 else None


def read_poscar(path: Path) -> Structure | None:
    """Structure of a POSCAR or CONTCAR; None for an empty or broken file."""
    try:
        return Poscar.from_str(decompressed_text(path)).structure
    except Exception:  # a run that was killed leaves an empty CONTCAR
        return None


def _potcar_hashes(path: Path, notes: list[str]) -> dict[str, str]:
    """Header hash by TITEL, from the group's own POTCAR; its text goes nowhere."""
    from pymatgen.io.vasp import Potcar

    try:
        return {one.TITEL: one.md5_header_hash for one in Potcar.from_str(decompressed_text(path))}
    except Exception as error:  # e.g. only the titles were kept
        notes.append(f"POTCAR could not be read: {type(error).__name__}")
        return {}


def contradictions(xml: Vasprun, outcar: Outcar) -> list[str]:
    """Where OUTCAR and vasprun.xml of one folder cannot be of one run."""
    words = []
    one, other = xml.parameters.get("NELECT"), outcar.numbers.get("NELECT")
    if one is not None and other is not None and abs(one - other) > 1e-3:
        words.append(f"NELECT is {one:g} in vasprun.xml and {other:g} in OUTCAR")
    ions = sum(count for _, count, _, _ in xml.blocks), outcar.numbers.get("NIONS")
    if ions[0] and ions[1] is not None and ions[0] != ions[1]:
        words.append(f"{ions[0]} ions in vasprun.xml and {ions[1]} in OUTCAR")
    spins = xml.parameters.get("ISPIN"), outcar.numbers.get("ISPIN")
    if None not in spins and spins[0] != spins[1]:
        words.append(f"ISPIN is {spins[0]} in vasprun.xml and {spins[1]} in OUTCAR")
    if xml.complete and outcar.finished and xml.steps and outcar.free_eV is not None:
        free = xml.steps[-1].free_eV
        if free is not None and abs(free - outcar.free_eV) > SAME_ENERGY_eV:
            words.append(f"the free energy is {free:.6f} eV in vasprun.xml and {outcar.free_eV:.6f} eV in OUTCAR")
    return words


def run_document(place: Path, sources: Sources) -> VaspRun:
    """The document without its checks."""
    xml, outcar, tables = sources.xml or Vasprun(), sources.outcar or Outcar(), sources.tables or Outcar()
    incar = {**sources.incar_file, **_echoed(outcar), **xml.incar}
    parameters = xml.parameters or {k: v for k, v in outcar.numbers.items() if k not in CUT_WORDS}
    blocks = _blocks(sources)
    values: dict[str, Any] = {
        "folder": str(place),
        "files": {kind: path.name for kind, path in sources.files.items()},
        "version": xml.version or outcar.version,
        "vtst": tables.vtst,
        "kind": kind_of_run({**outcar.numbers, **incar, **parameters}, tables),
        "incar": incar,
        "parameters": parameters,
        "paw": blocks,
        "formula": " ".join(f"{b.element}{b.count}" for b in blocks),
        "functional": functional_of(incar, {**outcar.numbers, **parameters}, blocks[0].titel if blocks else ""),
        "hubbard": hubbard_of([b.element for b in blocks], incar, parameters, outcar.hubbard),
        "electrons": parameters.get("NELECT", outcar.numbers.get("NELECT")),
        "kpoint_mesh": xml.mesh or tables.mesh or sources.mesh_file,
        "kpoints": len(xml.points) if xml.points is not None else tables.kpoints,
        "noncollinear": bool(parameters.get("LNONCOLLINEAR", outcar.numbers.get("LNONCOLLINEAR", False))),
        "spin_orbit": bool(parameters.get("LSORBIT", outcar.numbers.get("LSORBIT", False))),
        "notes": [*sources.notes],
    }
    if sources.contradictions:
        values["notes"].append("OUTCAR is left out: it is of another run than vasprun.xml")
    values["charge_e"] = cell_charge_e(blocks, values["electrons"])
    values |= _results(sources, blocks)
    values |= _spins(values, sources, tables)
    values |= _response(xml, tables)
    edges = edges_of_levels(xml.levels if xml.levels is not None else tables.levels)
    values |= {"fermi_eV": xml.fermi_eV if xml.fermi_eV is not None else tables.fermi_eV, **edges}
    return VaspRun(**values)


def _echoed(outcar: Outcar) -> dict[str, Any]:
    if not outcar.incar:
        return {}
    try:
        return dict(Incar.from_str("\n".join(f"{k} = {v}" for k, v in outcar.incar.items())))
    except Exception:  # as for the file
        return {}


def _blocks(sources: Sources) -> list[PawDataSet]:
    xml, outcar = sources.xml or Vasprun(), sources.outcar or Outcar()
    digests = {titel: digest for _, _, _, titel, digest in outcar.blocks}
    blocks = xml.blocks or [(element, count, valence, titel) for element, count, valence, titel, _ in outcar.blocks]
    return [
        PawDataSet(
            # vasprun.xml cuts a symbol to two letters and pads it; an "r" or "X" stands for what it does not know.
            element=element_of(titel) or element,
            count=count,
            valence=valence,
            titel=titel,
            potcar_md5=sources.potcar_md5.get(titel),
            header_sha256=digests.get(titel),
        )
        for element, count, valence, titel in blocks
    ]


def kind_of_run(settings: dict[str, Any], outcar: Outcar) -> RunKind:
    """What a run was, from NSW, IBRION, LEPSILON and IMAGES."""
    steps, motion = int(settings.get("NSW") or 0), int(settings.get("IBRION", -1 if not settings.get("NSW") else 0))
    if int(settings.get("IMAGES") or outcar.numbers.get("IMAGES") or 0) > 0 and steps > 0:
        return "band image"
    if motion in (5, 6, 7, 8) or settings.get("LEPSILON"):
        return "linear response"
    # One step relaxes nothing: its energy is that of the structure it was given.
    if steps <= 1 or motion == -1:
        return "static"
    return "molecular dynamics" if motion == 0 else "relaxation"


def _results(sources: Sources, blocks: list[PawDataSet]) -> dict[str, Any]:
    """Energies, structures and forces from the leading file."""
    xml, outcar = sources.xml or Vasprun(), sources.outcar or Outcar()
    symbols = [b.element for b in blocks for _ in range(b.count)]
    if sources.xml_leads:
        done = [step for step in xml.steps if step.finished]
        out: dict[str, Any] = {
            "ionic_steps": len(done),
            "electronic_steps": [len(step.ground_state) for step in done],
            "initial_structure": structure_of(symbols, xml.initial.lattice, xml.initial.positions)
            if xml.initial is not None
            else None,
        }
        if done:
            last = done[-1]
            out |= {
                "structure": structure_of(symbols, last.lattice, last.positions),
                "energy_eV": extrapolated_energy_eV(last),
                "free_energy_eV": last.free_eV,
                "forces_eV_per_A": finite_lists(last.forces),
                "stress_kB": finite_lists(last.stress),
            }
            loop = [s.free_eV for s in last.ground_state if s.free_eV is not None]
            out["last_change_eV"] = abs(loop[-1] - loop[-2]) if len(loop) > 1 else None
            out["response_steps"] = len(last.loop) - len(last.ground_state)
        return out
    return {
        "ionic_steps": outcar.ionic_steps,
        "electronic_steps": outcar.loop_lengths,
        "last_change_eV": outcar.last_change_eV,
        "energy_eV": outcar.sigma0_eV,
        "free_energy_eV": outcar.free_eV,
        "structure": structure_of(symbols, outcar.lattice, outcar.positions, cartesian=True),
        "forces_eV_per_A": finite_lists(outcar.forces),
    }


def extrapolated_energy_eV(step: IonicStep) -> float | None:
    """Energy with the smearing extrapolated to zero.

    Up to 5.4.4 ``e_0_energy`` behind an ionic step holds the entropy part alone, so the difference is taken from the
    last step of the ground-state loop.
    """
    if step.free_eV is None:
        # Stars in place of a number: the energy overflowed, and what stands beside it is none.
        return None
    loop = step.ground_state
    if not loop or loop[-1].free_eV is None or loop[-1].sigma0_eV is None:
        return step.sigma0_eV if step.sigma0_eV is not None else step.free_eV
    return float(np.round(step.free_eV + loop[-1].sigma0_eV - loop[-1].free_eV, 8))


def finite_lists(values: Floats | None) -> Any:
    """Nested lists of finite numbers; None otherwise."""
    return values.tolist() if values is not None and finite(values) else None


def structure_of(
    symbols: list[str], lattice: Floats | None, positions: Floats | None, *, cartesian: bool = False
) -> Structure | None:
    """A structure, if all of it is there."""
    if lattice is None or positions is None or not finite(lattice) or not finite(positions):
        return None
    if lattice.shape != (3, 3) or positions.shape != (len(symbols), 3) or not symbols:
        return None
    if not all(Element.is_valid_symbol(symbol) for symbol in symbols):
        return None
    return Structure(Lattice(lattice), symbols, positions, coords_are_cartesian=cartesian)


def _spins(values: dict[str, Any], sources: Sources, tables: Outcar) -> dict[str, Any]:
    parameters, ions = values["parameters"], sum(b.count for b in values["paw"])
    saxis = parameters.get("SAXIS") or [0.0, 0.0, 1.0]
    matrix = tables.saxis_matrix if tables.saxis_matrix is not None else np.eye(3)
    if tables.saxis_matrix is not None:
        saxis = [round(float(x), 7) for x in tables.saxis_matrix[:, 2]]
    out: dict[str, Any] = {"saxis": [float(x) for x in saxis]}
    start = parameters.get("MAGMOM") or values["incar"].get("MAGMOM")
    if start is not None:
        out["start_moments_muB"] = magmom_by_site(start, ions, noncollinear=values["noncollinear"])
    total = tables.total_moment
    if total is None and sources.oszicar is not None and not sources.contradictions:
        total = sources.oszicar.moment_muB
    if values["noncollinear"]:
        vectors = _vectors(tables.moments)
        if vectors is not None:
            out["site_moment_vectors_muB"] = (vectors @ matrix.T).tolist()
        # VASP prints orbital moments on Cartesian axes, whatever SAXIS is.
        orbital = _vectors(tables.orbital)
        out["orbital_moments_muB"] = orbital.tolist() if orbital is not None else None
        if total is not None and len(total) == 3:
            out["total_moment_vector_muB"] = (matrix @ np.array(total)).tolist()
    else:
        if "x" in tables.moments:
            out["site_moments_muB"] = tables.moments["x"].tolist()
        out["total_moment_muB"] = total[0] if total else None
    return out


def _vectors(table: dict[str, Floats]) -> Floats | None:
    if set(table) != set("xyz") or len({len(v) for v in table.values()}) != 1:
        return None
    return np.stack([table[axis] for axis in "xyz"], axis=1)


def magmom_by_site(values: Any, ions: int, *, noncollinear: bool) -> list[float] | list[list[float]] | None:
    """MAGMOM as one number or one vector a site; None if the count does not fit."""
    flat = np.array([getattr(v, "moment", v) for v in np.atleast_1d(np.asarray(values, dtype=object))], dtype=object)
    try:
        numbers = np.array(np.concatenate([np.ravel(v) for v in flat]), dtype=float)
    except (TypeError, ValueError):
        return None
    if noncollinear:
        return numbers.reshape(-1, 3).tolist() if numbers.size == 3 * ions else None
    return numbers.tolist() if numbers.size == ions else None


def _response(xml: Vasprun, tables: Outcar) -> dict[str, Any]:
    electronic = tables.dielectric
    if electronic is None:
        electronic = next((xml.epsilon[n] for n in ("epsilon_scf", "epsilon", "epsilon_rpa") if n in xml.epsilon), None)
    ionic = tables.dielectric_ionic if tables.dielectric_ionic is not None else xml.epsilon.get("epsilon_ion")
    return {
        "dipole_ion_e_A": finite_lists(tables.dipole_ion),
        "dipole_electrons_e_A": finite_lists(tables.dipole_electrons),
        "born_charges_e": finite_lists(xml.born if xml.born is not None else tables.born),
        "dielectric_electronic": finite_lists(electronic),
        "dielectric_ionic": finite_lists(ionic),
        "electron_potentials_eV": finite_lists(tables.potentials),
    }
