"""Ordering temperatures of built-in hosts with shipped couplings: ``python benchmarks/curie.py``."""

from __future__ import annotations

from magnetoionics.analysis.audit.known_values import measured_values
from magnetoionics.analysis.magnetism.known_couplings import KNOWN
from magnetoionics.analysis.magnetism.ordering import ordering_temperature
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine


def main() -> None:
    """One row of a Markdown table per host; of its default cation order, unrelaxed."""
    print("| host | mean field, S² | mean field, S(S + 1) | Monte Carlo, S² | Monte Carlo × ratio | measured |")
    print("|-|-|-|-|-|-|")
    for host, known in KNOWN.items():
        table = {tuple(pair.split("-")): value for pair, value in known.J_meV.items()}
        found = ordering_temperature(
            get_host(host).structure(),
            table,  # type: ignore[arg-type]
            get_engine("local").provenance(),
            source=known.source,
            spins=known.spins,
        )
        error = "" if found.crossing is None else f" ± {found.crossing.error_K:.0f}"
        measured = next((m.in_words for m in measured_values(host) if m.quantity == "T_C"), "–")
        print(
            f"| {host} | {found.mean_field_K:.0f} | {found.quantum_mean_field_K:.0f} | {found.ordering_K:.0f}{error} "
            f"| {found.quantum_ordering_K:.0f} | {measured} |"
        )


if __name__ == "__main__":
    main()
