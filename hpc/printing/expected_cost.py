"""What a study is expected to cost, for people who have to apply for the time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from ..errors import UserError
from ..study_options import StudyOptions
from ..terminal_table import TerminalTable

if TYPE_CHECKING:
    from ...workflows.jobs.expected_cost import ExpectedCost


def study_costs(
    host_key: str,
    *,
    engine_name: str,
    order: str | None,
    quick: bool = False,
    image_distance_A: float | None = None,
    outcar: Path | None = None,
    charged_starts: str | None = None,
    most_starts: int | None = None,
) -> list[ExpectedCost]:
    """Expected cost of every job of a study.

    Parameters
    ----------
    host_key, engine_name, order, quick, image_distance_A
        As in `input_files.write_inputs`.
    outcar
        A run of VASP on the machine in question, which calibrates the times; gz is read.
    charged_starts, most_starts
        Kinds of start of every charge in words, and how many at most; None leaves the charged stage out.

    Raises
    ------
    UserError
        For bad input, or an engine that cannot say.
    """
    from ...structures.defects.initial_states import start_kinds
    from ...structures.host import get_host
    from ...workflows.engine import get_engine
    from ..study_folder.asked import check_names

    check_names(host_key, engine_name, order)
    speed = 1.0 if outcar is None else _speed(outcar)
    repeats = StudyOptions(image_distance_A=image_distance_A).repeats(host_key, order, quick)
    try:
        return get_engine(engine_name).expected_costs(
            get_host(host_key),
            order,
            repeats,
            speed,
            **({} if charged_starts is None else {"starts": start_kinds(charged_starts), "most_starts": most_starts}),
        )
    except ValueError as error:
        raise UserError(str(error)) from error


def _speed(outcar: Path) -> float:
    from monty.io import zopen

    from ...workflows.vasp.cost import speed_of

    try:
        with zopen(str(outcar), "rt", errors="replace") as stream:
            return speed_of(str(stream.read()))
    except (OSError, ValueError) as error:
        raise UserError(f"--outcar {outcar} cannot be used: {error}") from error


def expected_table(costs: list[ExpectedCost], cores_per_node: int) -> TerminalTable:
    """Jobs with their sizes and node hours; the last row is the sum."""
    table = TerminalTable(
        *("job", "jobs", "atoms", "electrons", "bands", "plane waves", "k points", "orbitals GiB", "node hours each"),
        "node hours",
        show_footer=True,
    )
    for c in costs:
        sizes = (c.count, c.atoms, f"{c.electrons:g}", c.bands, c.plane_waves, c.kpoints, f"{c.orbitals_GiB:.2f}")
        hours = (_plain(c.core_hours / cores_per_node), _plain(c.all_core_hours / cores_per_node))
        table.add_row(Text(c.name), *(str(x) for x in (*sizes, *hours)))
    table.columns[0].footer = f"expected, not the time limit; {cores_per_node} cores a node"
    table.columns[1].footer = str(sum(c.count for c in costs))
    table.columns[9].footer = _plain(sum(c.all_core_hours for c in costs) / cores_per_node)
    return table


def _plain(hours: float) -> str:
    return f"{hours:.0f}" if hours >= 100 else f"{hours:.3g}"
