"""Charge states of imported defects, with the correction from the site potentials of their OUTCAR."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from ...analysis.defects.band_filling import band_filling
from ...analysis.defects.charge_corrections import ChargeCorrection
from ...analysis.defects.charged_cells import (
    ChargedCell,
    ChargedVacancies,
    ChargedVacancy,
    band_edges,
    corrections_of,
    counted_states,
)
from ...analysis.defects.starts import where_electrons_sit
from ...analysis.magnetism.oxidation_states import as_found, site_moments
from ...structures.defects.difference import charge_centre
from ...structures.layers import not_three_dimensional
from ..vasp.finished.vasprun_xml import read_vasprun
from .choosing import Chosen
from .documents import calculation_of, charged_cell_of, defect_structure, dielectric_of
from .run_folder import RunFolder

NO_TENSOR = (
    "charged cells need a static dielectric tensor for their correction: import a LEPSILON run of the host, "
    "or give it with --dielectric"
)
ONLY_ELECTRONS = "the permittivity holds the electrons only: in cells whose ions relaxed it corrects too much"
# Corrections that agree to this are one.
_SAME_CORRECTION_eV = 2e-3
LEFT_OUT = (
    "the electronic starts of the runs: a hole or an electron may localise elsewhere at lower energy",
    "band edges of the supercell's own mesh and functional",
)


def charged_states(
    chosen: Chosen,
    perfect: Structure,
    hubbard_U_eV: Mapping[str, float],
    per_cell: float,
    given: list[list[float]] | None = None,
) -> tuple[ChargedVacancies | None, str]:
    """All charge states with their corrections; None and the reason without charged cells, edges or permittivity.

    Parameters
    ----------
    chosen
        Runs by defect and charge.
    perfect
        Perfect supercell with roles.
    hubbard_U_eV
        Of the set.
    per_cell
        Cells of `chosen.bulk` in the supercell, by which multiplicities are divided.
    given
        Static permittivity, shape (3, 3), instead of that of a linear-response run.
    """
    if not any(charge for _, charge in chosen.states):
        return None, "no charged cell among the runs in use"
    assert chosen.supercell is not None
    if reason := not_three_dimensional(perfect):
        return None, reason
    if given is None and chosen.dielectric is None:
        return None, NO_TENSOR
    notes = list(LEFT_OUT)
    if given is not None:
        tensor, source = given, "given"
    else:
        assert chosen.dielectric is not None
        tensor, source = dielectric_of(chosen.dielectric, hubbard_U_eV).static, chosen.dielectric.place.name
        if chosen.dielectric.done.dielectric_ionic is None:
            notes.append(ONLY_ELECTRONS)
    calculation = calculation_of(chosen.supercell, perfect, "perfect supercell", hubbard_U_eV)
    host = charged_cell_of(chosen.supercell, calculation, 0)
    if host.vbm_eV is None and chosen.bulk.done.vbm_eV is not None:
        host = host.model_copy(update={"vbm_eV": chosen.bulk.done.vbm_eV, "cbm_eV": chosen.bulk.done.cbm_eV})
        notes.append(f"band edges are those of {chosen.bulk.place.name}: {chosen.supercell.place.name} holds none")
    host = _with_states(host, chosen.supercell)
    try:
        edges = band_edges(host, tensor, source=source)
    except ValueError as error:
        return None, str(error)
    states = []
    for (label, charge), runs in chosen.states.items():
        state = _state(runs[0], label, charge, host, perfect, hubbard_U_eV, tensor, per_cell, notes)
        if state is not None:
            states.append(state)
    return ChargedVacancies(edges=edges, states=states, notes=notes), ""


def _state(
    run: RunFolder,
    label: str,
    charge: int,
    host: ChargedCell,
    perfect: Structure,
    hubbard_U_eV: Mapping[str, float],
    tensor: list[list[float]],
    per_cell: float,
    notes: list[str],
) -> ChargedVacancy | None:
    assert run.name is not None
    assert run.difference is not None
    done = calculation_of(run, defect_structure(run, perfect), f"{label} q={charge:+d}", hubbard_U_eV)
    cell = _with_states(charged_cell_of(run, done, charge), run)
    try:
        corrections, why = corrections_of(
            cell,
            host,
            tensor,
            run.difference.changes[0].position,
            charge_at=charge_centre(run.difference, run.structure),
        )
    except ValueError as error:
        run.refused.append(f"no correction of its charge: {error}")
        notes.append(f"{label} q={charge:+d} is left out: {error}")
        return None
    given = run.given_correction_eV
    if charge and given is not None and not any(c.method == "eFNV" for c in corrections):
        corrections = [_as_given(given, charge, tensor, corrections), *corrections]
    elif charge and given is not None and abs(given - corrections[0].total_eV) > _SAME_CORRECTION_eV:
        again = corrections[0].total_eV
        run.notes.append(f"its own correction is {given:+.3f} eV, made again from its site potentials {again:+.3f} eV")
    elif charge and not any(c.method == "eFNV" for c in corrections):
        run.lacks.append("site potentials in OUTCAR, of it and of the perfect cell, for the eFNV correction")
    notes += [note for note in why if note not in notes]
    told = done.site_moments_muB is not None and host.calculation.site_moments_muB is not None
    return ChargedVacancy(
        label=label,
        element=run.name.element,
        sublattice=run.name.sublattice,
        multiplicity=places_per_cell(run, per_cell),
        charge=charge,
        removed=run.difference.removed,
        energy_difference_eV=done.energy_eV - host.calculation.energy_eV,
        total_moment_muB=done.total_moment_muB,
        changed_ions=where_electrons_sit(host.calculation, done, charge)[0] if told else [],
        sites=site_moments(host.calculation, done, charge) if told else [],
        structure=as_found(done),
        corrections=corrections,
        band_filling=band_filling(cell, host, run.difference.changes[0].position),
        checks=done.checks,
        provenance=done.provenance,
    )


def _as_given(
    total_eV: float, charge: int, tensor: list[list[float]], others: list[ChargeCorrection]
) -> ChargeCorrection:
    """The correction of an entry whose parts are not known."""
    return ChargeCorrection(
        method="as given",
        charge=charge,
        dielectric=tensor,
        electrostatic_eV=total_eV,
        alignment_eV=0.0,
        total_eV=total_eV,
        point_charge_eV=others[-1].total_eV,
        note="the total that the entry carries; its parts are not known here",
    )


def places_per_cell(run: RunFolder, per_cell: float) -> int:
    """Equivalent places in one cell of the bulk; at least one."""
    assert run.name is not None
    return max(1, round(run.name.multiplicity / per_cell))


def _with_states(host: ChargedCell, run: RunFolder) -> ChargedCell:
    """Density of states from the levels of a perfect cell that has a vasprun.xml; else carriers cannot be counted."""
    place = Path(run.done.folder)
    name = run.done.files.get("vasprun.xml")
    if name is None:
        return host
    xml = read_vasprun(place if place.is_file() else place / name)
    if xml.levels is None or xml.weights is None:
        return host
    weights = np.asarray(xml.weights, dtype=float).ravel()
    levels = np.asarray(xml.levels, dtype=float)
    if levels.shape[1] != len(weights) or not np.isfinite(levels[..., 0]).all():
        return host
    # One channel holds two electrons per state without spin polarisation.
    holds = 2.0 if levels.shape[0] == 1 and not run.done.noncollinear else 1.0
    shares = np.broadcast_to((weights / weights.sum())[None, :, None] * holds, levels.shape[:3])
    energies, states = counted_states(levels[..., 0].ravel(), shares.ravel())
    filled = counted_states(levels[..., 0].ravel(), (shares * levels[..., 1]).ravel())[1]
    more = {"dos_energies_eV": energies, "dos_states_per_eV": states, "dos_filled_per_eV": filled}
    return host.model_copy(update=more)
