"""OSZICAR: energies and moments of the ionic steps, and how much work an electronic step was."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .numbers import reals

_IONIC = re.compile(r"^\s*(\d+|\*+)\s+(?:T=.*?)?(?:E=\s*\S+\s+)?F=\s*(\S+)\s+E0=\s*(\S+)(.*)$", re.MULTILINE)
_ELECTRONIC = re.compile(r"^\s*[A-Z]{2,4}:\s*(\d+|\*+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\d+)", re.MULTILINE)


@dataclass
class Oszicar:
    """What was read.

    Attributes
    ----------
    free_eV, sigma0_eV
        By ionic step.
    moment_muB
        Of the last step; None for a run without spins. Three components of a non-collinear one.
    bands_times_kpoints
        Products of the Hamiltonian in the first electronic step, which is bands times k points in RMM-DIIS and twice
        that in Davidson's scheme: two runs on one mesh do not differ in it by more than symmetry allows.
    """

    free_eV: list[float] = field(default_factory=list)
    sigma0_eV: list[float] = field(default_factory=list)
    moment_muB: list[float] | None = None
    bands_times_kpoints: int | None = None


def read_oszicar(text: str) -> Oszicar:
    """Read an OSZICAR, whole or cut off."""
    out = Oszicar()
    for _number, free, sigma0, rest in _IONIC.findall(text):
        values = reals(free)[:1] + reals(sigma0)[:1]
        if len(values) == 2:
            out.free_eV.append(values[0])
            out.sigma0_eV.append(values[1])
        if "mag=" in rest:
            out.moment_muB = reals(rest.split("mag=", 1)[1]) or None
    if match := _ELECTRONIC.search(text):
        out.bands_times_kpoints = int(match.group(5))
    return out
