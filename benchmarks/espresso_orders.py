"""Repeats the cation orders of CoFe2O4 with Quantum ESPRESSO: another code, other PAW sets, other projectors for U.

    apt install quantum-espresso; git clone https://github.com/dalcorso/pslibrary
    python benchmarks/espresso_orders.py sets --pslibrary pslibrary --pseudo PSEUDO   # ld1.x makes the PAW sets
    python benchmarks/espresso_orders.py write DIR --pseudo PSEUDO                    # NAME.in of every calculation
    (cd DIR; for f in *.in; do pw.x -in $f > ${f%.in}.out; done)
    python benchmarks/espresso_orders.py keep DIR                                     # data/espresso/NAME.json

Cells, ions, mesh, width and starting moments are those of the documents in `data/gpaw` that GPAW relaxed with the same
U; without U the ions are those of the Materials Project's. Only what converged is kept.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from evidence_task import U_SETS
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.reference_calculations import (
    ReferenceCalculation,
    espresso_calculations_folder,
    load_reference_calculations,
)
from magnetoionics.structures.elements import pbe_hubbard_U_eV
from magnetoionics.workflows.evaluation.guards import moments_kept
from pymatgen.core import Structure
from reference_tasks import order_relaxation
from scipy.constants import physical_constants

RYDBERG_EV = physical_constants["Rydberg constant times hc in eV"][0]
# As many electrons outside the core as GPAW's sets: file of pslibrary, name in it.
SETS = {
    "Co": ("paw_ps_low.job", "Co.pbe-n-kjpaw_psl.1.0.0.UPF"),
    "Fe": ("paw_ps_low.job", "Fe.pbe-n-kjpaw_psl.1.0.0.UPF"),
    "O": ("paw_ps_collection.job", "O.pbe-n-kjpaw_psl.0.1.UPF"),
}
# U of nothing, and those of the evidence.
SETS_OF_U = {"u00": {}, "u33": U_SETS["u33"], "u44": U_SETS["u44"], "": pbe_hubbard_U_eV()}
CUTOFF_RY, DENSITY_CUTOFF_RY, MESH, WIDTH_EV = 46.0, 280.0, (2, 2, 2), 0.05


def names() -> dict[str, tuple[str, str]]:
    """Order and set of U of each calculation by its name, the deciding ones first."""
    return {
        "-".join([order, "espresso", "k2", *([u] if u else [])]): (order, u)
        for u in SETS_OF_U
        for order in ("normal", "imma")
    }


def make_sets(pslibrary: Path, pseudo: Path) -> None:
    """Let ld1.x make the PAW sets from the inputs of pslibrary."""
    pseudo.mkdir(parents=True, exist_ok=True)
    for symbol, (job, name) in SETS.items():
        head = name.replace("pbe", "$fct").removesuffix(".UPF")
        found = re.search(
            rf"^cat > {re.escape(head)}\.in << EOF\n(.*?)^EOF", (pslibrary / job).read_text(), re.M | re.S
        )
        if found is None:
            raise SystemExit(f"{pslibrary / job} has no input of {head}: pass a checkout of pslibrary 1.0.0")
        text = found[1].replace("$fct", "pbe").replace("$gfun", "PBE").replace("$nrel", "1")
        with (pseudo / f"{symbol}.ld1.out").open("w") as out:
            subprocess.run(["ld1.x"], input=text, text=True, stdout=out, cwd=pseudo, check=True)
        (pseudo / name).write_text(folded((pseudo / name).read_text()))


def folded(text: str) -> str:
    """The same file in short lines: ld1.x 6.7 writes lines that pw.x 6.7 does not read."""
    lines = [re.sub(r'" (?=\w+=")', '"\n', x) if "<" in x else fill(x, 100) for x in text.split("\n")]
    return "\n".join(lines)


def start_of(name: str) -> Structure:
    """The cell that GPAW relaxed."""
    order, u = names()[name]
    found = load_reference_calculations()[order_relaxation(order, "" if u == "u00" else u)].calculation
    if found is None:
        raise ValueError(f"{name} has no relaxed cell to begin from")
    return found.structure


def input_of(name: str, pseudo: Path) -> str:
    """What pw.x reads: ions of one element and one sense of spin are one kind."""
    cell, u = start_of(name), SETS_OF_U[names()[name][1]]
    kinds: dict[tuple[str, float], str] = {}
    for site in cell:
        key = site.specie.symbol, float(np.sign(site.properties["magmom"]))
        kinds.setdefault(key, f"{site.specie.symbol}{1 + sum(k[0] == key[0] for k in kinds)}")
    system: dict[str, Any] = {
        "ibrav": 0,
        "nat": len(cell),
        "ntyp": len(kinds),
        "ecutwfc": CUTOFF_RY,
        "ecutrho": DENSITY_CUTOFF_RY,
        "nspin": 2,
        "occupations": "'smearing'",
        "smearing": "'fermi-dirac'",
        "degauss": WIDTH_EV / RYDBERG_EV,
    }
    for number, (symbol, sense) in enumerate(kinds, 1):
        # As a share of the valence electrons: high-spin Fe3+ and Co2+.
        system[f"starting_magnetization({number})"] = sense * {"Fe": 0.6, "Co": 0.35}.get(symbol, 0.0)
        if u.get(symbol):
            system |= {"lda_plus_u": ".true.", "U_projection_type": "'atomic'", f"Hubbard_U({number})": u[symbol]}
    if names()[name][0] == "imma" and u:
        # From equal shares of its three t2g orbitals the hole of Co does not come down to one of them. pw.x counts them
        # by their occupations after one iteration: two of eg, xy, then both others; the hole of GPAW's lowest state is
        # mostly xy (data/gpaw/imma-pw400-k2-holes.json), from which it is free to turn.
        cobalt = 1 + [symbol for symbol, _ in kinds].index("Co")
        for orbital, share in enumerate((0.2, 0.2, 0.0, 1.0, 1.0), 1):
            system[f"starting_ns_eigenvalue({orbital},2,{cobalt})"] = share
    control = {
        "calculation": "'scf'",
        "prefix": f"'{name}'",
        "outdir": "'.'",
        "pseudo_dir": f"'{pseudo.resolve()}'",
        "disk_io": "'low'",
    }
    electrons = {"conv_thr": 1e-6, "mixing_beta": 0.3, "electron_maxstep": 150}
    blocks = [
        f"&{title}\n" + "".join(f"  {key} = {value}\n" for key, value in block.items()) + "/\n"
        for title, block in (("CONTROL", control), ("SYSTEM", system), ("ELECTRONS", electrons))
    ]
    masses = {site.specie.symbol: float(site.specie.atomic_mass) for site in cell}
    species = "".join(f"{label} {masses[symbol]:.4f} {SETS[symbol][1]}\n" for (symbol, _), label in kinds.items())
    rows = "".join(" ".join(f"{x:.10f}" for x in row) + "\n" for row in cell.lattice.matrix)
    ions = "".join(
        f"{kinds[site.specie.symbol, float(np.sign(site.properties['magmom']))]} "
        + " ".join(f"{x:.10f}" for x in site.frac_coords)
        + "\n"
        for site in cell
    )
    mesh = " ".join(map(str, MESH))
    return (
        f"{''.join(blocks)}ATOMIC_SPECIES\n{species}CELL_PARAMETERS angstrom\n{rows}"
        f"ATOMIC_POSITIONS crystal\n{ions}K_POINTS automatic\n{mesh} 0 0 0\n"
    )


def read(folder: Path, name: str) -> ReferenceCalculation | None:
    """What pw.x found, in the package's units; None where it did not converge."""
    text = (folder / f"{name}.out").read_text()
    if "convergence has been achieved" not in text or "JOB DONE" not in text:
        return None
    cell, u = start_of(name), SETS_OF_U[names()[name][1]]
    free = float(re.findall(r"^!\s+total energy\s+=\s+(\S+) Ry", text, re.M)[-1])
    entropy = float(([*re.findall(r"smearing contrib\. \(-TS\)\s+=\s+(\S+) Ry", text)] or ["0"])[-1])
    total = float(re.findall(r"total magnetization\s+=\s+(\S+) Bohr", text)[-1])
    # The last block is that of the converged density.
    moments = [float(m) for m in re.findall(r"atom:\s*\d+\s+charge:\s+\S+\s+magn:\s+(\S+)", text)[-len(cell) :]]
    seconds = re.findall(r"PWSCF\s+:\s+(.*?) CPU\s+(.*?) WALL", text)[-1]
    version = re.findall(r"Program PWSCF v\.(\S+)", text)[0]
    provenance = Provenance(
        engine="Quantum ESPRESSO",
        level_of_theory="Quantum ESPRESSO",
        functional="PBE",
        hubbard_U_eV={k: v for k, v in u.items() if k in ("Co", "Fe")},
        settings={
            "cutoff_eV": CUTOFF_RY * RYDBERG_EV,
            "density_cutoff_eV": DENSITY_CUTOFF_RY * RYDBERG_EV,
            "k_mesh": list(MESH),
            "smearing_eV": WIDTH_EV,
            "U_projectors": "atomic orbitals of the PAW sets",
            **{f"set_{symbol}": f"{file}, by ld1.x from pslibrary" for symbol, (_, file) in SETS.items()},
        },
        versions={"quantum-espresso": version},
        left_out=["finite temperature", f"ions of {order_relaxation(*_start_key(name))}, not relaxed again"],
    )
    calculation = Calculation(
        name=name,
        structure=cell,
        energy_eV=(free - entropy / 2) * RYDBERG_EV,
        max_force_eV_per_A=None,
        force_calls=1,
        total_moment_muB=total,
        site_moments_muB=moments,
        gap_eV=gap_eV(folder / f"{name}.save" / "data-file-schema.xml"),
        checks=[moments_kept(cell.site_properties["magmom"], moments)],
        provenance=provenance,
    )
    return ReferenceCalculation(
        name=name,
        what=f"{names()[name][0]} CoFe2O4 by Quantum ESPRESSO",
        command=f"python benchmarks/espresso_orders.py write DIR; pw.x -in DIR/{name}.in",
        calculation=calculation,
        cpu_seconds=_seconds(seconds[0]),
        wall_seconds=_seconds(seconds[1]),
        provenance=provenance,
    )


def _start_key(name: str) -> tuple[str, str]:
    order, u = names()[name]
    return order, "" if u == "u00" else u


def _seconds(text: str) -> float:
    """Of pw.x's ``1h 2m 3.45s``."""
    return sum(
        float(n) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[unit]
        for n, unit in re.findall(r"([\d.]+)\s*([dhms])", text)
    )


def gap_eV(schema: Path) -> float:
    """Lowest state above the Fermi level minus the highest below it, over both spins; zero where a band crosses it."""
    bands = ElementTree.parse(schema).getroot().find("output/band_structure")
    if bands is None:
        raise ValueError(f"{schema} holds no bands")
    fermi = float(bands.findtext("fermi_energy", "nan"))
    # Both spins of one k-point after another, shape (2, k-points, bands).
    values = np.array([np.array((block.text or "").split(), dtype=float) for block in bands.iter("eigenvalues")])
    of_spins = values.reshape(len(values), 2, -1).swapaxes(0, 1)
    filled = (of_spins <= fermi).sum(axis=-1)
    if not np.isfinite(fermi) or np.any(filled != filled[:, :1]):
        return 0.0
    return float((values[values > fermi].min() - values[values <= fermi].max()) * 2 * RYDBERG_EV)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["sets", "write", "keep"])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("espresso"))
    parser.add_argument(
        "--pslibrary", type=Path, default=Path("pslibrary"), help="checkout of github.com/dalcorso/pslibrary"
    )
    parser.add_argument("--pseudo", type=Path, default=Path("pseudo"), help="folder of the PAW sets")
    chosen = parser.parse_args()
    if chosen.what == "sets":
        make_sets(chosen.pslibrary, chosen.pseudo)
        return
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for name in names():
        if chosen.what == "write":
            (chosen.folder / f"{name}.in").write_text(input_of(name, chosen.pseudo))
        elif (chosen.folder / f"{name}.out").exists() and (done := read(chosen.folder, name)) is not None:
            target = espresso_calculations_folder() / f"{name}.json"
            target.parent.mkdir(exist_ok=True)
            target.write_text(done.model_dump_json(indent=1) + "\n")
            print(name, f"{done.cpu_seconds:.0f} CPU s")


if __name__ == "__main__":
    main()
