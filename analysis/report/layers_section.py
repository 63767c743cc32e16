"""Section of the layers of a film or an interface."""

from __future__ import annotations

from ..results.page_parts import Section, Table, number, section, words
from ..study.documents import Study


@section(Study, "layers", place=11)
def layers_section(study: Study) -> Section | None:
    """Where each layer stands and what it is for; None for a crystal."""
    host = study.host
    if not host.layers:
        return None
    rows = [
        [
            *words([x.name, x.role, ", ".join(x.sublattices), x.composition]),
            number(x.low_A, 2),
            number(x.high_A, 2),
        ]
        for x in host.layers
    ]
    heads = ["layer", "role", "sublattices", "atoms of the cell", "from (Å)", "to (Å)"]
    return Section(
        "layers",
        "Layers",
        paragraphs=[
            f"Relaxed heights along the normal, from the bottom. The largest height without an atom is "
            f"{host.vacuum_A or 0.0:.1f} Å; volumes per formula unit hold it. The cell was held."
        ],
        tables=[Table("Layers of the film", heads, rows)],
    )
