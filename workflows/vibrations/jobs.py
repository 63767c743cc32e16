"""Jobs in which an engine computes the vibrations of a hop in one go."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from jobflow import job

from ...analysis.kinetics.attempt_frequency import AttemptFrequency, frequencies_THz
from ...analysis.results.calculation import Band
from ...stored.caching import cache_version
from ..ase.jobs import AseEngine
from ..band.driver import CallCounter
from ..evaluation.checkpoint import checkpoint
from .hessian import FloatArray, full_hessian, partial_hessian
from .states import Request, StateHessian, VibratingHop

LEFT_OUT = ("harmonic vibrations: no anharmonicity, no tunnelling",)


@job(name="vibrations")
@cache_version(3)
def vibrations_here(engine: AseEngine, band: Band, request: dict[str, object]) -> AttemptFrequency:
    """Modes of both ends and the controlling saddle with an ASE calculator; outputs an `AttemptFrequency`.

    Parameters
    ----------
    engine
        Supplies the forces.
    band
        Converged band.
    request
        Fields of a `vibration_states.Request`.

    Raises
    ------
    InvalidResultError
        If the band failed a guard.
    """
    asked = Request(**request)  # type: ignore[arg-type]
    hop = VibratingHop(band, asked.radius_A)
    counter = CallCounter()
    with engine.quiet(), checkpoint(engine, *hop.states, hop.mover, asked) as record:
        found = []
        for atoms in hop.states:
            calculator = counter.attach(record.attach(engine.make_calculator(atoms, hop.mover)))

            def forces(moved: Atoms, calculator: object = calculator) -> FloatArray:
                return np.array(calculator.get_property("forces", moved))  # type: ignore[attr-defined]

            largest = float(np.linalg.norm(forces(atoms), axis=1).max())
            if hop.everything:
                hessian, frequencies = full_hessian(atoms, hop.mover, forces, asked.displacement_A)
            else:
                hessian = partial_hessian(atoms, hop.chosen, forces, asked.displacement_A)
                frequencies = frequencies_THz(hessian, atoms.get_masses()[hop.chosen])
            found.append(StateHessian(hessian, frequencies, largest))
    return hop.attempt_frequency(asked, found, counter.calls, engine.provenance(LEFT_OUT))
