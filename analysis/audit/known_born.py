"""Charge that Co carries when it moves in cobalt ferrite, by shipped first principles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder
from .evidence import Judgement

NAME = "bornco-pw400-k2"
FORMAL_e = 2.0


def cobalt_charge_e() -> NDArray[np.float64] | None:
    """Born charge of Co(B) in Imma, shape (3, 3): dipole along the row by displacement along the column.

    None if none is shipped.
    """
    path = reference_calculations_folder() / f"{NAME}.json"
    if not path.exists():
        return None
    numbers = ReferenceCalculation.model_validate_json(path.read_text()).numbers
    return np.array([numbers[f"born_charge_e_row_{axis}"] for axis in "xyz"], dtype=float)


def beside_born_charge(own: Judgement) -> Judgement:
    """C9 with the charge that electrons leave on the ion which moves; the others' are not computed.

    It says nothing of how far the ion moves, so that a study without a sound hop stays without a verdict.
    """
    tensor = cobalt_charge_e()
    if tensor is None or own.verdict == "not computed":
        return own
    along = np.linalg.eigvalsh((tensor + tensor.T) / 2)
    said = (
        f"gpaw, PBE+U, 14 atoms, 400 eV: Co carries {along[0]:+.2f} to {along[-1]:+.2f} e by the direction in which it "
        f"moves (Born charge, mean {along.mean():+.2f}; formal {FORMAL_e:+g}), so that electrons do not screen it; the "
        "charges of the ions around it, which move less, and a Berry phase along the whole path are not computed"
    )
    return replace(own, reason=f"{own.reason}. {said}")
