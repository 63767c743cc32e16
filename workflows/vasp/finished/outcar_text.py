"""OUTCAR read for what vasprun.xml does not hold, and for the whole run where there is no vasprun.xml."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element

from .numbers import integer, reals
from .outcar_levels import levels_in

Floats = NDArray[np.float64]

IONIC = "FREE ENERGIE OF THE ION-ELECTRON SYSTEM"
END = "General timing and accounting informations for this job"
REACHED = "reached required accuracy - stopping structural energy minimisation"
STOPPED = ("soft stop encountered", "hard stop encountered")
_LOOP = re.compile(r"^-+ *(aborting loop.*?) *-*$", re.MULTILINE)
_ROW = re.compile(r"^\s*\d+\s+[-+\d.*]")


@dataclass
class Outcar:
    """What was read; every field may be missing in a file that was cut off or trimmed."""

    version: str | None = None
    vtst: str | None = None
    finished: bool = False
    reached_accuracy: bool = False
    stopped: str = ""
    # The words with which each electronic loop ended.
    loop_ends: list[str] = field(default_factory=list)
    ionic_steps: int = 0
    incar: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    # (element, count, valence electrons, TITEL, hash of the header) by block.
    blocks: list[tuple[str, int, float | None, str, str]] = field(default_factory=list)
    hubbard: dict[str, list[float]] = field(default_factory=dict)
    lattice: Floats | None = None
    positions: Floats | None = None
    forces: Floats | None = None
    free_eV: float | None = None
    sigma0_eV: float | None = None
    # Of the last electronic step: no energy of anything, but all that a killed run has.
    electronic_sigma0_eV: float | None = None
    loop_lengths: list[int] = field(default_factory=list)
    last_change_eV: float | None = None
    total_moment: list[float] | None = None
    fermi_eV: float | None = None
    saxis_matrix: Floats | None = None
    moments: dict[str, Floats] = field(default_factory=dict)
    orbital: dict[str, Floats] = field(default_factory=dict)
    potentials: Floats | None = None
    dipole_ion: Floats | None = None
    dipole_electrons: Floats | None = None
    born: Floats | None = None
    dielectric: Floats | None = None
    levels: Floats | None = None
    dielectric_ionic: Floats | None = None
    mesh: list[int] | None = None
    kpoints: int | None = None


def read_outcar(text: str) -> Outcar:
    """Everything of an OUTCAR that this package uses.

    Parameters
    ----------
    text
        Of the file, whole, cut off or trimmed to its head and tail.
    """
    out = Outcar(
        finished=END in text,
        reached_accuracy=REACHED in text,
        stopped=next((words for words in STOPPED if words in text), ""),
        loop_ends=_LOOP.findall(text),
        ionic_steps=text.count(IONIC),
    )
    if match := re.search(r"^ *vasp\.(\S+)", text, re.MULTILINE):
        out.version = match.group(1)
    if match := re.search(r"VTST: version.*", text):
        out.vtst = match.group(0).strip()
    _head(text, out)
    _energies(text, out)
    _geometry(text, out)
    _magnetism(text, out)
    _response(text, out)
    out.potentials = potentials_of(text)
    out.levels = levels_in(text)
    return out


def lines_from(text: str, at: int) -> Iterator[str]:
    """Lines of a text from a place on, without copying the rest of it."""
    while 0 <= at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield text[at:end]
        at = end + 1


def _rows_from(text: str, at: int, skip: int, count: int) -> list[list[float]]:
    return [reals(line) for line in islice(lines_from(text, at), skip, skip + count)]


def _head(text: str, out: Outcar) -> None:
    out.incar = _echoed_incar(text)
    for name, pattern in _SETTINGS.items():
        if match := re.search(rf"^\s*{pattern}\s*=\s*(\S+)", text, re.MULTILINE):
            out.numbers[name] = _plain(match.group(1))
    if match := re.search(r"number of ions\s+NIONS\s*=\s*(\d+)", text):
        out.numbers["NIONS"] = int(match.group(1))
    if match := re.search(r"NELECT\s*=\s*([\d.]+)", text):
        out.numbers["NELECT"] = float(match.group(1))
    if match := re.search(r"^ generate k-points for:(.*)$", text, re.MULTILINE):
        mesh = [int(x) for x in reals(match.group(1))]
        out.mesh = mesh if len(mesh) == 3 and min(mesh) > 0 else None
    if match := re.search(r"k-points\s+NKPTS\s*=\s*(\d+)", text):
        out.kpoints = int(match.group(1))
    for key in ("LDAUL", "LDAUU", "LDAUJ"):
        if match := re.search(rf"for each species {key}\s*=(.*)$", text, re.MULTILINE):
            out.hubbard[key] = reals(match.group(1))
    out.blocks = _blocks(text)


_SETTINGS = {
    "ISPIN": "ISPIN",
    "LNONCOLLINEAR": "LNONCOLLINEAR",
    "LSORBIT": "LSORBIT",
    "NSW": "NSW",
    "IBRION": "IBRION",
    "ISIF": "ISIF",
    "NELM": "NELM",
    "EDIFF": "EDIFF",
    "EDIFFG": "EDIFFG",
    "ENCUT": "ENCUT",
    "ISMEAR": "ISMEAR",
    "ISYM": "ISYM",
    "ICHARG": "ICHARG",
    "LEPSILON": "LEPSILON",
    "LHFCALC": "LHFCALC",
    "HFSCREEN": "HFSCREEN",
    "AEXX": "AEXX",
    "GGA": "GGA",
    "METAGGA": "METAGGA",
    "LASPH": "LASPH",
    "IMAGES": r"(?:OPT: \w+, )?IMAGES",
}


def _plain(word: str) -> Any:
    word = word.rstrip(";,")
    if word in ("T", "F"):
        return word == "T"
    if (whole := integer(word)) is not None:
        return whole
    try:
        return float(word.replace("D", "E"))
    except ValueError:
        return word


def _echoed_incar(text: str) -> dict[str, str]:
    """INCAR as VASP 6 repeats it at the head."""
    start = text.find("\n INCAR:")
    if start < 0:
        return {}
    out: dict[str, str] = {}
    for line in islice(lines_from(text, start + 1), 1, None):
        if "=" not in line or "POTCAR" in line:
            break
        key, value = line.split("=", 1)
        out[key.strip().upper()] = value.strip()
    return out


def _blocks(text: str) -> list[tuple[str, int, float | None, str, str]]:
    """PAW data sets with their counts, in POSCAR order."""
    found = re.search(r"ions per type\s*=(.*)$", text, re.MULTILINE)
    counts = [int(x) for x in reals(found.group(1))] if found else []
    headers = []
    for match in re.finditer(r"TITEL\s*=\s*(.*?)\s*$", text, re.MULTILINE):
        # The header stands around its title: from VRHFIN to the end of its list of radii.
        head = text.rfind("VRHFIN", 0, match.start())
        end = text.find("Atomic configuration", match.end())
        end = end if 0 <= end - match.end() < 6000 else match.end() + 1500
        lines = text[max(head, match.start() - 1500) : end]
        valence = re.search(r"ZVAL\s*=\s*([\d.]+)", lines)
        electrons = float(valence.group(1)) if valence else None
        headers.append((match.group(1), electrons, _header_hash(match.group(1), lines)))
    if len(counts) < len(headers):
        counts = counts + [0] * (len(headers) - len(counts))
    return [
        (element_of(titel), count, electrons, titel, digest)
        for (titel, electrons, digest), count in zip(headers, counts, strict=False)
    ]


def _header_hash(titel: str, lines: str) -> str:
    """Hash of the numbers of a PAW header, the same whatever the version's column widths."""
    keys = ("EATOM", "POMASS", "ZVAL", "RCORE", "RWIGS", "ENMAX", "ENMIN", "EAUG", "RMAX", "RAUG", "RDEP")
    words = [titel]
    for key in keys:
        match = re.search(rf"\b{key}\s*=\s*([-\d.]+)", lines)
        words.append(f"{key}={float(match.group(1)):.6g}" if match else key)
    return hashlib.sha256("|".join(words).encode()).hexdigest()


def element_of(titel: str) -> str:
    """Element of a PAW data set: ``"PAW_PBE Fe_pv 06Sep2000"`` is of Fe; empty where no word of it is one."""
    names = (re.split(r"[_.\d]", word)[0] for word in titel.split())
    return next((name for name in names if Element.is_valid_symbol(name)), "")


def _energies(text: str, out: Outcar) -> None:
    # The lines of an ionic step have two blanks where those of the electronic steps have one.
    out.free_eV = _last(re.findall(r"free  energy   TOTEN\s*=\s*([-+\d.*Ee]+)\s*eV", text))
    out.sigma0_eV = _last(re.findall(r"energy  without entropy\s*=\s*\S+\s+energy\(sigma->0\)\s*=\s*(\S+)", text))
    electronic = re.findall(r"energy without entropy =\s*\S+\s+energy\(sigma->0\)\s*=\s*(\S+)", text)
    out.electronic_sigma0_eV = _last(electronic)
    if found := re.findall(r"E-fermi\s*:\s*([-\d.]+)", text):
        out.fermi_eV = float(found[-1])
    # Linear response comes behind the energy of the ground state and prints changes of its own.
    end = text.rfind(IONIC)
    ground = text[: end if end >= 0 else len(text)]
    changes = re.findall(r"total energy-change \(2\. order\)\s*:\s*([-+\d.Ee]+?)\s", ground)
    values = reals(changes[-1]) if changes else []
    out.last_change_eV = abs(values[0]) if values and np.isfinite(values[0]) else None
    out.loop_lengths = _loop_lengths(ground)


def _last(found: list[str]) -> float | None:
    values = reals(found[-1]) if found else []
    return values[0] if values and np.isfinite(values[0]) else None


def _loop_lengths(text: str) -> list[int]:
    lengths: dict[int, int] = {}
    for step, number in re.findall(r"-+ Iteration\s+(\d+|\*+)\(\s*(\d+)\)", text):
        if (ionic := integer(step)) is not None:
            lengths[ionic] = max(lengths.get(ionic, 0), int(number))
    return [lengths[k] for k in sorted(lengths)]


def _geometry(text: str, out: Outcar) -> None:
    at = text.rfind("direct lattice vectors")
    if at >= 0:
        rows = [row[:3] for row in _rows_from(text, at, 1, 3)]
        if len(rows) == 3 and all(len(r) == 3 for r in rows):
            out.lattice = np.array(rows)
    at = text.rfind("TOTAL-FORCE (eV/Angst)")
    if at >= 0:
        rows = []
        for line in islice(lines_from(text, at), 2, None):
            if "---" in line:
                break
            rows.append(reals(line)[:6])
        if rows and all(len(r) == 6 for r in rows):
            table = np.array(rows)
            out.positions, out.forces = table[:, :3], table[:, 3:]


def _magnetism(text: str, out: Outcar) -> None:
    found = re.findall(r"number of electron\s+[-\d.]+\s+magnetization(.*)$", text, re.MULTILINE)
    out.total_moment = reals(found[-1]) or None if found else None
    at = text.rfind("transformation matrix from SAXIS to cartesian")
    if at >= 0:
        rows = [reals(re.sub(r"m_[xyz]", " ", line)) for line in islice(lines_from(text, at), 2, 5)]
        if len(rows) == 3 and all(len(r) == 3 for r in rows):
            out.saxis_matrix = np.array(rows)
    for axis in "xyz":
        for table, title in ((out.moments, "magnetization"), (out.orbital, "orbital moment")):
            values = ion_table(text, f"{title} ({axis})")
            if values is not None:
                table[axis] = values


def ion_table(text: str, title: str) -> Floats | None:
    """Column ``tot`` of the last whole table with a title, shape (n_ions,); None if there is none.

    Parameters
    ----------
    text
        Of the OUTCAR.
    title
        Such as ``"magnetization (x)"``; VASP prints some with a blank in front and some without.
    """
    for match in reversed(list(re.finditer(rf"^ ?{re.escape(title)} *$", text, re.MULTILINE))):
        values: list[float] = []
        closed = False
        for line in islice(lines_from(text, match.end()), 1, None):
            stripped = line.strip()
            if stripped.startswith("tot"):
                closed = True
                break
            if _ROW.match(line):
                values.append(_table_row(line, len(values) + 1))
            elif values and not stripped.startswith("-"):
                # The table of a single ion has no line of totals.
                closed = True
                break
        if values and closed and np.isfinite(values).all():
            return np.array(values)
    return None


def _table_row(line: str, expected: int) -> float:
    """Last number of a row, if the row carries the index that is due; else NaN."""
    numbers = reals(line)
    return numbers[-1] if len(numbers) > 2 and int(numbers[0]) == expected else float("nan")


def potentials_of(text: str) -> Floats | None:
    """Average potential at every core, eV, shape (n_ions,), as printed; None without the table.

    The columns are five of width 8 + 9, so index and value run together below -100 V.
    """
    at = text.rfind("average (electrostatic) potential at core")
    if at < 0:
        return None
    values: list[float] = []
    for line in islice(lines_from(text, at), 3, None):
        found = re.findall(r"(\d+)\s*(-?\d+\.\d{4})", line)
        if not found:
            break
        for index, value in found:
            if int(index) != len(values) + 1:
                return None
            values.append(float(value))
    return np.array(values) if values else None


def _response(text: str, out: Outcar) -> None:
    out.dipole_ion = _dipole(text, r"p\[ion\]")
    out.dipole_electrons = _dipole(text, r"p\[el\w*\]")
    out.dielectric = _tensor(text, r"MACROSCOPIC STATIC DIELECTRIC TENSOR \(including local field effects.*")
    if out.dielectric is None:
        out.dielectric = _tensor(text, r"MACROSCOPIC STATIC DIELECTRIC TENSOR(?! IONIC)(?! \(excluding).*")
    out.dielectric_ionic = _tensor(text, r"MACROSCOPIC STATIC DIELECTRIC TENSOR IONIC CONTRIBUTION.*")
    out.born = _born(text)


def _dipole(text: str, name: str) -> Floats | None:
    """Last dipole of a kind, positive charge positive: up to 6.2 VASP counts in electrons, later in e."""
    found = re.findall(name + r"\s*=?\s*\(([^)]*)\)\s*(electrons Angst|\|?e\|? *Angst)?", text)
    if not found:
        return None
    values, unit = reals(found[-1][0]), found[-1][1]
    if len(values) != 3:
        return None
    return np.array(values) * (1.0 if unit and "electrons" not in unit else -1.0)


def _tensor(text: str, title: str) -> Floats | None:
    matchs = list(re.finditer(title, text))
    if not matchs:
        return None
    rows = _rows_from(text, matchs[-1].end(), 2, 3)
    return np.array(rows) if len(rows) == 3 and all(len(r) == 3 for r in rows) else None


def _born(text: str) -> Floats | None:
    """Tensors of the last cumulative table, shape (n, 3, 3): first index the field, second the displacement."""
    titles = list(re.finditer(r"BORN EFFECTIVE CHARGES \(.*", text))
    whole = [t for t in titles if "excluding" not in t.group(0)]
    if not whole:
        return None
    tensors = [rows for rows in _ion_tensors(text, whole[-1].end()) if rows.shape == (3, 3)]
    return np.array(tensors) if tensors else None


def _ion_tensors(text: str, at: int) -> Iterator[Floats]:
    lines = islice(lines_from(text, at), 2, None)
    for line in lines:
        if not re.match(r"\s*ion\s+\d+", line):
            break
        yield np.array([reals(next(lines, ""))[1:4] for _ in range(3)])
