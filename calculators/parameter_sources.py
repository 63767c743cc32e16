"""Where each single-ion parameter comes from, and how far that was checked.

Three marks: ``read`` (the number stands in the source's own abstract, which was read), ``secondary`` (read in a later
table or text that quotes it, or known from general literature; the original was not opened) and ``assumed`` (ours,
of the usual size). The last column is the range over which `benchmarks/single_ions.py` varies it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["SOURCES", "ParameterSource", "sources_line"]

Mark = Literal["read", "secondary", "assumed"]
_BOOK = "A. Abragam and B. Bleaney, Electron Paramagnetic Resonance of Transition Ions (1970), not opened"


@dataclass(frozen=True)
class ParameterSource:
    """One parameter of one ion.

    Attributes
    ----------
    ion, name
        Field of `SingleIonParameters`, and field of its parameters.
    mark
        How the number was had.
    source
        In words, with a DOI where there is one.
    low, high
        Range in which it may lie, unit of the parameter; of a source's error bar or our judgement.
    """

    ion: Literal["cobalt", "ferrous", "ferric"]
    name: str
    mark: Mark
    source: str
    low: float
    high: float


SOURCES: tuple[ParameterSource, ...] = (
    ParameterSource(
        "cobalt",
        "racah_B_eV",
        "secondary",
        "0.81 of the free ion's 971 1/cm (table of W. L. Jolly, Modern Inorganic Chemistry, read as quoted); the "
        "reduction is assumed",
        0.088,
        0.120,
    ),
    ParameterSource("cobalt", "racah_C_eV", "assumed", "4.5 B, the usual ratio; 0.81 of the free ion's", 0.39, 0.54),
    ParameterSource(
        "cobalt", "e_sigma_eV", "assumed", "10Dq = 3 e_sigma - 4 e_pi of about 1.1 eV in oxides", 0.45, 0.55
    ),
    ParameterSource("cobalt", "e_pi_eV", "assumed", "about a fifth of e_sigma", 0.08, 0.14),
    ParameterSource("cobalt", "distance_exponent", "assumed", "point charges give 5", 4.0, 6.0),
    ParameterSource(
        "cobalt",
        "zeta_eV",
        "secondary",
        f"0.94 of the free ion's 533 1/cm: {_BOOK}; the reduction is assumed",
        0.055,
        0.066,
    ),
    ParameterSource(
        "cobalt", "exchange_eV", "assumed", "the mean field that a Curie temperature near 790 K asks for", 0.04, 0.08
    ),
    ParameterSource(
        "cobalt", "r2_a0_squared", "secondary", f"Hartree-Fock of A. J. Freeman and R. E. Watson in {_BOOK}", 1.0, 1.4
    ),
    ParameterSource("cobalt", "shielding", "assumed", "no shielding of the far ions' field", 0.7, 1.0),
    ParameterSource(
        "ferrous",
        "racah_B_eV",
        "secondary",
        "0.88 of the free ion's 917 1/cm (table of W. L. Jolly, read as quoted); the reduction is assumed",
        0.090,
        0.114,
    ),
    ParameterSource("ferrous", "racah_C_eV", "secondary", f"0.88 of the free ion's 4040 1/cm: {_BOOK}", 0.39, 0.50),
    ParameterSource("ferrous", "e_sigma_eV", "assumed", "that of Co2+, whose radius is close", 0.45, 0.55),
    ParameterSource("ferrous", "e_pi_eV", "assumed", "that of Co2+", 0.08, 0.14),
    ParameterSource(
        "ferrous", "zeta_eV", "secondary", f"0.94 of about 400 1/cm: {_BOOK}; the reduction is assumed", 0.041, 0.050
    ),
    ParameterSource(
        "ferrous", "r2_a0_squared", "secondary", f"Hartree-Fock of A. J. Freeman and R. E. Watson in {_BOOK}", 1.1, 1.55
    ),
    ParameterSource(
        "ferric",
        "b2_per_cm",
        "secondary",
        "D. J. Newman and W. Urban, 10.1080/00018737500101511, -0.412(25) 1/cm from Fe3+ in strained MgO; not opened",
        -0.437,
        -0.387,
    ),
    ParameterSource("ferric", "b2_exponent", "secondary", "the same, 8(1)", 7.0, 9.0),
    ParameterSource(
        "ferric",
        "a_octahedron_per_cm",
        "read",
        "Fe3+ in MgO, W. Low, 10.1103/PhysRev.105.792; in the octahedron of a garnet it is 0.0185 1/cm (next source)",
        0.0185,
        0.0205,
    ),
    ParameterSource(
        "ferric",
        "a_tetrahedron_per_cm",
        "read",
        "yttrium gallium garnet, S. Geschwind, 10.1103/PhysRev.121.363",
        0.0,
        0.0124,
    ),
    ParameterSource("ferric", "exchange_eV", "assumed", "any field that exceeds the splittings", 0.03, 0.09),
)


def sources_line() -> str:
    """One line for the provenance of a map: which parameters are read, secondary and assumed."""
    parts = []
    for mark in ("read", "secondary", "assumed"):
        names = [f"{s.name} ({s.ion})" for s in SOURCES if s.mark == mark]
        parts.append(f"{mark}: {', '.join(names)}")
    return "sources of the single-ion parameters; " + "; ".join(parts)
