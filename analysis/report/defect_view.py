"""Charge states of defects in the 3D view: their moments, and the ions on which electrons and holes sit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ...structures.defects.difference import UnlikeCellsError, cell_difference, charge_centre
from ..magnetism.oxidation_states import compensation_text
from ..study.defect_exchange import study_supercell
from ..study.documents import Study
from .viewer import DRAWN_RADIUS_A, arrows, frame_of, moments_of, property_of, screen, unwrapped, view_settings

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..defects.charged_cells import ChargedVacancy

_CHANGED_COLOUR, _DEFECT_COLOUR = 0xE69F00, 0xBBBBBB
_CHANGED_A, _DEFECT_A = 0.75, 0.55


def defect_dataset(study: Study) -> dict[str, Any] | None:
    """Every charge state with its cell in chemiscope's input format; None where there is none.

    Parameters
    ----------
    study
        With charge states.

    Returns
    -------
    dict or None
        Plain JSON values.
    """
    if study.charged is None:
        return None
    host, turn = study_supercell(study), screen(np.array([1.0, 0.0, 0.0]))
    frames, moments, spheres, names, energies = [], [], [], [], []
    for state in study.charged.sound_states:
        centre = None if state.structure is None else _centre(host, state.structure)
        if state.structure is None or centre is None:
            continue
        origin = state.structure.lattice.get_cartesian_coords(centre)
        near = state.structure.get_sites_in_sphere(origin, DRAWN_RADIUS_A)
        keep = sorted({n.index for n in near} | {ion.site for ion in state.changed_ions})
        points = unwrapped(state.structure, keep, origin) @ turn.T
        frames.append(frame_of(state.structure, keep, points))
        moments += moments_of(state.structure, keep)
        changed = [points[keep.index(ion.site)] for ion in state.changed_ions]
        spheres.append(
            {
                "centers": np.round([np.zeros(3), *changed], 4).tolist(),
                "radii": [_DEFECT_A, *[_CHANGED_A] * len(changed)],
                "colors": [_DEFECT_COLOUR, *[_CHANGED_COLOUR] * len(changed)],
            }
        )
        names.append(_name(state))
        energies.append(state.energy_difference_eV)
    if not frames:
        return None
    marks = {"kind": "spheres", "parameters": {"global": spheres[0], "structure": spheres}}
    data = {
        "meta": {"name": f"{study.host.formula}, charge states"},
        "settings": {"structure": [view_settings("moments and electrons")]},
        "structures": frames,
        "shapes": {"moments and electrons": {"kind": "combined", "shapes": [arrows(moments, turn), marks]}},
        "properties": {
            "image": property_of([float(n) for n in range(len(frames))]),
            "state": property_of(names),
            "energy": property_of(energies, "eV"),
        },
    }
    return dict(json.loads(json.dumps(data, default=float)))


def _centre(host: Structure, relaxed: Structure) -> list[float] | None:
    """Where a defect is; of a complex its first site; None where the cells do not match."""
    try:
        difference = cell_difference(host, relaxed)
    except UnlikeCellsError:
        return None
    return charge_centre(difference, relaxed) or (list(difference.changes[0].position) if difference.changes else None)


def _name(state: ChargedVacancy) -> str:
    charge = f"{state.charge:+d}" if state.charge else "0"
    return f"{state.label}, charge {charge}: {compensation_text(state.changed_ions)}"
