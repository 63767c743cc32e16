"""Guards of VASP's outputs: what the layers below get silently wrong, each held against a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...analysis.results.checks import Check, held
from ..evaluation.guards import guard
from .finished.document import PawDataSet
from .finished.judge import same_tag

# Last digit of an energy in vasprun.xml.
PRINTED_eV = 1e-8
FIELD_PUSHES = "forces of the field"
# Born charges are the formal ones within a factor: outside, the field is not in the forces, or has another sign.
FIELD_SHARES = (0.3, 3.0)


def electrons_match(found: float | None, expected: float) -> Check:
    """Whether VASP computed the charge state that was asked for."""
    if found is None:
        return guard("electrons of the cell", False, "the output does not say how many electrons there were")
    note = f"{found:g} electrons were computed and {expected:g} expected: another charge state or PAW data set"
    return guard("electrons of the cell", abs(found - expected) < 1e-3, note, found, expected, "e")


def mesh_kept(found: Sequence[int] | None, asked: Sequence[int]) -> Check:
    """Whether the k-point mesh is the one that was written."""
    note = f"the mesh is {list(found) if found is not None else None} and not {list(asked)}: energies do not compare"
    return guard("k-point mesh kept", found is not None and list(found) == list(asked), note)


def settings_kept(
    incar: Mapping[str, Any],
    parameters: Mapping[str, Any],
    asked: Mapping[str, Any],
    *,
    noncollinear: bool = False,
) -> Check:
    """Whether the tags that define the energy survived corrections on the way.

    Parameters
    ----------
    incar
        INCAR of the run as VASP read it, whole.
    parameters
        What VASP made of it. Words are not compared, because VASP writes some in its own way, nor lists, of which it
        keeps the first entry at times (LDAUU of several species).
    asked
        What was written at first.
    noncollinear
        Then VASP sets ISPIN to 1 by itself.
    """
    changed = []
    for key, value in asked.items():
        places = [incar.get(key)]
        used = parameters.get("ENMAX" if key == "ENCUT" else key)
        plain = not isinstance(value, str | list | tuple) and not (noncollinear and key == "ISPIN")
        if used is not None and plain:
            places.append(used)
        changed += [f"{key} = {found!r} instead of {value!r}" for found in places if not _same(found, value)]
    return guard("settings kept", not changed, "; ".join(changed))


def _same(found: Any, asked: Any) -> bool:
    """Whether VASP's value of a tag is ours, to the 8 decimals that it prints."""
    if found is None:
        return False
    if isinstance(asked, str):
        return str(found).strip().upper() == str(asked).strip().upper()
    if isinstance(asked, bool):
        return bool(np.all(found)) == asked
    return same_tag(found, asked)


def electronically_converged(change_eV: float | None, steps: int, limit_eV: float, max_steps: int) -> Check:
    """Whether the last self-consistency loop of the ground state ended by its energy change.

    Parameters
    ----------
    change_eV
        Change of the free energy in the last step of the loop, without the linear response behind it.
    steps
        Of that loop.
    limit_eV
        EDIFF. VASP prints 8 decimals, so that a change below it can be printed as half a digit more: 2706 finished
        loops of public runs keep this bound.
    max_steps
        NELM: a loop of this length was cut off, whatever its tag says.
    """
    if change_eV is None or steps < 2:
        return guard("electronic convergence", False, "the output holds no self-consistency loop")
    cut = steps >= max_steps
    note = f"{'the loop was cut off after ' + str(max_steps) + ' steps' if cut else 'the energy still changed'}"
    reached = change_eV <= max(limit_eV + 0.5 * PRINTED_eV, PRINTED_eV) * (1 + 1e-6)
    return guard("electronic convergence", reached and not cut, note, change_eV, limit_eV, "eV")


def data_sets_kept(data_sets: Sequence[PawDataSet], asked: Mapping[str, str]) -> Check:
    """Whether every block of species was computed with the PAW data set that was asked for.

    Parameters
    ----------
    data_sets
        Of the run.
    asked
        Names such as ``"Fe_pv"`` by element.
    """
    wrong = []
    for block in data_sets:
        words = block.titel.split()
        name = words[1] if len(words) > 1 else block.titel
        if name != asked.get(block.element):
            wrong.append(f"{block.element} was computed with {block.titel or 'an unknown set'!r}")
    note = "; ".join(wrong) if data_sets else "the output names no PAW data set"
    return guard("PAW data sets", bool(data_sets) and not wrong, note)


def forces_relaxed(forces_eV_per_A: ArrayLike, limit_eV_per_A: float) -> Check:
    """The largest force against its bound: the energy of a state that is not relaxed is none of its own."""
    largest = float(np.linalg.norm(np.asarray(forces_eV_per_A, dtype=float), axis=1).max())
    return held("forces relaxed", largest, limit_eV_per_A * 1.001, unit="eV/A")


def direction_kept(
    moments: ArrayLike, along: Sequence[float], direction: ArrayLike, place: ArrayLike, limit_degrees: float
) -> Check:
    """Whether the spins stayed along the direction that the energy is booked under.

    Parameters
    ----------
    moments
        Cartesian site moments in VASP's order, muB, shape (n, 3).
    along
        Their components along the direction, in the structure's order.
    direction
        Unit vector, shape (3,).
    place
        Where each site of the structure stands in VASP's order.
    limit_degrees
        Largest allowed angle of the staggered total.
    """
    vectors = np.asarray(moments, dtype=float)[np.asarray(place, dtype=int)]
    staggered = (np.sign(np.asarray(along))[:, None] * vectors).sum(axis=0)
    cosine = float(staggered @ np.asarray(direction, dtype=float)) / max(float(np.linalg.norm(staggered)), 1e-12)
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    note = f"the spins turned {angle:.1f} degrees away: the energy belongs to another direction"
    return guard("spins along the direction", angle <= limit_degrees, note, angle, limit_degrees, "degrees")


def penalty_small(penalty_eV: float | None, limit_eV: float) -> Check:
    """Whether the penalty that holds the moments is gone from the energy."""
    if penalty_eV is None:
        return guard(
            "penalty of the constraint", False, "moments were to be held, but the output has no penalty energy"
        )
    note = f"the penalty still makes up {penalty_eV:.2g} eV of the energy: raise constrain_eV step by step"
    return guard("penalty of the constraint", abs(penalty_eV) <= limit_eV, note, abs(penalty_eV), limit_eV, "eV")


def one_kpoint_set(sets: Sequence[tuple[int, tuple[int, ...]]]) -> Check:
    """Whether all directions were computed on the same k points."""
    found = sorted(set(sets))
    note = f"directions have different k points ({found}): their energies do not compare"
    return guard("one k-point set for all directions", len(found) == 1, note)


def field_kept(found: Any, asked: Sequence[float]) -> Check:
    """Whether EFIELD_PEAD is the tag that was written, to VASP's 8 decimals."""
    note = f"EFIELD_PEAD is {found} and not {list(asked)}"
    return guard("field kept", found is not None and same_tag(found, list(asked)), note)


def field_pushes(response_eV_per_A: ArrayLike, charges_e: ArrayLike, field_V_per_A: ArrayLike) -> Check:
    """Whether a field pushes positive ions along itself, with about the force of their formal charges.

    Parameters
    ----------
    response_eV_per_A
        Forces with the field less those without it, of the same ions, shape (n, 3).
    charges_e
        Formal charges, shape (n,).
    field_V_per_A
        Shape (3,).
    """
    response, charges = np.asarray(response_eV_per_A, dtype=float), np.asarray(charges_e, dtype=float)
    strength = np.asarray(field_V_per_A, dtype=float)
    expected = float(charges @ charges * (strength @ strength))
    if expected < 1e-12:
        return Check(name=FIELD_PUSHES, passed=None, note="no charges or no field to measure it by")
    share = float(charges @ (response @ strength)) / expected
    if share < -FIELD_SHARES[0]:
        note = f"the ions are pushed against the field ({share:+.2f} of formal charges): turn efield_pead_sign over"
    else:
        note = f"the ions feel {share:+.2f} of what formal charges would: the forces lack the field, or it is not on"
    passed = FIELD_SHARES[0] <= share <= FIELD_SHARES[1]
    return guard(FIELD_PUSHES, passed, note, share, FIELD_SHARES[0])
