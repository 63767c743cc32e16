"""What the ranges of assumed single-ion parameters make of E(n): its error where every parameter is assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...analysis.magnetism.directions import antipodes, lebedev_directions
from ...analysis.magnetism.map_errors import K1_PER_DIFFERENCE, PARAMETERS, ErrorPart
from ...calculators.parameter_sources import SOURCES, ParameterSource
from ...calculators.single_ions import SingleIonParameters, ion_name, open_shell_sites, single_ion_map

if TYPE_CHECKING:
    from ase import Atoms

FloatArray = NDArray[np.float64]
_IONS = {"cobalt": ("Co", 2), "ferrous": ("Fe", 2), "ferric": ("Fe", 3)}
# Its directions hold <100>, <110> and <111>.
_ORDER = 7


def parameter_error(
    atoms: Atoms, charges: ArrayLike, parameters: SingleIonParameters, temperature_K: float = 0.0
) -> ErrorPart:
    """Change of hard minus easy, and of K1, as one parameter after the other goes to the farther end of its range.

    Parameters
    ----------
    atoms, charges, parameters, temperature_K
        As for `single_ion_map`.

    Returns
    -------
    ErrorPart
        Root of the sum of squares over the parameters.
    """
    every = lebedev_directions(_ORDER).vectors
    directions = every[np.arange(len(every)) < antipodes(every.tolist())]
    known = open_shell_sites(atoms)[0]

    def energies_meV(used: SingleIonParameters, sites: list[int]) -> FloatArray:
        found = single_ion_map(atoms, charges, directions, parameters=used, sites=sites, temperature_K=temperature_K)
        return 1000.0 * found.total_eV

    whole = energies_meV(parameters, list(known))
    easy, hard = int(np.argmin(whole)), int(np.argmax(whole))
    spans, constants = [], []
    for name, species in _IONS.items():
        sites = [i for i, s in known.items() if s == species]
        sources = [s for s in SOURCES if s.ion == name] if sites else []
        before = energies_meV(parameters, sites) if sources else whole
        for source in sources:
            change = energies_meV(_at_the_far_end(parameters, source), sites) - before
            spans.append(float(change[hard] - change[easy]))
            constants.append(_cubic_K1(change, directions))
    unknown = sorted({ion_name(s) for s in known.values()} - {ion_name(s) for s in _IONS.values()})
    note = f"{len(spans)} parameters, each at the farther end of its range"
    if not spans:
        return ErrorPart(source=PARAMETERS, note=f"no ranges are known for {', '.join(unknown)}")
    return ErrorPart(
        source=PARAMETERS,
        value_meV=float(np.linalg.norm(spans)),
        K1_meV=float(np.linalg.norm(constants)),
        note=note + (f"; none are known for {', '.join(unknown)}" if unknown else ""),
    )


def _at_the_far_end(parameters: SingleIonParameters, source: ParameterSource) -> SingleIonParameters:
    ion = getattr(parameters, source.ion)
    value = getattr(ion, source.name)
    # Of two ends equally far, but for rounding, the upper one.
    far = source.low if value - source.low > (source.high - value) * (1 + 1e-9) else source.high
    return replace(parameters, **{source.ion: replace(ion, **{source.name: far})})


def _cubic_K1(energies_meV: FloatArray, directions: FloatArray) -> float:
    """K1 = 4 (E110 - E100) of the averages over equivalent directions."""
    zeros = (np.abs(directions) < 1e-9).sum(axis=1)
    along, across = (float(np.mean(energies_meV[zeros == n])) for n in (2, 1))
    return K1_PER_DIFFERENCE * (across - along)
