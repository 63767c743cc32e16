"""h of a frozen reference from an engine: half of what it costs to turn the frozen moments over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.magnetism.frozen_reference import FrozenReference, frozen_sites
from ...analysis.results.calculation import Calculation, require_valid
from ...analysis.study.documents import StageResult
from ..engine import CannotDoError, Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker

_SPINLESS_LEVELS = ("local", "ML", "ASE")
# A moment with less than this share of what was set, along what was set, has gone over to another state.
_KEPT = 0.25
# Below a Bohr magneton a site is no spin of its own.
_SPIN_muB = 1.0


def needs_engine(reference: FrozenReference | None) -> bool:
    """Whether h of the reference is left to the engine."""
    return reference is not None and not reference.has_coupling


def check_reference(reference: FrozenReference | None, engine: Engine, stages: Sequence[StageResult]) -> None:
    """Refuse a reference that the study cannot use, before anything is computed.

    Raises
    ------
    ValueError
        If there will be no maps before and after a hop, or h is left to an engine without spins.
    """
    if reference is None:
        return
    done = {s.stage for s in stages if s.done}
    if not {"migration", "anisotropy"} <= done:
        raise ValueError(
            "a frozen reference needs the stages migration and anisotropy, for its states before and after"
        )
    if needs_engine(reference) and engine.level_of_theory in _SPINLESS_LEVELS:
        raise ValueError(
            f"the energy of engine {engine.name} does not depend on given spins, so that it has no coupling to a "
            "frozen reference; state h_meV (per cell) or J_meV by pair"
        )


@dataclass
class FrozenExchangeMaker(EngineMaker):
    """Two statics per state: the collinear order as it is, and with the frozen moments turned over.

    Attributes
    ----------
    engine
        Supplies ``static`` on structures whose ``magmom`` is the start of the spins.
    reference
        What is frozen.
    """

    engine: Engine = field(kw_only=True)
    reference: FrozenReference = field(kw_only=True)
    name: str = "exchange with the reference"

    def make(self, before: Structure, after: Structure, mover: int) -> Flow:
        """Flow whose output is h in meV by state.

        Parameters
        ----------
        before, after
            Relaxed states of the hop, or references to them.
        mover
            Index of the moving ion.

        Raises
        ------
        CannotDoError
            If the engine's energy knows no spins.
        """
        self.engine.require("static")
        if self.engine.level_of_theory in _SPINLESS_LEVELS:
            raise CannotDoError(f"engine {self.engine.name} cannot: its energy does not depend on given spins")
        jobs, made = [], {}
        for state, structure in (("before", before), ("after", after)):
            turned = turn_frozen(structure, self.reference, mover, before)
            state_job = self.engine.static(structure, name=f"{state}, order as it is", mover=mover)
            over = self.engine.static(output_of(turned), name=f"{state}, reference turned over", mover=mover)
            jobs += [turned, state_job, over]
            made[state] = {"kept": state_job.output, "over": over.output, "set": turned.output}
        last = read_coupling(made)
        return Flow([*jobs, last], output=last.output, name=self.name)


@job(name="turn reference over")
def turn_frozen(structure: Structure, reference: FrozenReference, mover: int, before: Structure) -> Structure:
    """The structure with the moments of the frozen ions reversed: of those that the reference names before the hop."""
    frozen = set(frozen_sites(before, reference, mover))
    out = structure.copy()
    moments = [-float(m) if i in frozen else float(m) for i, m in enumerate(structure.site_properties["magmom"])]
    out.add_site_property("magmom", moments)
    return out


@job(name="coupling to the reference")
def read_coupling(made: dict[str, dict[str, Calculation | Structure]]) -> dict[str, float]:
    """Half the energy of turning the frozen moments over, meV, by state.

    Raises
    ------
    InvalidResultError
        If a static failed a guard.
    ValueError
        If the engine let moments fall back: then the two energies are of one order.
    """
    out = {}
    for state, cells in made.items():
        unturned, over, wanted = cells["kept"], cells["over"], cells["set"]
        assert isinstance(unturned, Calculation)
        assert isinstance(over, Calculation)
        assert isinstance(wanted, Structure)
        require_valid([*unturned.checks, *over.checks], f"the coupling of state {state}")
        lost = _fallen_back(wanted, over)
        if lost:
            raise ValueError(
                f"state {state}: the moments of {len(lost)} ions did not stay turned over (first: site {lost[0]}); "
                "no coupling can be read from these energies, state h_meV instead"
            )
        out[state] = 1000.0 * (over.energy_eV - unturned.energy_eV) / 2
    return out


def _fallen_back(wanted: Structure, calculation: Calculation) -> list[int]:
    """Sites whose moment is not the one that was set; sizes alone are compared where the engine knows no sign."""
    if calculation.site_moments_muB is None:
        return []
    asked = [float(m) for m in wanted.site_properties["magmom"]]
    unsigned = min(calculation.site_moments_muB) >= 0
    pairs = [(abs(a) if unsigned else a, b) for a, b in zip(asked, calculation.site_moments_muB, strict=True)]
    return [i for i, (a, b) in enumerate(pairs) if abs(a) > _SPIN_muB and a * b < _KEPT * a * a]
