"""vasprun.xml read element by element, as far as it goes: truncated and overwritten files keep what came before."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np
from numpy.typing import NDArray

from .files import open_bytes, read_bytes
from .numbers import integer, reals

Floats = NDArray[np.float64]
_NO_XML = bytes(b for b in range(32) if b not in (9, 10, 13))


@dataclass
class ElectronicStep:
    """Energies of one electronic step; `parts` tells whether it lists the parts of the energy."""

    free_eV: float | None
    sigma0_eV: float | None
    parts: bool


@dataclass
class IonicStep:
    """One ``<calculation>``; `finished` once its end was read."""

    loop: list[ElectronicStep] = field(default_factory=list)
    lattice: Floats | None = None
    positions: Floats | None = None
    forces: Floats | None = None
    stress: Floats | None = None
    free_eV: float | None = None
    sigma0_eV: float | None = None
    finished: bool = False

    @property
    def ground_state(self) -> list[ElectronicStep]:
        """Steps of the self-consistency loop, without those of linear response behind it.

        The last step of a loop lists the parts of the energy, as the very first does; those behind it do not.
        """
        ends = [k for k, step in enumerate(self.loop) if step.parts]
        return self.loop[: ends[-1] + 1] if self.ended else self.loop

    @property
    def ended(self) -> bool:
        """Whether the loop came to its end."""
        ends = [k for k, step in enumerate(self.loop) if step.parts]
        return bool(ends) and (ends[-1] > 0 or self.finished)


@dataclass
class Vasprun:
    """What was read; every field may be missing in a file that was cut off."""

    version: str | None = None
    complete: bool = False
    why_not: str = ""
    incar: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    # (element, count, valence electrons, TITEL) of each block of species.
    blocks: list[tuple[str, int, float | None, str]] = field(default_factory=list)
    mesh: list[int] | None = None
    points: Floats | None = None
    weights: Floats | None = None
    initial: IonicStep | None = None
    steps: list[IonicStep] = field(default_factory=list)
    # Eigenvalues and occupations of the last step, shape (n_spins, n_kpoints, n_bands, 2).
    levels: Floats | None = None
    fermi_eV: float | None = None
    born: Floats | None = None
    epsilon: dict[str, Floats] = field(default_factory=dict)


def read_vasprun(path: Path) -> Vasprun:
    """Read a vasprun.xml, gzipped or not.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    Vasprun
        With ``complete`` False and the reason in ``why_not`` if the file ends early or is malformed.
    """
    with open_bytes(path) as stream:
        vasprun = _Reader().read(stream)
    if not vasprun.complete and vasprun.why_not:
        # Some builds print control characters into a field: without them the file may be whole.
        data = read_bytes(path)
        clean = data.translate(None, _NO_XML)
        if len(clean) < len(data):
            vasprun = _Reader().read(BytesIO(clean))
    return vasprun


class _Reader:
    """Walks through the events of the parser; only the elements that are needed stay in memory."""

    def __init__(self) -> None:
        self.out = Vasprun()
        self.stack: list[Element] = []
        self.step: IonicStep | None = None

    def read(self, stream: IO[bytes]) -> Vasprun:
        try:
            for event, element in iterparse(stream, events=("start", "end")):
                if event == "start":
                    self.stack.append(element)
                    if element.tag == "calculation":
                        self.step = IonicStep()
                else:
                    self.stack.pop()
                    self._end(element)
        except (ParseError, EOFError, OSError, UnicodeDecodeError) as error:
            self.out.why_not = f"vasprun.xml ends early or is malformed: {error}"
        if self.step is not None and self.step.loop:
            self.out.steps.append(self.step)
        return self.out

    def _end(self, element: Element) -> None:
        handler = _HANDLERS.get(element.tag)
        if handler is not None:
            handler(self, element)

    @property
    def parent(self) -> str:
        return str(self.stack[-1].tag) if self.stack else ""

    def modeling(self, _element: Element) -> None:
        self.out.complete = True

    def generator(self, element: Element) -> None:
        for i in element.iter("i"):
            if i.get("name") == "version":
                self.out.version = (i.text or "").split()[0] if (i.text or "").split() else None

    def incar(self, element: Element) -> None:
        self.out.incar = tags(element)

    def parameter_list(self, element: Element) -> None:
        self.out.parameters = tags(element)
        element.clear()

    def kpoints(self, element: Element) -> None:
        # Linear response and KPOINTS_OPT repeat the block: the first is the run's own mesh.
        if self.out.points is None and self.parent == "modeling":
            divisions = element.find("generation/v[@name='divisions']")
            mesh = [int(x) for x in reals(divisions.text or "")] if divisions is not None else None
            self.out.mesh = mesh if mesh and min(mesh) > 0 else None
            self.out.points = array_rows(element.find("varray[@name='kpointlist']"))
            self.out.weights = array_rows(element.find("varray[@name='weights']"))

    def atominfo(self, element: Element) -> None:
        for row in element.findall("array[@name='atomtypes']/set/rc"):
            count, symbol, _mass, valence, titel = [(c.text or "").strip() for c in row.findall("c")][:5]
            electrons = reals(valence)
            self.out.blocks.append((symbol, integer(count) or 0, electrons[0] if electrons else None, titel))

    def structure(self, element: Element) -> None:
        lattice = array_rows(element.find("crystal/varray[@name='basis']"))
        positions = array_rows(element.find("varray[@name='positions']"))
        if self.step is not None:
            self.step.lattice, self.step.positions = lattice, positions
        elif element.get("name") == "initialpos":
            self.out.initial = IonicStep(lattice=lattice, positions=positions)

    def scstep(self, element: Element) -> None:
        if self.step is not None:
            energies = {i.get("name"): reals(i.text or "") for i in element.findall("energy/i")}
            self.step.loop.append(
                ElectronicStep(
                    free_eV=first(energies.get("e_fr_energy")),
                    sigma0_eV=first(energies.get("e_0_energy")),
                    parts="alphaZ" in energies,
                )
            )
        element.clear()

    def energy(self, element: Element) -> None:
        if self.parent == "calculation" and self.step is not None:
            energies = {i.get("name"): reals(i.text or "") for i in element.findall("i")}
            self.step.free_eV = first(energies.get("e_fr_energy"))
            self.step.sigma0_eV = first(energies.get("e_0_energy"))

    def varray(self, element: Element) -> None:
        if self.parent != "calculation" or self.step is None:
            return
        name = element.get("name") or ""
        if name == "forces":
            self.step.forces = array_rows(element)
        elif name == "stress":
            self.step.stress = array_rows(element)
        elif name.startswith("epsilon"):
            rows = array_rows(element)
            if rows is not None:
                self.out.epsilon[name] = rows

    def array(self, element: Element) -> None:
        if element.get("name") == "born_charges" and self.parent == "calculation":
            tensors = [array_rows(one) for one in element.findall("set")]
            if tensors and all(t is not None and t.shape == (3, 3) for t in tensors):
                self.out.born = np.array(tensors, dtype=float)

    def eigenvalues(self, element: Element) -> None:
        if self.parent == "calculation":
            self.out.levels = levels_of(element)
        element.clear()

    def dos(self, element: Element) -> None:
        if self.parent == "calculation":
            for i in element.findall("i"):
                if i.get("name") == "efermi":
                    self.out.fermi_eV = first(reals(i.text or ""))
        element.clear()

    def forget(self, element: Element) -> None:
        element.clear()

    def calculation(self, element: Element) -> None:
        if self.step is not None:
            self.step.finished = True
            self.out.steps.append(self.step)
        self.step = None
        element.clear()


_HANDLERS = {
    "modeling": _Reader.modeling,
    "generator": _Reader.generator,
    "incar": _Reader.incar,
    "parameters": _Reader.parameter_list,
    "kpoints": _Reader.kpoints,
    "atominfo": _Reader.atominfo,
    "structure": _Reader.structure,
    "scstep": _Reader.scstep,
    "energy": _Reader.energy,
    "varray": _Reader.varray,
    "array": _Reader.array,
    "eigenvalues": _Reader.eigenvalues,
    "dos": _Reader.dos,
    "projected": _Reader.forget,
    "eigenvalues_kpoints_opt": _Reader.forget,
    "calculation": _Reader.calculation,
}


def first(values: list[float] | None) -> float | None:
    """First of a list of numbers; None for none or one that is not finite."""
    return values[0] if values and np.isfinite(values[0]) else None


def tags(element: Element) -> dict[str, Any]:
    """All ``<i>`` and ``<v>`` below an element by name, as Python values.

    Of a name that comes twice the first counts: "response functions" repeats NELM and others with values of its own.
    """
    out: dict[str, Any] = {}
    for entry in element.iter():
        name = entry.get("name")
        if entry.tag in ("i", "v") and name is not None and name not in out:
            value = tag_value(entry.text or "", entry.get("type"), vector=entry.tag == "v")
            if value is not None:
                out[name] = value
    return out


def tag_value(text: str, kind: str | None, *, vector: bool) -> Any:
    """Python value of one tag; None for stars, which stand for no number."""
    words = text.split()
    if kind == "string":
        return words if vector else text.strip()
    if kind == "logical":
        flags = [w.strip(".").upper().startswith("T") for w in words]
        return flags if vector else bool(flags and flags[0])
    if kind == "int":
        whole = [integer(w) for w in words]
        return whole if vector else (whole[0] if whole else None)
    numbers = reals(text)
    return numbers if vector else first(numbers)


def array_rows(element: Element | None) -> Floats | None:
    """Rows of ``<v>`` or ``<r>`` as an array; None if there are none or they differ in length."""
    if element is None:
        return None
    rows = [reals(row.text or "") for row in element if row.tag in ("v", "r")]
    if not rows or len({len(r) for r in rows}) != 1:
        return None
    return np.array(rows, dtype=float)


def levels_of(element: Element) -> Floats | None:
    """Eigenvalues and occupations, shape (n_spins, n_kpoints, n_bands, 2); None if they are incomplete."""
    spins = element.findall("array/set/set")
    if not spins:
        return None
    levels = [[array_rows(point) for point in spin.findall("set")] for spin in spins]
    shapes = {None if point is None else point.shape for spin in levels for point in spin}
    if len(shapes) != 1 or None in shapes or len({len(spin) for spin in levels}) != 1:
        return None
    return np.array(levels, dtype=float)[..., :2]
