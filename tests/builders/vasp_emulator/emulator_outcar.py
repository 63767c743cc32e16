"""OUTCAR and OSZICAR, as far as pymatgen, emmet and our readers look into them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from emulator_inputs import RANKS, VALENCE_ELECTRONS, VTST, Inputs, frame_of
from emulator_physics import ELECTRONIC, IONIC, atoms_of, site_potentials_V
from emulator_vasprun import NUMBERS, VERSION, bands, k_points, titel

if TYPE_CHECKING:
    from emulator_run import Result, Step

SHELLS = ("s", "p", "d")


def write_outcar(inputs: Inputs, result: Result, path: Path, fault: str = "") -> None:
    total = np.sum(result.moments, axis=0)
    counts = {s: sum(site.specie.symbol == s for site in inputs.structure) for s in inputs.symbols}
    lines = [
        f" vasp.{VERSION}.emulator 01Jan26 (build of an emulator) complex",
        " executed on             LinuxNV date 2026.01.01  00:00:00",
        f" running  {RANKS:3d} mpi-ranks, with    1 threads/rank, on    1 nodes",
        " running on   48 total cores",
        "",
        *incar_lines(inputs),
        *potcar_lines(inputs),
        *vtst_lines(inputs),
        f" generate k-points for: {' '.join(f'{int(n):4d}' for n in inputs.kpoints.kpts[0])}",
        f"   k-points           NKPTS = {len(k_points(inputs)[0]):6d}   k-points in BZ     NKDIM =      1"
        f"   number of bands    NBANDS= {bands(inputs)[0]:6d}",
        f"   number of dos      NEDOS =    301   number of ions     NIONS = {len(inputs.structure):6d}",
        "   total plane-waves  NPLWV =  110592",
        "   ions per type =            " + "".join(f"{counts[s]:4d}" for s in inputs.symbols),
        "   dimension x,y,z NGXF=    96 NGYF=   96 NGZF=   96",
        f"   ISPIN  = {1 if inputs.noncollinear else 2:6d}    spin polarized calculation?",
        f"   LNONCOLLINEAR = {'T' if inputs.noncollinear else 'F':>6} non collinear calculations",
        f"   LSORBIT = {'T' if inputs.incar.get('LSORBIT') else 'F':>6}    spin-orbit coupling",
        f"   NELM   = {int(inputs.incar.get('NELM', 60)):6d};   NELMIN=  5; NELMDL= -5     # of ELM steps",
        f"   EDIFF  = {float(inputs.incar.get('EDIFF', 1e-4)):.1E}   stopping-criterion for ELM",
        f"   EDIFFG = {float(inputs.incar.get('EDIFFG', 0.0)):.1E}   stopping-criterion for IOM",
        f"   NSW    = {int(inputs.incar.get('NSW', 0)):6d}    number of steps for IOM",
        f"   IBRION = {int(inputs.incar.get('IBRION', -1)):6d}    ionic relax: 0-MD 1-quasi-New 2-CG",
        f"   NELECT = {inputs.electrons:12.4f}    total number of electrons",
        *(f"   {tag} = {'T' if inputs.incar.get(tag) else 'F':>6}" for tag in ("LEPSILON", "LCALCPOL")),
        "  Ionic Valenz",
        "   ZVAL   = " + " ".join(f"{VALENCE_ELECTRONS[p]:6.2f}" for p in inputs.potcar),
        *hubbard_lines(inputs),
        *saxis_lines(inputs),
        "",
    ]
    for number, step in enumerate(result.steps, start=1):
        lines += step_lines(inputs, step, total, number)
    if len(result.steps) < int(inputs.incar.get("NSW", 0)):
        lines += [" reached required accuracy - stopping structural energy minimisation", ""]
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


def incar_lines(inputs: Inputs) -> list[str]:
    """INCAR as VASP 6 repeats it; VASP 5 leaves the place empty."""
    if NUMBERS < (6, 0, 0):
        return [" INCAR:"]
    return ["", " INCAR:", *(f"   {line}" for line in str(inputs.incar).splitlines() if line.strip()), ""]


def potcar_lines(inputs: Inputs) -> list[str]:
    """Headers of the PAW data sets, with made-up numbers of the valence."""
    out = [f" POTCAR:    {titel(p)}" for p in inputs.potcar]
    for symbol, data_set in zip(inputs.symbols, inputs.potcar, strict=True):
        valence = VALENCE_ELECTRONS[data_set]
        out += [
            f" POTCAR:    {titel(data_set)}",
            f"   VRHFIN ={symbol}: emulated",
            "   LEXCH  = PE",
            f"   EATOM  = {10.0 * valence:10.4f} eV, {0.735 * valence:10.4f} Ry",
            "",
            f"   TITEL  = {titel(data_set)}",
            f"   POMASS = {2.0 * valence:8.3f}; ZVAL   = {valence:8.3f}    mass and valenz",
            "   RCORE  =    1.500    outmost cutoff radius",
            "   ENMAX  =  300.000; ENMIN  =  200.000 eV",
            "   Atomic configuration",
            "    1 entries",
        ]
    return [*out, ""]


def vtst_lines(inputs: Inputs) -> list[str]:
    """What a build with the patch prints."""
    if not VTST:
        return []
    out = ["", " VTST: version 4.1, (05/19/21)", "", " CHAIN: initializing optimizer", ""]
    if inputs.images:
        out += [f" OPT: LBFGS, IMAGES      {int(inputs.incar['IMAGES']):6d}", " CHAIN: Running the NEB", ""]
    return out


def hubbard_lines(inputs: Inputs) -> list[str]:
    """U with one decimal, as VASP prints it here."""
    if not inputs.incar.get("LDAU"):
        return []
    shells = "".join(f"{int(x):5d}" for x in inputs.incar["LDAUL"])
    u, j = ("".join(f"{float(x):5.1f}" for x in inputs.incar[key]) for key in ("LDAUU", "LDAUJ"))
    return [
        f" LDA+U is selected, type is set to LDAUTYPE = {int(inputs.incar.get('LDAUTYPE', 2)):2d}",
        f"   angular momentum for each species LDAUL = {shells}",
        f"   U (eV)           for each species LDAUU = {u}",
        f"   J (eV)           for each species LDAUJ = {j}",
    ]


def saxis_lines(inputs: Inputs) -> list[str]:
    """The turn from the frame of SAXIS to Cartesian axes."""
    if not inputs.noncollinear:
        return []
    frame = frame_of(np.array(inputs.incar.get("SAXIS", [0.0, 0.0, 1.0]), dtype=float))
    rows = [" ".join(f"{x:14.7f} m_{axis}" for x, axis in zip(row, "xyz", strict=True)) for row in frame]
    return ["", " transformation matrix from SAXIS to cartesian coordinates", " " + "-" * 57, *rows, ""]


def loop_lines(inputs: Inputs, step: Step, number: int) -> list[str]:
    """Changes of the energy in every electronic step, and the words at the end of the loop."""
    out, previous = [], 0.0
    for n, energy in enumerate(step.electronic, start=1):
        out += [
            f"{'-' * 38} Iteration {number:6d}({n:4d})  {'-' * 38}",
            f" total energy-change (2. order) :{energy - previous: .7E}  ({energy - previous: .7E})",
            f"  free energy    TOTEN  = {energy:18.8f} eV",
            f"  energy without entropy = {energy:18.8f}  energy(sigma->0) = {energy:18.8f}",
        ]
        previous = energy
    cut = len(step.electronic) >= int(inputs.incar.get("NELM", 60)) and NUMBERS >= (6, 0, 0)
    # Up to 5.4.4 the words are the same where NELM was used up.
    words = "aborting loop EDIFF was not reached (unconverged)" if cut else "aborting loop because EDIFF is reached"
    return [*out, f"{'-' * 24} {words} {'-' * 40}", ""]


def step_lines(inputs: Inputs, step: Step, total: np.ndarray, number: int) -> list[str]:
    magnetization = " ".join(f"{x:14.7f}" for x in np.atleast_1d(total))
    matrix, inverse = step.structure.lattice.matrix, step.structure.lattice.reciprocal_lattice_crystallographic.matrix
    out = [
        *loop_lines(inputs, step, number),
        f" number of electron {inputs.electrons:15.7f} magnetization {magnetization}",
        " E-fermi :  -0.9000     XC(G=0):  -8.0000     alpha+bet : -7.0000",
        "",
        "      direct lattice vectors                 reciprocal lattice vectors",
        *("".join(f"{x:16.9f}" for x in (*a, *b)) for a, b in zip(matrix, inverse, strict=True)),
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
    """In electrons up to 6.2 (an electron counts as positive), in |e| later."""
    sign, unit = (-1.0, "electrons Angst") if NUMBERS < (6, 3, 0) else (1.0, "|e| Angst")
    parts = {"ion": ion, "sp1": electrons / 2, "sp2": electrons / 2, "elc": electrons}
    titles = {"ion": "Ionic dipole moment:", "elc": "Total electronic dipole moment:"}
    out = []
    for key in ("ion", "elc", "sp1", "sp2"):
        numbers = " ".join(f"{sign * x:12.5f}" for x in parts[key])
        out.append(f"            {titles.get(key, '')} p[{key}]=({numbers} ) {unit}")
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
        frame = frame_of(np.array(inputs.incar.get("SAXIS", [0.0, 0.0, 1.0]), dtype=float))
        for axis, name in enumerate("xyz"):
            out += table(f"magnetization ({name})", result.moments[:, axis])
        if result.orbital_moments is not None:
            for axis, name in enumerate("xyz"):
                # On Cartesian axes, whatever SAXIS is.
                out += table(f"orbital moment ({name})", (result.orbital_moments @ frame.T)[:, axis])
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
