"""Core hours of the charged stage by protocol, cell and starts: ``python benchmarks/charged_cost.py`` prints the table.

The cost model of the engine ``vasp`` counts relaxations and single points of every charge, host, dense mesh and
dielectric tensor; what it leaves out are starts that won and are tried on other charges.
"""

from __future__ import annotations

from magnetoionics.structures.defects.initial_states import START_KINDS
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import PROTOCOLS, get_engine

HOST = "cofe2o4"
STARTS = {
    "one start": {"starts": ("as built",), "most_starts": None},
    "all kinds, budget 8": {"starts": START_KINDS, "most_starts": 8},
    "all kinds": {"starts": START_KINDS, "most_starts": None},
}


def rounded(hours: float) -> str:
    """Two digits are more than the model is worth."""
    return f"{float(f'{hours:.2g}'):,.0f}".replace(",", " ")


def row(protocol: str, repeats: tuple[int, int, int]) -> str:
    """One line: atoms, jobs and core hours of each choice of starts."""
    engine, host = get_engine(f"vasp:{protocol}"), get_host(HOST)
    before = len(engine.expected_costs(host, None, repeats))
    cells, atoms = [], 0
    for choice in STARTS.values():
        own = engine.expected_costs(host, None, repeats, **choice)[before:]
        atoms = max(c.atoms for c in own)
        jobs = sum(c.count for c in own if c.name.endswith("_relax"))
        cells.append(f"{jobs}: {rounded(sum(c.all_core_hours for c in own))}")
    return f"| {protocol} | {atoms} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    print("| protocol | atoms of the host cell | " + " | ".join(STARTS) + " |")
    print("|-" * (len(STARTS) + 2) + "|")
    for protocol in PROTOCOLS:
        for repeats in ((1, 1, 1), (2, 2, 2)):
            print(row(protocol, repeats), flush=True)


if __name__ == "__main__":
    main()
