"""OUTCAR and OSZICAR, as far as pymatgen, emmet and our readers look into them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from emulator_inputs import VALENCE_ELECTRONS, Inputs
from emulator_physics import ELECTRONIC, IONIC, atoms_of, site_potentials_V
from emulator_vasprun import VERSION, bands

if TYPE_CHECKING:
    from emulator_run import Result, Step

SHELLS = ("s", "p", "d")


def write_outcar(inputs: Inputs, result: Result, path: Path, fault: str = "") -> None:
    total = np.sum(result.moments, axis=0)
    lines = [
        f" vasp.{VERSION}",
        " running on   48 total cores",
        f"   number of dos      NEDOS =    301   number of ions     NIONS = {len(inputs.structure):6d}",
        "   k-points           NKPTS =      1   k-points in BZ     NKDIM =      1"
        f"   number of bands    NBANDS= {bands(inputs)[0]:6d}",
        "   total plane-waves  NPLWV =  110592",
        "   dimension x,y,z NGXF=    96 NGYF=   96 NGZF=   96",
        f"  NELM   = {int(inputs.incar.get('NELM', 60)):6d};   NELMIN=  5; NELMDL= -5     # of ELM steps",
        f"   IBRION = {int(inputs.incar.get('IBRION', -1)):6d}    ionic relax: 0-MD 1-quasi-New 2-CG",
        f"   ISPIN  = {1 if inputs.noncollinear else 2:6d}    spin polarized calculation?",
        f"   LNONCOLLINEAR = {'T' if inputs.noncollinear else 'F':>6} non collinear calculations",
        f"   NELECT = {inputs.electrons:12.4f}    total number of electrons",
        *(f"   VRHFIN ={symbol}: emulated" for symbol in inputs.symbols),
        *(f"   {tag} = {'T' if inputs.incar.get(tag) else 'F':>6}" for tag in ("LEPSILON", "LCALCPOL")),
        "   ZVAL   = " + " ".join(f"{VALENCE_ELECTRONS[p]:6.2f}" for p in inputs.potcar),
        "",
    ]
    for step in result.steps:
        lines += step_lines(inputs, step, total)
    lines += moment_tables(inputs, result)
    if result.dipole_ion is not None and result.dipole_electrons is not None:
        lines += dipole_lines(result.dipole_ion, result.dipole_electrons)
    if result.born_charges is not None:
        lines += response_lines(result.born_charges)
    if int(inputs.incar.get("IBRION", -1)) in (7, 8):
        lines += tensor_lines(" MACROSCOPIC STATIC DIELECTRIC TENSOR IONIC CONTRIBUTION", IONIC)
    lines += potential_lines(inputs, result)
    lines += [
        " General timing and accounting informations for this job:",
        " ========================================================",
        "                  Total CPU time used (sec):        1.000",
        "                            User time (sec):        1.000",
        "                          System time (sec):        0.000",
        "                         Elapsed time (sec):        1.000",
        "                   Maximum memory used (kb):      100000.",
        "                   Average memory used (kb):           0.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def step_lines(inputs: Inputs, step: Step, total: np.ndarray) -> list[str]:
    magnetization = " ".join(f"{x:14.7f}" for x in np.atleast_1d(total))
    out = [
        f" number of electron {inputs.electrons:15.7f} magnetization {magnetization}",
        " E-fermi :  -0.9000     XC(G=0):  -8.0000     alpha+bet : -7.0000",
        "",
        " POSITION                                       TOTAL-FORCE (eV/Angst)",
        " -----------------------------------------------------------------------------------",
    ]
    for position, force in zip(step.structure.cart_coords, step.forces, strict=True):
        out.append("".join(f"{x:13.5f}" for x in position) + "  " + "".join(f"{x:14.6f}" for x in force))
    drift = step.forces.sum(axis=0)
    return [
        *out,
        " -----------------------------------------------------------------------------------",
        "    total drift:                          " + "".join(f"{x:14.6f}" for x in drift),
        "",
        "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)",
        "  ---------------------------------------------------",
        f"  free  energy   TOTEN  = {step.energy:18.8f} eV",
        "",
        f"  energy  without entropy= {step.energy:18.8f}  energy(sigma->0) = {step.energy:18.8f}",
        "",
    ]


def dipole_lines(ion: np.ndarray, electrons: np.ndarray) -> list[str]:
    """As VASP 6 writes them: charges in |e|, an electron counts as negative."""
    parts = {"ion": ion, "sp1": electrons / 2, "sp2": electrons / 2, "elc": electrons}
    titles = {"ion": "Ionic dipole moment:", "elc": "Total electronic dipole moment:"}
    out = []
    for key in ("ion", "elc", "sp1", "sp2"):
        numbers = " ".join(f"{x:12.5f}" for x in parts[key])
        out.append(f"            {titles.get(key, '')} p[{key}]=({numbers} ) |e| Angst")
    return [*out, ""]


def tensor_lines(title: str, value: float) -> list[str]:
    line = " " + "-" * 38
    rows = [" ".join(f"{value if i == j else 0.0:12.6f}" for j in range(3)) for i in range(3)]
    return [title, line, *rows, line, ""]


def potential_lines(inputs: Inputs, result: Result) -> list[str]:
    """Potential that an electron feels at the ions, and the Fermi level that closes the table."""
    atoms = atoms_of(result.steps[-1].structure, inputs.moments, charge=inputs.charge)
    values = -site_potentials_V(atoms)
    cells = [f"{n:8d}{v:10.4f}" for n, v in enumerate(values, start=1)]
    rows = ["".join(cells[i : i + 5]) for i in range(0, len(cells), 5)]
    radii = " ".join("0.9000" for _ in inputs.symbols)
    return [
        "  average (electrostatic) potential at core",
        f"  the test charge radii are  {radii}",
        "  (the norm of the test charge is              1.0000)",
        *rows,
        "",
        "",
        " E-fermi :  -0.9000     XC(G=0):  -8.0000     alpha+bet : -7.0000",
        "",
    ]


def response_lines(born: np.ndarray) -> list[str]:
    line = " " + "-" * 38
    out = tensor_lines(" MACROSCOPIC STATIC DIELECTRIC TENSOR (including local field effects in DFT)", ELECTRONIC)
    out += [" BORN EFFECTIVE CHARGES (including local field effects) (in |e|, cummulative output)", line]
    for number, tensor in enumerate(born, start=1):
        out.append(f" ion {number:5d}")
        out += [f"   {i + 1:2d} " + "".join(f"{x:13.5f}" for x in tensor[i]) for i in range(3)]
    return [*out, line, ""]


def moment_tables(inputs: Inputs, result: Result) -> list[str]:
    atoms = len(inputs.structure)
    out = table("total charge", np.full(atoms, 1.0))
    if inputs.noncollinear:
        for axis, name in enumerate("xyz"):
            out += table(f"magnetization ({name})", result.moments[:, axis])
        if result.orbital_moments is not None:
            for axis, name in enumerate("xyz"):
                out += table(f"orbital moment ({name})", result.orbital_moments[:, axis])
        return out
    return out + table("magnetization (x)", result.moments)


def table(title: str, values: np.ndarray) -> list[str]:
    """A per-ion table; everything sits in the d shell."""
    out = [f" {title}", " ", "# of ion       s       p       d       tot", "------------------------------------------"]
    for number, value in enumerate(values, start=1):
        out.append(f"{number:5d}      {0.0:8.3f}{0.0:8.3f}{value:8.3f}{value:8.3f}")
    total = float(np.sum(values))
    return [
        *out,
        "--------------------------------------------------",
        f"tot        {0.0:8.3f}{0.0:8.3f}{total:8.3f}{total:8.3f}",
        "",
    ]


def write_oszicar(inputs: Inputs, result: Result, path: Path) -> None:
    lines = []
    magnetization = " ".join(f"{x:9.4f}" for x in np.atleast_1d(np.sum(result.moments, axis=0)))
    for number, step in enumerate(result.steps, start=1):
        lines.append("       N       E                     dE             d eps       ncg     rms          rms(c)")
        previous = 0.0
        if inputs.incar.get("I_CONSTRAINED_M"):
            penalty = 1e-3 if os.environ.get("VASP_EMULATOR_FAULT") == "penalty" else 2.5e-8
            lines.append(f" E_p =  {penalty:.5E}  lambda =  {float(inputs.incar['LAMBDA']):.3E}")
        for n, energy in enumerate(step.electronic, start=1):
            change = f"{energy - previous:12.5E}"
            lines.append(f"DAV: {n:3d}    {energy:.12E}   {change}   {change}   1000   0.100E-01    0.100E-01")
            previous = energy
        lines.append(f"{number:4d} F= {step.energy:.8E} E0= {step.energy:.8E}  d E ={0.0:.6E}  mag= {magnetization}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
