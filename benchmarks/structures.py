"""Time of distinct vacancies and hops in CoFe2O4 cells, beside other libraries where they are installed.

Run: OMP_NUM_THREADS=1 python benchmarks/structures.py [--large]
The other libraries are pymatgen-analysis-defects and pymatgen-analysis-diffusion; without them their rows say so.
"""

import argparse
import importlib
import time
import warnings

from pymatgen.core import Structure

warnings.filterwarnings("ignore")

OURS = "magnetoionics"


def bare(structure):
    return Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)


def timed(function, *arguments):
    start = time.perf_counter()
    found = function(*arguments)
    return found, time.perf_counter() - start


def our_vacancies(structure):
    from magnetoionics.structures.vacancies import distinct_vacancies

    kinds = sorted({(s.specie.symbol, s.properties["sublattice"]) for s in structure})
    return sorted(v.multiplicity for kind in kinds for v in distinct_vacancies(structure, *kind))


def their_vacancies(structure):
    generators = importlib.import_module("pymatgen.analysis.defects.generators")
    return sorted(d.multiplicity for d in generators.VacancyGenerator().generate(bare(structure)))


def our_hops(structure):
    from magnetoionics.structures.hops import distinct_hops
    from magnetoionics.structures.vacancies import distinct_vacancies

    (vacancy,) = distinct_vacancies(structure, "Co", "B")
    return len(distinct_hops(structure, vacancy.index, vacancy.label, "Co", "B", 3.3))


def their_hops(structure):
    pathfinder = importlib.import_module("pymatgen.analysis.diffusion.neb.pathfinder")
    return len(pathfinder.DistinctPathFinder(bare(structure), "Co", max_path_length=3.3).get_paths())


def row(size, what, who, function, structure):
    try:
        found, seconds = timed(function, structure)
        print(f"{size:6d}  {what:22s} {who:30s} {seconds:8.2f} s  {found}", flush=True)
    except ImportError as error:
        print(f"{size:6d}  {what:22s} {who:30s} not installed ({error.name})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 3584 atoms")
    arguments = parser.parse_args()

    from magnetoionics.structures.host import get_host
    from magnetoionics.structures.supercell import supercell

    cell = get_host("cofe2o4").structure("Imma")
    for n in (1, 2, 4) if arguments.large else (1, 2):
        big = supercell(cell, (n, n, n))
        row(len(big), "distinct vacancies", OURS, our_vacancies, big)
        row(len(big), "distinct vacancies", "pymatgen-analysis-defects", their_vacancies, big)
        row(len(big), "Co hops into V_Co", OURS, our_hops, big)
        if n <= 2:
            row(len(big), "Co hops", "pymatgen-analysis-diffusion", their_hops, big)


if __name__ == "__main__":
    main()
