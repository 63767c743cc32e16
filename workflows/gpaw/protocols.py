"""Numbers of the protocols fast, balanced and stringent for GPAW; what the words mean is in `workflows.engine`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..band.driver import BandSettings
from .settings import GpawSettings

if TYPE_CHECKING:
    from ..engine import Protocol


def protocol_options() -> Mapping[Protocol, dict[str, Any]]:
    """Fields of the engine by protocol.

    A mesh of 0.45 1/Angstrom is two points along an edge of 8.4 Angstrom, of 0.30 three: oxides with a gap of an
    electronvolt are converged to meV per formula unit there. Convergence is per valence electron.
    """
    return {
        "fast": {
            "dft": GpawSettings(cutoff_eV=400.0, k_spacing_per_A=0.66, energy_eV=1e-4, density_e=1e-4),
            "fmax_eV_per_A": 0.05,
            "cell_fmax_eV_per_A": 0.05,
            "stress_limit_eV_per_A3": 5e-3,
            "band_settings": BandSettings(fmax_eV_per_A=0.10, relax_fmax_eV_per_A=0.05),
        },
        "balanced": {
            "dft": GpawSettings(cutoff_eV=500.0, k_spacing_per_A=0.45, energy_eV=1e-5, density_e=1e-5),
            "fmax_eV_per_A": 0.02,
            "cell_fmax_eV_per_A": 0.02,
        },
        "stringent": {
            "dft": GpawSettings(
                cutoff_eV=600.0, k_spacing_per_A=0.30, energy_eV=1e-6, density_e=1e-6, eigenstates_eV2=1e-9
            ),
            "fmax_eV_per_A": 0.01,
            "cell_fmax_eV_per_A": 0.01,
            "band_settings": BandSettings(fmax_eV_per_A=0.02, relax_fmax_eV_per_A=0.01),
        },
    }
