"""Numbers of the protocols fast, balanced and stringent for VASP; what the words mean is in `workflows.engine`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .settings import SpinOrbitSettings, VaspBandSettings, VaspSettings

if TYPE_CHECKING:
    from ..engine import Protocol


def protocol_options() -> Mapping[Protocol, dict[str, Any]]:
    """Fields of the engine by protocol; values of other projects stand beside them in ``docs/howto_vasp.md``."""
    return {
        "fast": {
            "dft": VaspSettings(
                encut_eV=400.0,
                kpoint_spacing_per_A=0.30,
                ediff_eV=1e-4,
                ediff_relax_eV=1e-4,
                ediff_spin_orbit_eV=1e-7,
                force_eV_per_A=0.05,
                real_space_edge_A=15.0,
                # Li_sv, the choice of the others, needs 500 eV.
                potcar={"Li": "Li"},
            ),
            "path": VaspBandSettings(images_per_segment=1, residual_eV_per_A=0.10),
            "anisotropy": SpinOrbitSettings(kpoint_spacing_per_A=0.40, lebedev_order=7),
        },
        "balanced": {
            "dft": VaspSettings(),
            "path": VaspBandSettings(),
            "anisotropy": SpinOrbitSettings(),
        },
        "stringent": {
            "dft": VaspSettings(
                encut_eV=600.0,
                kpoint_spacing_per_A=0.15,
                long_edge_kpoints=2,
                ediff_eV=1e-7,
                ediff_relax_eV=1e-7,
                ediff_spin_orbit_eV=1e-8,
                force_eV_per_A=0.01,
            ),
            "path": VaspBandSettings(images_per_segment=5, residual_eV_per_A=0.02),
            "anisotropy": SpinOrbitSettings(kpoint_spacing_per_A=0.10, lebedev_order=15),
        },
    }
