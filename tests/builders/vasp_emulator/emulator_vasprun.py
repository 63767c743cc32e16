"""vasprun.xml as VASP 6 lays it out, as far as pymatgen and emmet read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
from emulator_inputs import VALENCE_ELECTRONS, Inputs
from pymatgen.core import Element

if TYPE_CHECKING:
    from emulator_run import Result, Step

VERSION = "6.4.3 emulator"
KB_PER_EV_A3 = 1602.1766
GAP_eV = 0.0 if os.environ.get("VASP_EMULATOR_FAULT") == "metal" else 1.6


def write_vasprun(inputs: Inputs, result: Result, path: Path, fault: str = "") -> None:
    points, weights = k_points(inputs)
    # VASP lists the tags that its own reader knows, not those of VTST.
    incar = {k: v for k, v in inputs.incar.items() if k not in ("LCLIMB", "ICHAIN", "IOPT", "LTANGENTOLD")}
    parts = [
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        "<modeling>",
        "<generator>",
        '<i name="program" type="string">vasp </i>',
        f'<i name="version" type="string">{VERSION}</i>',
        "</generator>",
        "<incar>",
        *tags(incar),
        "</incar>",
        *kpoint_lines(mesh_of(inputs, fault), points, weights),
        "<parameters>",
        *tags(parameters(inputs, fault)),
        "</parameters>",
        *atom_lines(inputs),
        *structure_lines(result.steps[0], "initialpos"),
    ]
    for number, step in enumerate(result.steps):
        parts += calculation(inputs, result, step, points, last=number == len(result.steps) - 1)
    parts += [*structure_lines(result.steps[-1], "finalpos"), "</modeling>"]
    path.write_text("\n".join(parts), encoding="utf-8")


def mesh_of(inputs: Inputs, fault: str) -> list[int]:
    mesh = [int(n) for n in inputs.kpoints.kpts[0]]
    return [n + 1 for n in mesh] if fault == "mesh" else mesh


def k_points(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Gamma-centred mesh; k and -k are one point unless ISYM = -1."""
    mesh = [int(n) for n in inputs.kpoints.kpts[0]]
    index = np.stack(np.meshgrid(*(np.arange(n) for n in mesh), indexing="ij"), axis=-1).reshape(-1, 3)
    if int(inputs.incar.get("ISYM", 2)) == -1:
        kept = [tuple(i) for i in index]
        counts = [1.0] * len(kept)
    else:
        pairs: dict[tuple[int, ...], float] = {}
        for i in index:
            opposite = tuple(int(x) for x in (-i) % mesh)
            key = opposite if opposite in pairs else tuple(int(x) for x in i)
            pairs[key] = pairs.get(key, 0.0) + 1.0
        kept, counts = list(pairs), list(pairs.values())
    points = np.array(kept, dtype=float) / np.array(mesh)
    return points - np.rint(points - 1e-9), np.array(counts) / float(np.prod(mesh))


def parameters(inputs: Inputs, fault: str) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "NELM": 60, "EDIFF": 1e-4, "EDIFFG": 0.0, "NSW": 0, "IBRION": -1, "ISIF": 2, "ISYM": 2, "LREAL": False,
        "ISPIN": 1, "LORBIT": 0, "ISMEAR": 1, "SIGMA": 0.2, "LASPH": False, "LDAU": False, "LMAXMIX": 2,
        "LSORBIT": False, "LNONCOLLINEAR": inputs.noncollinear, "LCHIMAG": False, "LEPSILON": False, "LCALCPOL": False,
        "NBANDS": bands(inputs)[0], "ALGO": "Normal", "PREC": "Accurate", "METAGGA": "--", "LHFCALC": False,
    }  # fmt: skip
    values = defaults | {k: v for k, v in inputs.incar.items() if k not in ("LCLIMB", "ICHAIN", "IOPT", "LTANGENTOLD")}
    values["NELECT"] = inputs.electrons + (1.0 if fault == "electrons" else 0.0)
    # VASP calls it so in this place.
    values["ENMAX"] = float(values.pop("ENCUT")) * (0.8 if fault == "cutoff" else 1.0)
    if fault == "hubbard" and "LDAUU" in values:
        values["LDAUU"] = list(reversed(values["LDAUU"]))
    return values


def tags(values: dict[str, Any]) -> list[str]:
    return [tag(key, value) for key, value in values.items() if value is not None]


def tag(name: str, value: Any) -> str:
    if isinstance(value, (list, tuple, np.ndarray)):
        flat = np.array([getattr(v, "moment", v) for v in value]).ravel()
        if name == "LDAUL":
            return f'<v type="int" name="{name}"> ' + " ".join(str(int(x)) for x in flat) + "</v>"
        return f'<v name="{name}"> ' + " ".join(f"{float(x):.8f}" for x in flat) + "</v>"
    if isinstance(value, bool):
        return f'<i type="logical" name="{name}"> {"T" if value else "F"}  </i>'
    if isinstance(value, int):
        return f'<i type="int" name="{name}"> {value}</i>'
    if isinstance(value, float):
        return f'<i name="{name}"> {value:.12g}</i>'
    return f'<i type="string" name="{name}">{escape(str(value))}</i>'


def varray(name: str, rows: np.ndarray) -> list[str]:
    return [
        f'<varray name="{name}">',
        *(f"<v> {' '.join(f'{x:.12f}' for x in row)} </v>" for row in np.atleast_2d(rows)),
        "</varray>",
    ]


def kpoint_lines(mesh: list[int], points: np.ndarray, weights: np.ndarray) -> list[str]:
    return [
        "<kpoints>",
        '<generation param="Gamma">',
        f'<v type="int" name="divisions"> {" ".join(map(str, mesh))} </v>',
        '<v name="usershift"> 0.0 0.0 0.0 </v>',
        "</generation>",
        *varray("kpointlist", points),
        *varray("weights", weights[:, None]),
        "</kpoints>",
    ]


def atom_lines(inputs: Inputs) -> list[str]:
    symbols = [s.specie.symbol for s in inputs.structure]
    rows = [f"<rc><c>{s}</c><c>{inputs.symbols.index(s) + 1}</c></rc>" for s in symbols]
    types = [
        f"<rc><c>{symbols.count(s)}</c><c>{s}</c><c>{float(Element(s).atomic_mass):.3f}</c>"
        f"<c>{VALENCE_ELECTRONS[p]:.3f}</c><c>PAW_PBE {p} 01Jan2000</c></rc>"
        for s, p in zip(inputs.symbols, inputs.potcar, strict=True)
    ]
    return [
        "<atominfo>",
        f"<atoms> {len(symbols)} </atoms>",
        f"<types> {len(inputs.symbols)} </types>",
        '<array name="atoms"><set>',
        *rows,
        "</set></array>",
        '<array name="atomtypes"><set>',
        *types,
        "</set></array>",
        "</atominfo>",
    ]


def structure_lines(step: Step, name: str | None = None) -> list[str]:
    lattice = step.structure.lattice
    return [
        f'<structure name="{name}">' if name else "<structure>",
        "<crystal>",
        *varray("basis", lattice.matrix),
        f'<i name="volume"> {lattice.volume:.8f} </i>',
        *varray("rec_basis", lattice.reciprocal_lattice_crystallographic.matrix),
        "</crystal>",
        *varray("positions", step.structure.frac_coords),
        "</structure>",
    ]


def energy_lines(energy: float) -> list[str]:
    names = ("e_fr_energy", "e_wo_entrp", "e_0_energy")
    return ["<energy>", *(f'<i name="{n}"> {energy:.10f} </i>' for n in names), "</energy>"]


def calculation(inputs: Inputs, result: Result, step: Step, points: np.ndarray, *, last: bool) -> list[str]:
    out = ["<calculation>"]
    for number, energy in enumerate(step.electronic, start=1):
        lines = energy_lines(energy)
        if number == len(step.electronic):
            # The last step of a loop lists the parts of the energy.
            lines.insert(1, '<i name="alphaZ"> 0.0 </i>')
        out += ["<scstep>", *lines, "</scstep>"]
    out += [
        *structure_lines(step),
        *varray("forces", step.forces),
        *varray("stress", -step.stress * KB_PER_EV_A3),
        *energy_lines(step.energy),
    ]
    if last:
        out += [*eigenvalue_lines(inputs, len(points)), *dos_lines(inputs)]
    return [*out, "</calculation>"]


def bands(inputs: Inputs) -> tuple[int, int, float]:
    """Bands, filled bands and what one holds: a made-up insulator, one flat level above the gap."""
    holds = 1.0
    filled = max(1, int(np.ceil(inputs.electrons / (1 if inputs.noncollinear else 2))))
    filled = min(filled, 4)
    return filled + 1, filled, holds


def eigenvalue_lines(inputs: Inputs, count: int) -> list[str]:
    total, filled, holds = bands(inputs)
    channels = 1 if inputs.noncollinear else 2
    out = [
        "<eigenvalues><array>",
        '<dimension dim="1">band</dimension><dimension dim="2">kpoint</dimension><dimension dim="3">spin</dimension>',
        "<field>eigene</field><field>occ</field>",
        "<set>",
    ]
    for spin in range(channels):
        out.append(f'<set comment="spin {spin + 1}">')
        for k in range(count):
            out.append(f'<set comment="kpoint {k + 1}">')
            for band in range(total):
                energy = -1.0 - 0.1 * (filled - band) if band < filled else -1.0 + GAP_eV
                out.append(f"<r> {energy:.4f} {holds if band < filled else 0.0:.4f} </r>")
            out.append("</set>")
        out.append("</set>")
    return [*out, "</set></array></eigenvalues>"]


def dos_lines(inputs: Inputs) -> list[str]:
    energies = np.linspace(-3, 3, 13)
    channels = 1 if inputs.noncollinear else 2
    out = [
        "<dos>",
        '<i name="efermi"> -0.9 </i>',
        "<total><array>",
        "<field>energy</field><field>total</field><field>integrated</field>",
        "<set>",
    ]
    for spin in range(channels):
        out.append(f'<set comment="spin {spin + 1}">')
        out += [f"<r> {e:.4f} {1.0 if e < -1 or e > 0.6 else 0.0:.4f} {max(0.0, e + 3):.4f} </r>" for e in energies]
        out.append("</set>")
    return [*out, "</set></array></total>", "</dos>"]
