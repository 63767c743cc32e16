"""Documents of VASP runs without what nobody reads, so that a database takes them at any size of cell.

MongoDB refuses documents above 16 MiB. emmet keeps the structure, forces and electronic steps of every ionic step: a
relaxation of 447 ions over 300 steps comes to several times that. The first step (the forces that a field is measured
by) and the last one (the result, and its electronic loop) stay whole; of the others the energies and the number of
electronic steps stay. The files themselves keep everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emmet.core.tasks import TaskDoc

# What takes the room of a step; its energies and the number of its electronic steps stay.
_HEAVY = ("structure", "forces", "stress", "electronic_steps")


def slim_task(task: TaskDoc) -> None:
    """Strip the inner ionic steps of a document of atomate2, in place."""
    slim_calculations(task.calcs_reversed or [])


def slim_calculations(calculations: Iterable[Any]) -> None:
    """Strip the inner ionic steps of emmet's calculations, in place."""
    for one in calculations:
        steps = (one.output.ionic_steps if one.output is not None else None) or []
        for step in steps[1:-1]:
            if step.electronic_steps is not None:
                step.num_electronic_steps = len(step.electronic_steps)
            for name in _HEAVY:
                setattr(step, name, None)
