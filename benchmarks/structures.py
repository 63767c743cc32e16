"""Time of distinct vacancies and hops in CoFe2O4 cells, beside other libraries where they are installed.

Run: OMP_NUM_THREADS=1 python benchmarks/structures.py [--large] [--limit SECONDS] [--markdown]

The other libraries are pymatgen-analysis-defects and pymatgen-analysis-diffusion (extra `peers`) and doped; without
them their rows say so. Every row is a process of its own that is stopped at the limit; times are CPU seconds, which a
busy machine changes least, the best of three calls (two for 3584 atoms) after one in a small cell, so that imports do
not count. All see the same cell; ours keeps the spins, which the
others do not know, and makes the structures of both ends of every hop and of its intermediates.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import os
import time
import warnings

OURS = "magnetoionics"
CUTOFF_A = 3.3
VACANCIES, HOPS, INTERSTITIALS = "distinct vacancies", "distinct Co hops", "distinct interstitial sites"


def bare(structure):
    from pymatgen.core import Structure

    return Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)


def our_vacancies(structure):
    from magnetoionics.structures.defects.vacancies import distinct_vacancies

    kinds = sorted({(s.specie.symbol, s.properties["sublattice"]) for s in structure})
    return sorted(v.multiplicity for kind in kinds for v in distinct_vacancies(structure, *kind))


def vacancies_of_pymatgen(structure):
    generators = importlib.import_module("pymatgen.analysis.defects.generators")
    return sorted(d.multiplicity for d in generators.VacancyGenerator().generate(bare(structure)))


def vacancies_of_doped(structure):
    """The cell is reduced, multiplicities are those of the primitive one; substitutions and charges are made too."""
    generation = importlib.import_module("doped.generation")
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        made = generation.DefectsGenerator(
            bare(structure), generate_supercell=False, interstitial_gen_kwargs=False, processes=1
        )
    return sorted(d.multiplicity for d in made.defects["vacancies"])


def our_hops(structure):
    from magnetoionics.structures.defects.hops import distinct_hops
    from magnetoionics.structures.defects.vacancies import distinct_vacancies

    found = distinct_vacancies(structure, "Co", "B")
    return sum(len(distinct_hops(structure, v.index, v.label, "Co", "B", CUTOFF_A)) for v in found)


def hops_of_pymatgen(structure):
    pathfinder = importlib.import_module("pymatgen.analysis.diffusion.neb.pathfinder")
    return len(pathfinder.DistinctPathFinder(bare(structure), "Co", max_path_length=CUTOFF_A).get_paths())


def our_interstitial_sites(structure):
    from magnetoionics.structures.defects.interstitials import distinct_interstitial_sites

    return sorted(v.multiplicity for v in distinct_interstitial_sites(structure))


def interstitial_sites_of_pymatgen(structure):
    generators = importlib.import_module("pymatgen.analysis.defects.generators")
    made = generators.VoronoiInterstitialGenerator().generate(bare(structure), insert_species=["Li"])
    return sorted(d.multiplicity for d in made)


ROWS = [
    (VACANCIES, OURS, our_vacancies),
    (VACANCIES, "pymatgen-analysis-defects", vacancies_of_pymatgen),
    (VACANCIES, "doped", vacancies_of_doped),
    (HOPS, OURS, our_hops),
    (HOPS, "pymatgen-analysis-diffusion", hops_of_pymatgen),
    (INTERSTITIALS, OURS, our_interstitial_sites),
    (INTERSTITIALS, "pymatgen-analysis-defects", interstitial_sites_of_pymatgen),
]


def measure(number, repeats, calls, pipe):
    warnings.filterwarnings("ignore")
    from magnetoionics.structures.cells.supercell import supercell
    from magnetoionics.structures.host import get_host

    cell, function = get_host("cofe2o4").structure("Imma"), ROWS[number][2]
    try:
        function(cell)
        seconds = []
        for _ in range(calls):
            # A new object each time, so that nothing is remembered of the one before.
            big = supercell(cell, (repeats,) * 3)
            big.translate_sites(range(len(big)), [1e-7 * len(seconds), 0, 0])
            begin = time.process_time()
            found = function(big)
            seconds.append(time.process_time() - begin)
        pipe.send((str(found), min(seconds)))
    except ImportError as error:
        pipe.send((f"not installed ({error.name})", None))


def row(number, repeats, limit):
    what, who, _ = ROWS[number]
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=measure, args=(number, repeats, 3 if repeats < 4 else 2, send))
    process.start()
    send.close()
    try:
        found, seconds = receive.recv() if receive.poll(limit) else (f"stopped after {limit:g} s", None)
    except EOFError:
        found, seconds = "failed", None
    process.terminate()
    process.join()
    atoms = 56 * repeats**3
    print(f"{atoms:6d}  {what:20s} {who:28s} {'' if seconds is None else f'{seconds:8.3f} s'}  {found}", flush=True)
    return seconds


def markdown(times, sizes):
    print("\n| " + " | ".join(["", *(f"{56 * n**3} atoms" for n in sizes)]) + " |\n|-|" + "-|" * len(sizes))
    for number, (what, who, _) in enumerate(ROWS):
        cells = [times[number, n] for n in sizes]
        print("| " + " | ".join([f"{what}, {who}", *("-" if t is None else f"{t:.3f}" for t in cells)]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 3584 atoms")
    parser.add_argument("--limit", type=float, default=300.0, help="wall seconds per row, repetitions included")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/structures.md")
    arguments = parser.parse_args()
    sizes = (1, 2, 4) if arguments.large else (1, 2)
    times = {(number, n): row(number, n, arguments.limit) for n in sizes for number in range(len(ROWS))}
    if arguments.markdown:
        markdown(times, sizes)


if __name__ == "__main__":
    main()
