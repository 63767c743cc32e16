"""Published couplings of built-in hosts, with where they come from, for ordering temperatures without a calculation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy import constants as _c

_MEV_PER_K = 1000.0 * _c.k / _c.e


@dataclass(frozen=True)
class KnownCouplings:
    """Couplings of unit vectors of one host, E = -J e_1.e_2 with each pair once.

    Attributes
    ----------
    J_meV
        By pair of labels.
    spins
        S of each label.
    source
        Where they come from, what they were derived with, and in which convention.
    """

    J_meV: dict[str, float]
    spins: dict[str, float]
    source: str


def _of_unit_vectors(
    integrals: Mapping[str, float], spins: Mapping[str, float], unit_meV: float, factor: float
) -> dict[str, float]:
    """From J of -factor J S_1.S_2 to that of unit vectors."""
    out = {}
    for pair, value in integrals.items():
        first, _, second = pair.partition("-")
        out[pair] = factor * value * unit_meV * spins[first] * spins[second]
    return out


_FERRITE = (
    "C. M. Srivastava et al., 10.1103/PhysRevB.19.499 (three sublattices in mean field, J in K of -2J S.S; as quoted "
)
_COBALT_SPINS = {"Fe(A)": 2.5, "Fe(B)": 2.5, "Co(B)": 1.5}
_FERRIC_SPINS = {"Fe(A)": 2.5, "Fe(B)": 2.5}
# Kelvin; with S(S + 1) and B sites at random these give 793.0 K, the measured T_C, in mean field.
_COBALT = {
    "Fe(A)-Fe(B)": -26.0,
    "Fe(A)-Co(B)": -22.7,
    "Fe(B)-Fe(B)": -7.5,
    "Co(B)-Fe(B)": -18.5,
    "Co(B)-Co(B)": 46.9,
    "Fe(A)-Fe(A)": -15.0,
}
_FERRIC = {pair: value for pair, value in _COBALT.items() if "Co" not in pair}
_MAGNETITE_SPINS = {"Fe(A)": 2.5, "Fe(B)": 2.25}
_TRANSFERRED = _FERRITE + "elsewhere; Fe3+ pairs of CoFe2O4, assumed to hold in this host)"

KNOWN: Mapping[str, KnownCouplings] = {
    "cofe2o4": KnownCouplings(
        _of_unit_vectors(_COBALT, _COBALT_SPINS, _MEV_PER_K, 2.0), _COBALT_SPINS, _FERRITE + "elsewhere)"
    ),
    "life5o8": KnownCouplings(_of_unit_vectors(_FERRIC, _FERRIC_SPINS, _MEV_PER_K, 2.0), _FERRIC_SPINS, _TRANSFERRED),
    "gamma_fe2o3": KnownCouplings(
        _of_unit_vectors(_FERRIC, _FERRIC_SPINS, _MEV_PER_K, 2.0), _FERRIC_SPINS, _TRANSFERRED
    ),
    "fe3o4": KnownCouplings(
        _of_unit_vectors({"Fe(A)-Fe(B)": -4.8, "Fe(B)-Fe(B)": 0.69}, _MAGNETITE_SPINS, 1.0, 1.0),
        _MAGNETITE_SPINS,
        "R. J. McQueeney et al., 10.1103/PhysRevLett.99.246401 (spin waves by neutrons, J in meV of -J S.S; as quoted "
        "elsewhere)",
    ),
}


def known_couplings(host_key: str) -> KnownCouplings | None:
    """Those of a built-in host; None if none are shipped."""
    return KNOWN.get(host_key.partition(":")[0])
