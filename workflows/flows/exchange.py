"""Four-state energy mapping of one pair: four statics per coupling, on given spin orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jobflow import Flow, job
from pymatgen.core import Structure

from ...analysis.magnetism.exchange import (
    FourStateResult,
    four_state_spins,
    four_state_value,
    images_at_shortest_distance,
)
from ...analysis.magnetism.pair_coupling import symmetry_check
from ...analysis.results.calculation import Calculation, require_valid
from ..engine import CannotDoError, Engine
from ..jobs.outputs import output_of
from ..maker import EngineMaker

_SPINLESS_LEVELS = ("local", "ML")
_COMPONENTS_OF_D = ("Dx", "Dy", "Dz")


@dataclass
class FourStateMaker(EngineMaker):
    """J, and D if asked for, of one pair of spins.

    Attributes
    ----------
    engine
        Supplies ``static`` on structures whose ``magmom`` is the start of the spins; D needs an engine that
        takes vectors, with spin-orbit coupling on.
    vector_D
        Map D as well: twelve more statics with non-collinear spins. What a symmetric off-diagonal exchange does to the
        same four states stays in it.
    symmetric
        With `vector_D`: exchange the axes of the two spins as well, twelve statics more. Half the difference is D
        alone, half the sum the symmetric part, Gamma.
    """

    engine: Engine = field(kw_only=True)
    vector_D: bool = False
    symmetric: bool = False
    name: str = "four-state exchange"

    def make(self, structure: Structure, first: int, second: int) -> Flow:
        """Flow whose output is a `FourStateResult`.

        Parameters
        ----------
        structure
            Cell with collinear site moments.
        first, second
            Sites of the pair.

        Raises
        ------
        CannotDoError
            If the engine's energy knows no spins.
        ValueError
            If the pair is no pair of magnetic sites, or the symmetric part is asked for without D.
        """
        if self.symmetric and not self.vector_D:
            raise ValueError("symmetric = True separates Gamma from D and needs vector_D = True")
        self.engine.require("static")
        if self.engine.level_of_theory in _SPINLESS_LEVELS:
            raise CannotDoError(
                f"engine {self.engine.name} cannot map exchange: its energy does not depend on given spins; "
                "use a first-principles engine"
            )
        moments = [float(m) for m in structure.site_properties["magmom"]]
        jobs = []
        outputs: dict[str, list[Calculation]] = {}
        exchanged = [f"-{c}" for c in _COMPONENTS_OF_D] if self.symmetric else []
        for component in ("J", *(_COMPONENTS_OF_D if self.vector_D else ()), *exchanged):
            states = four_state_spins(moments, first, second, component)
            if component == "J" and not self.vector_D:
                states = [_collinear(moments, first, second, s) for s in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            statics = [
                self.engine.static(_with_moments(structure, spins), name=f"{component} state {n + 1}")
                for n, spins in enumerate(states)
            ]
            jobs += statics
            outputs[component] = [output_of(m) for m in statics]
        last = map_exchange(structure, first, second, outputs)
        return Flow([*jobs, last], output=last.output, name=self.name)


def _collinear(moments: Sequence[float], first: int, second: int, signs: tuple[int, int]) -> np.ndarray:
    """Signed moments with the pair set; the fields of the background cancel in the four-state combination."""
    out = np.array(moments)
    for site in (first, second):
        if abs(out[site]) < 1e-6:
            raise ValueError(f"site {site} carries no moment; four-state energies need two magnetic sites")
    out[first], out[second] = signs[0] * abs(out[first]), signs[1] * abs(out[second])
    return out


def _with_moments(structure: Structure, spins: np.ndarray) -> Structure:
    out = structure.copy()
    out.add_site_property("magmom", spins.tolist())
    return out


@job(name="map exchange")
def map_exchange(
    structure: Structure, first: int, second: int, energies: dict[str, list[Calculation]]
) -> FourStateResult:
    """J and D from the energies of the spin orders; outputs a `FourStateResult`.

    Raises
    ------
    InvalidResultError
        If a static failed a guard: a spin that turned back makes it the energy of another order.
    """
    for one in (c for four_state_result in energies.values() for c in four_state_result):
        require_valid(one.checks, one.name)
    values = {
        k: four_state_value([c.energy_eV for c in four_state_result]) for k, four_state_result in energies.items()
    }
    distance, images = images_at_shortest_distance(structure, first, second)
    vector, symmetric, notes = None, None, []
    if "-Dx" in values:
        vector = [(values[c] - values[f"-{c}"]) / 2 for c in _COMPONENTS_OF_D]
        symmetric = [-(values[c] + values[f"-{c}"]) / 2 for c in _COMPONENTS_OF_D]
    elif "Dx" in values:
        vector = [values[c] for c in _COMPONENTS_OF_D]
        notes.append("D holds minus the symmetric off-diagonal exchange of the pair; symmetric=True tells them apart")
    four_state_result = FourStateResult(
        first=first,
        second=second,
        J_meV=values["J"],
        D_meV=vector,
        distance_A=distance,
        images=images,
        provenance=energies["J"][0].provenance,
        Gamma_meV=symmetric,
        assumptions=notes,
    )
    allowed = symmetry_check(structure, four_state_result)
    return four_state_result if allowed is None else four_state_result.model_copy(update={"checks": [allowed]})
