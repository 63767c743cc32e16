"""Energies of cation orders by first principles that the package ships, for each set of U."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import Field

from ...structures.units import EV_PER_KJ_PER_MOL
from ..defects.inversion import inversion_degree
from ..results.calculation import Calculation
from ..results.checks import invalid_because
from ..results.document import Document
from ..study.reference_calculations import (
    ReferenceCalculation,
    espresso_calculations_folder,
    hubbard_U_eV_of,
    reference_calculations_folder,
    u_in_words,
)

# Orders of cobalt ferrite by the names of their calculations.
_ORDERS = {"imma": "Imma", "p4122": "P4_122", "normal": "normal"}
_HOST = "cofe2o4"
# Where cations of a cobalt ferrite come to rest, assumed; films are grown near it.
FREEZING_K = 1000.0
QUADRATIC_eV = -20.0 * EV_PER_KJ_PER_MOL
MEASURED_INVERSION = "0.76 to 0.96 by how it was cooled (general literature; 0.815 in 10.1007/s10751-009-9954-3)"


class OrderGain(Document):
    """By how much an order lies below the normal one, ions relaxed, with one set of U.

    Attributes
    ----------
    order, hubbard_U_eV
        Which order, and U by element.
    gain_eV_per_formula
        Energy of the normal order minus this one's; positive where this one is the stabler.
    engine, cell_atoms, source
        Who computed it in which cell, and the names of the two calculations.
    without_gap
        Which of the two orders are metals there.
    """

    order: str
    hubbard_U_eV: dict[str, float]
    gain_eV_per_formula: float
    engine: str
    cell_atoms: int
    source: str
    without_gap: list[str] = Field(default_factory=list)

    @property
    def in_words(self) -> str:
        """One clause: U, order, energy, and which order is a metal."""
        u = u_in_words(self.hubbard_U_eV)
        side = "below" if self.gain_eV_per_formula > 0 else "above"
        how = f"U = {u} eV" if u else "no U"
        metals = f" (no gap: {', '.join(self.without_gap)})" if self.without_gap else ""
        return f"{how}: {self.order} {abs(self.gain_eV_per_formula):.3f} eV/f.u. {side} the normal order{metals}"


def inversion_in_words(gains: Sequence[OrderGain]) -> str:
    """Degree of inversion that these energies give at rest, by U, beside the measured one.

    By `inversion_degree`, with an enthalpy linear in the inversion and with the quadratic term that O'Neill and
    Navrotsky (1984) propose for all spinels of ions of charges 2 and 3; the order on the octahedra is left out.
    """
    degrees = [
        sorted(inversion_degree(-gain.gain_eV_per_formula, FREEZING_K, beta) for beta in (0.0, QUADRATIC_eV))
        for gain in gains
    ]
    each = ", ".join(" to ".join(dict.fromkeys(f"{x:.2f}" for x in pair)) for pair in degrees)
    return (
        f"ions that come to rest at {FREEZING_K:.0f} K, at random on each sublattice, have the degree of inversion "
        f"{each}, U as above (from none to -20 kJ/mol of quadratic term, 10.1016/0022-1902(67)80008-3 and O'Neill and "
        f"Navrotsky 1984; 0.67 is random); measured {MEASURED_INVERSION}"
    )


def known_order_gains(host_key: str) -> list[OrderGain]:
    """The stabler of the inverse orders against the normal one, for each set of U for which both are there."""
    return list(_gains("-*-relaxed", reference_calculations_folder())) if host_key.partition(":")[0] == _HOST else []


def repeated_order_gains(host_key: str) -> list[OrderGain]:
    """The same cells, U and mesh once more: in atomic orbitals instead of plane waves, and by another code."""
    if host_key.partition(":")[0] != _HOST:
        return []
    again = _gains("-dzp-*", reference_calculations_folder())
    return [*again, *_gains("-espresso-*", espresso_calculations_folder())]


def order_gains_by_meta_gga(host_key: str) -> list[OrderGain]:
    """The same cells by r2SCAN without U, ions as PBE+U relaxed them."""
    ours = host_key.partition(":")[0] == _HOST
    return list(_gains("-*-r2scan-static", reference_calculations_folder())) if ours else []


@cache
def _gains(names: str, folder: Path) -> tuple[OrderGain, ...]:
    files = sorted(p for key in _ORDERS for p in folder.glob(f"{key}{names}.json"))
    read = {path.stem: ReferenceCalculation.model_validate_json(path.read_text()) for path in files}
    sound = {name: reference for name, reference in read.items() if _is_sound(reference)}
    order_gains = []
    for name in (n for n in sound if n.startswith("normal-")):
        settings = name.removeprefix("normal-")
        inverse = {key: sound[f"{key}-{settings}"] for key in ("imma", "p4122") if f"{key}-{settings}" in sound}
        if not inverse:
            continue
        best = min(inverse, key=lambda key: _per_formula(inverse[key]))
        order_gains.append(
            OrderGain(
                order=_ORDERS[best],
                hubbard_U_eV=hubbard_U_eV_of(_calculation(sound[name])),
                gain_eV_per_formula=_per_formula(sound[name]) - _per_formula(inverse[best]),
                engine=sound[name].provenance.engine,
                cell_atoms=len(_calculation(sound[name]).structure),
                source=f"data/{folder.name}/{name}.json, {best}-{settings}.json",
                without_gap=[
                    order
                    for order, reference in ((_ORDERS[best], inverse[best]), ("normal", sound[name]))
                    if _calculation(reference).gap_eV == 0
                ],
            )
        )
    return tuple(sorted(order_gains, key=lambda gain: sum(gain.hubbard_U_eV.values())))


def _is_sound(reference: ReferenceCalculation) -> bool:
    return reference.calculation is not None and not invalid_because(reference.calculation.checks)


def _calculation(reference: ReferenceCalculation) -> Calculation:
    if reference.calculation is None:
        raise ValueError(f"{reference.name} holds no energy")
    return reference.calculation


def _per_formula(reference: ReferenceCalculation) -> float:
    """Energy per formula unit of CoFe2O4, eV."""
    calculation = _calculation(reference)
    return calculation.energy_eV / float(calculation.structure.composition["Co"])
