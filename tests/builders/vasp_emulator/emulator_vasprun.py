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

VERSION = os.environ.get("VASP_EMULATOR_VERSION", "6.4.3")
NUMBERS = tuple(int(n) for n in VERSION.split(".")[:3])
# Read by VASP or VTST but not echoed in <incar>.
NOT_ECHOED = {
    "LCLIMB", "ICHAIN", "IOPT", "LTANGENTOLD", "IMAGES", "NCORE", "KPAR", "OCCEXT", "LORBMOM", "M_CONSTR", "ADDGRID",
}  # fmt: skip
# Linear response steps stand behind those of the ground state, with energies of their own.
RESPONSE_eV = (-0.43491197, -0.44545999, -0.44553764, -0.44553828)
KB_PER_EV_A3 = 1602.1766
# Of a metal the next band reaches below the top of the filled ones.
GAP_eV = -0.3 if os.environ.get("VASP_EMULATOR_FAULT") == "metal" else 1.6


def write_vasprun(inputs: Inputs, result: Result, path: Path, fault: str = "") -> None:
    points, weights = k_points(inputs)
    incar = {k: v for k, v in inputs.incar.items() if k not in NOT_ECHOED}
    if fault == "hubbard" and "LDAUU" in incar:
        incar["LDAUU"] = list(reversed(incar["LDAUU"]))
    parts = [
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        "<modeling>",
        "<generator>",
        '<i name="program" type="string">vasp </i>',
        f'<i name="version" type="string">{VERSION}.emulator  </i>',
        '<i name="subversion" type="string">(build of an emulator) complex parallel </i>',
        '<i name="platform" type="string">LinuxNV </i>',
        '<i name="date" type="string">2026 01 01 </i>',
        '<i name="time" type="string">00:00:00 </i>',
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
    """What VASP makes of the tags: of U the first species only, ISPIN 1 without collinear spins, GGA in capitals."""
    get = inputs.incar.get
    values: dict[str, Any] = {
        "PREC": str(get("PREC", "Normal")).lower()[:6],
        "ENMAX": float(get("ENCUT", 400.0)) * (0.8 if fault == "cutoff" else 1.0),
        "EDIFF": float(get("EDIFF", 1e-4)),
        "IALGO": 38,
        "NBANDS": bands(inputs)[0],
        "NELECT": inputs.electrons + (1.0 if fault == "electrons" else 0.0),
        "ISMEAR": int(get("ISMEAR", 1)),
        "SIGMA": float(get("SIGMA", 0.2)),
        "LREAL": bool(get("LREAL", False)),
        "LMAXMIX": int(get("LMAXMIX", 2)),
        "ISTART": 0,
        "ICHARG": int(get("ICHARG", 2)),
        "ISPIN": 1 if inputs.noncollinear else int(get("ISPIN", 1)),
        "LNONCOLLINEAR": inputs.noncollinear,
        "MAGMOM": get("MAGMOM"),
        "LSORBIT": bool(get("LSORBIT", False)),
        "SAXIS": [float(x) for x in get("SAXIS", [0.0, 0.0, 1.0])],
        "LASPH": bool(get("LASPH", False)),
        "LMETAGGA": False,
        "NELM": int(get("NELM", 60)),
        "NELMIN": int(get("NELMIN", 2)),
        "NSW": int(get("NSW", 0)),
        "IBRION": int(get("IBRION", -1)),
        "ISIF": int(get("ISIF", 2)),
        "EDIFFG": float(get("EDIFFG", 10 * float(get("EDIFF", 1e-4)))),
        "POTIM": float(get("POTIM", 0.5)),
        "ISYM": int(get("ISYM", 2)),
        "LORBIT": int(get("LORBIT", 0)),
        "GGA_COMPAT": bool(get("GGA_COMPAT", True)),
        "LDAU": bool(get("LDAU", False)),
    }
    if values["LDAU"]:
        u = [float(x) for x in get("LDAUU")]
        values |= {
            "LDAUTYPE": [int(get("LDAUTYPE", 2))],
            "LDAUL": [int(get("LDAUL")[0])],
            "LDAUU": [u[0]],
            "LDAUJ": [float(get("LDAUJ")[0])],
            "LDAUPRINT": int(get("LDAUPRINT", 0)),
        }
    values |= {
        "I_CONSTRAINED_M": int(get("I_CONSTRAINED_M", 0)),
        # VASP 6.4.3 pads it.
        "GGA": (str(get("GGA", "--")).upper() + "  ")[:4],
        "LHFCALC": bool(get("LHFCALC", False)),
        "AEXX": float(get("AEXX", 0.0)),
        "HFSCREEN": float(get("HFSCREEN", 0.0)),
        "LUSE_VDW": False,
        "LEPSILON": bool(get("LEPSILON", False)),
        "LCHIMAG": False,
    }
    return values


def tags(values: dict[str, Any]) -> list[str]:
    return [tag(key, value) for key, value in values.items() if value is not None]


def tag(name: str, value: Any) -> str:
    """One tag as VASP writes it: reals with 8 decimals, whole numbers in five places."""
    if isinstance(value, (list, tuple, np.ndarray)):
        flat = np.array([getattr(v, "moment", v) for v in value]).ravel()
        if name in ("LDAUL", "LDAUTYPE"):
            return f'<v type="int" name="{name}"> ' + " ".join(f"{int(x):5d}" for x in flat) + "</v>"
        return f'<v name="{name}"> ' + " ".join(f"{float(x):15.8f}" for x in flat) + "</v>"
    if isinstance(value, bool):
        return f'<i type="logical" name="{name}"> {"T" if value else "F"}  </i>'
    if name in REALS or isinstance(value, float):
        return f'<i name="{name}">{float(value):16.8f}</i>'
    if isinstance(value, int):
        return f'<i type="int" name="{name}">{value:6d}</i>'
    return f'<i type="string" name="{name}">{escape(str(value))}</i>'


# Tags that stay reals however they were written in INCAR.
REALS = ("ENCUT", "ENMAX", "POTIM", "SPRING", "SIGMA", "EDIFF", "EDIFFG", "NELECT", "LAMBDA")


def varray(name: str, rows: np.ndarray) -> list[str]:
    return [
        f'<varray name="{name}">',
        *(f"<v> {' '.join(f'{x:16.8f}' for x in row)} </v>" for row in np.atleast_2d(rows)),
        "</varray>",
    ]


def kpoint_lines(mesh: list[int], points: np.ndarray, weights: np.ndarray) -> list[str]:
    return [
        "<kpoints>",
        '<generation param="Gamma">',
        f'<v type="int" name="divisions"> {" ".join(map(str, mesh))} </v>',
        '<v name="usershift">      0.00000000      0.00000000      0.00000000 </v>',
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
        f"<c>{VALENCE_ELECTRONS[p]:16.8f}</c><c>  {titel(p)}  </c></rc>"
        for s, p in zip(inputs.symbols, inputs.potcar, strict=True)
    ]
    return [
        "<atominfo>",
        f"<atoms> {len(symbols)} </atoms>",
        f"<types> {len(inputs.symbols)} </types>",
        '<array name="atoms">',
        '<dimension dim="1">ion</dimension>',
        '<field type="string">element</field><field type="int">atomtype</field>',
        "<set>",
        *rows,
        "</set></array>",
        '<array name="atomtypes">',
        '<dimension dim="1">type</dimension>',
        '<field type="int">atomspertype</field><field type="string">element</field><field>mass</field>',
        '<field>valence</field><field type="string">pseudopotential</field>',
        "<set>",
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


def titel(data_set: str) -> str:
    """Title of a made-up PAW data set."""
    return f"PAW_PBE {data_set} 01Jan2000"


PARTS = ("alphaZ", "ewald", "hartreedc", "XCdc", "pawpsdc", "pawaedc", "eentropy", "bandstr", "atom")


def energy_lines(energy: float, *, parts: bool = False, entropy_only: bool = False) -> list[str]:
    """Energies with 8 decimals; behind an ionic step up to 5.4.4 the last one is the entropy part alone."""
    listed = [f'<i name="{n}"> {0.0:15.8f} </i>' for n in PARTS] if parts else []
    values = {"e_fr_energy": energy, "e_wo_entrp": energy, "e_0_energy": 0.0 if entropy_only else energy}
    return ["<energy>", *listed, *(f'<i name="{n}"> {v:15.8f} </i>' for n, v in values.items()), "</energy>"]


def scstep(energy: float, *, parts: bool = False) -> list[str]:
    times = '<time name="dav">    0.36    0.37</time>', '<time name="total">    0.60    0.63</time>'
    return ["<scstep>", *times, *energy_lines(energy, parts=parts), "</scstep>"]


def calculation(inputs: Inputs, result: Result, step: Step, points: np.ndarray, *, last: bool) -> list[str]:
    out = ["<calculation>"]
    for number, energy in enumerate(step.electronic, start=1):
        # The first and the last step of a loop list the parts of the energy.
        out += scstep(energy, parts=number in (1, len(step.electronic)))
    out += [
        *structure_lines(step),
        *varray("forces", step.forces),
        *varray("stress", -step.stress * KB_PER_EV_A3),
        *energy_lines(step.energy, entropy_only=NUMBERS <= (5, 4, 4)),
    ]
    if inputs.incar.get("LEPSILON"):
        for energy in RESPONSE_eV:
            out += scstep(energy)
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
        '<i name="efermi">     -0.90000000 </i>',
        "<total><array>",
        "<field>energy</field><field>total</field><field>integrated</field>",
        "<set>",
    ]
    for spin in range(channels):
        out.append(f'<set comment="spin {spin + 1}">')
        out += [f"<r> {e:.4f} {1.0 if e < -1 or e > 0.6 else 0.0:.4f} {max(0.0, e + 3):.4f} </r>" for e in energies]
        out.append("</set>")
    return [*out, "</set></array></total>", "</dos>"]
