"""Equilibrium and quenched concentrations of defects with a self-consistent Fermi level.

Defects on one kind of site exclude each other and do not interact otherwise: with N sites per formula
unit, c_d = N w_d / (1 + sum w) with w = g exp(-E_f/kT). Their charge, electrons and holes sum to zero,
which fixes the Fermi level. A quenched film keeps the totals of its growth temperature while charges and
carriers follow.

Our own solver, and not py-sc-fermi or doped: the former knows no site competition (which is what keeps a
fraction below one at the easy vacancies of a film), and the latter starts from VASP files. Where the
models overlap, the tests hold ours against py-sc-fermi.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.checks import Check, held
from ..results.document import Document, Provenance
from .carriers import carriers_per_A3
from .charge_states import BandEdges, ChargeLine

if TYPE_CHECKING:
    import pandas as pd

PER_CM3 = 1e24
# Beyond this share of a site's ions defects meet, and what they do to each other is left out.
DILUTE_FRACTION = 0.05
_NEUTRAL = 1e-8
_MASS_ACTION_EV = 1e-9
_REACH_EV = 4.0


class NoFermiLevelError(ValueError):
    """No Fermi level makes the crystal neutral."""


class DefectSites(Document):
    """Where a defect sits and what else it may count.

    Attributes
    ----------
    label
        Of the defect.
    site
        Kind of site; defects with the same kind exclude each other.
    per_formula
        Sites of that kind per formula unit of the host.
    degeneracy
        Spin and orientation states by charge; 1 where nothing is said.
    states_above_eV
        Other configurations by charge, eV above the lowest; each as often degenerate as that.
    """

    label: str
    site: str
    per_formula: float = Field(gt=0)
    degeneracy: dict[int, float] = Field(default_factory=dict)
    states_above_eV: dict[int, list[float]] = Field(default_factory=dict)

    def states_at(self, charge: int, thermal_eV: float) -> float:
        """Partition function of one charge at kT, its lowest configuration at zero energy."""
        above = np.array([0.0, *self.states_above_eV.get(charge, [])])
        return self.degeneracy.get(charge, 1.0) * float(np.exp(-above / thermal_eV).sum())


class SolidSolution(Document):
    """The host that the defects are counted in.

    Attributes
    ----------
    formula, composition
        Formula unit and its atoms.
    volume_A3
        Of the formula unit.
    sites
        One entry per defect.
    removed
        Atoms taken out by element, by defect; negative for atoms put in.
    """

    formula: str
    composition: dict[str, float]
    volume_A3: float = Field(gt=0)
    sites: list[DefectSites]
    removed: dict[str, dict[str, int]]


class DefectConcentration(Document):
    """One charge state of one defect."""

    label: str
    charge: int
    per_formula: float
    per_cm3: float
    site_fraction: float
    formation_energy_eV: float


class ConcentrationSet(Document):
    """All defects and carriers of a host at one temperature and point of its stability region.

    Attributes
    ----------
    temperature_K
        At which charges and carriers are in equilibrium.
    frozen_at_K
        At which the totals of the defects were in equilibrium; None if that is `temperature_K`.
    fermi_eV
        Above the valence band maximum; None if neither charged defects nor bands with carriers were given.
    electrons_per_cm3, holes_per_cm3
        Carriers, the intrinsic ones where no defect is charged; zero without a Fermi level.
    composition
        Atoms per formula unit with the defects in.
    checks
        Charge neutrality, mass action and the dilute limit, each of which could have failed.
    """

    formula: str
    temperature_K: float
    frozen_at_K: float | None
    fermi_eV: float | None
    electrons_per_cm3: float
    holes_per_cm3: float
    defects: list[DefectConcentration]
    composition: dict[str, float]
    checks: list[Check]
    provenance: Provenance = Field(repr=False)

    def total_per_formula(self, label: str) -> float:
        """All charge states of a defect together."""
        return float(sum(d.per_formula for d in self.defects if d.label == label))

    def ratio(self, element: str, other: str) -> float:
        """Atomic ratio of two elements of the film."""
        return self.composition[element] / self.composition[other]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per charge state; the columns carry their units."""
        import pandas as pd

        return pd.DataFrame([d.model_dump() for d in self.defects]).rename(columns={"charge": "charge_e"})


def _logsumexp(exponents: np.ndarray) -> float:
    """Log of a sum of exponentials of a few numbers; SciPy's own takes twenty times as long to begin with."""
    most = float(exponents.max())
    return most + math.log(float(np.exp(exponents - most).sum()))


class _System:
    """Arrays of the defects, ready to be evaluated at a Fermi level."""

    def __init__(self, host: SolidSolution, lines: Sequence[ChargeLine], temperature_K: float) -> None:
        places = {s.label: s for s in host.sites}
        self.thermal = BOLTZMANN_eV_PER_K * temperature_K
        self.labels = [line.label for line in lines]
        self.charges = np.array([line.charge for line in lines], dtype=float)
        self.at_vbm = np.array([line.at_vbm_eV for line in lines])
        given = [places[line.label].states_at(line.charge, self.thermal) for line in lines]
        self.log_degeneracy = np.log(given)
        self.kinds = [places[label].site for label in self.labels]
        self.sites = {s.site: s.per_formula for s in host.sites}

    def log_weights(self, fermi_eV: float) -> np.ndarray:
        return np.asarray(self.log_degeneracy - (self.at_vbm + self.charges * fermi_eV) / self.thermal)

    def populations(self, fermi_eV: float, frozen: Mapping[str, float]) -> np.ndarray:
        """Concentrations per formula unit, shape (n_states,)."""
        weights = self.log_weights(fermi_eV)
        out = np.zeros(len(weights))
        for kind, sites in self.sites.items():
            own = [i for i, k in enumerate(self.kinds) if k == kind]
            held = [i for i in own if self.labels[i] in frozen]
            free = [i for i in own if self.labels[i] not in frozen]
            for label in {self.labels[i] for i in held}:
                states = [i for i in held if self.labels[i] == label]
                out[states] = frozen[label] * np.exp(weights[states] - _logsumexp(weights[states]))
            left = sites - sum(frozen[label] for label in {self.labels[i] for i in held})
            if free:
                out[free] = left * np.exp(weights[free] - _logsumexp(np.append(weights[free], 0.0)))
        return out


def solve_concentrations(
    host: SolidSolution,
    lines: Sequence[ChargeLine],
    temperature_K: float,
    provenance: Provenance,
    *,
    edges: BandEdges | None = None,
    frozen_per_formula: Mapping[str, float] | None = None,
    frozen_at_K: float | None = None,
    background_per_cm3: float = 0.0,
) -> ConcentrationSet:
    """Concentrations with the Fermi level that makes the crystal neutral.

    Parameters
    ----------
    host
        Sites and composition.
    lines
        Formation energies at the valence band maximum, at one point of the stability region.
    temperature_K
        Temperature.
    provenance
        Of the energies.
    edges
        Band edges; required once a defect is charged.
    frozen_per_formula
        Totals of defects that can no longer form or heal; all others are in equilibrium.
    frozen_at_K
        Where those totals come from.
    background_per_cm3
        Fixed charge, e/cm^3: ionised dopants that are not among the defects, positive for donors.

    Raises
    ------
    ValueError
        For a temperature that is not positive, a defect without sites, charged defects without band
        edges, frozen totals beyond the sites, or a charge that no Fermi level balances.
    """
    if not math.isfinite(background_per_cm3):
        raise ValueError(f"a background charge must be a finite number of e/cm^3, got {background_per_cm3}")
    background = background_per_cm3 / PER_CM3 * host.volume_A3
    _check(host, lines, temperature_K, edges)
    frozen = dict(frozen_per_formula or {})
    system = _System(host, lines, temperature_K)
    _check_frozen(system, frozen)
    charged = bool(np.any(system.charges != 0)) or background != 0
    if charged and edges is None:
        raise ValueError("a background charge needs the host's band edges: a Fermi level balances it")
    # Without a charged defect the carriers are the intrinsic ones.
    electronic = edges is not None and (charged or edges.has_carriers)

    def carriers(fermi: float) -> tuple[float, float]:
        if edges is None or not electronic:
            return 0.0, 0.0
        n, p = carriers_per_A3(edges, fermi, temperature_K)
        return n * host.volume_A3, p * host.volume_A3

    def net_charge(fermi: float) -> float:
        n, p = carriers(fermi)
        return float(system.charges @ system.populations(fermi, frozen)) + p - n + background

    fermi = _root(net_charge, edges.gap_eV) if electronic and edges is not None else None
    level = 0.0 if fermi is None else fermi
    amounts = system.populations(level, frozen)
    electrons, holes = carriers(level)
    energies = system.at_vbm + system.charges * level
    defects = [
        DefectConcentration(
            label=line.label,
            charge=line.charge,
            per_formula=float(c),
            per_cm3=float(c / host.volume_A3 * PER_CM3),
            site_fraction=float(c / system.sites[kind]),
            formation_energy_eV=float(e),
        )
        for line, c, kind, e in zip(lines, amounts, system.kinds, energies, strict=True)
    ]
    checks = [
        _neutrality(net_charge(level), system.charges, amounts, electrons + holes + abs(background)),
        _mass_action(system, amounts, level, frozen),
        _dilute(system, amounts),
    ]
    return ConcentrationSet(
        formula=host.formula,
        temperature_K=temperature_K,
        frozen_at_K=frozen_at_K if frozen else None,
        fermi_eV=fermi,
        electrons_per_cm3=electrons / host.volume_A3 * PER_CM3,
        holes_per_cm3=holes / host.volume_A3 * PER_CM3,
        defects=defects,
        composition=_composition(host, defects),
        checks=checks,
        provenance=provenance,
    )


def quench(
    grown: ConcentrationSet,
    host: SolidSolution,
    lines: Sequence[ChargeLine],
    temperature_K: float,
    *,
    edges: BandEdges | None = None,
    mobile: Collection[str] = (),
    background_per_cm3: float = 0.0,
) -> ConcentrationSet:
    """Concentrations after cooling: totals of `grown` kept, charges and carriers at the new temperature.

    Parameters
    ----------
    grown
        Equilibrium at the growth temperature.
    host, lines, edges
        As in `solve_concentrations`; the formation energies only share out the charges.
    temperature_K
        Temperature after cooling.
    mobile
        Defects that still reach a source or sink there, see `mobility.mobile_defects`: they go on being in equilibrium.
    background_per_cm3
        As in `solve_concentrations`.

    Raises
    ------
    ValueError
        As `solve_concentrations`, and for a mobile defect that is not among those grown.
    """
    labels = list(dict.fromkeys(d.label for d in grown.defects))
    if unknown := sorted(set(mobile) - set(labels)):
        raise ValueError(f"{', '.join(unknown)} cannot move: the defects are {', '.join(labels)}")
    totals = {label: grown.total_per_formula(label) for label in labels if label not in mobile}
    return solve_concentrations(
        host,
        lines,
        temperature_K,
        grown.provenance,
        edges=edges,
        frozen_per_formula=totals,
        frozen_at_K=grown.temperature_K,
        background_per_cm3=background_per_cm3,
    )


def _root(net_charge: Callable[[float], float], gap_eV: float) -> float:
    from scipy.optimize import brentq

    low, high = -_REACH_EV, gap_eV + _REACH_EV
    if not net_charge(low) >= 0.0 >= net_charge(high):
        raise NoFermiLevelError(
            f"no Fermi level between {low:.1f} and {high:.1f} eV makes the crystal neutral; check the charges, "
            "formation energies and band edges"
        )
    return float(brentq(net_charge, low, high, xtol=1e-14, rtol=8.9e-16, maxiter=500))


def _composition(host: SolidSolution, defects: Sequence[DefectConcentration]) -> dict[str, float]:
    out = dict(host.composition)
    for d in defects:
        for element, n in host.removed[d.label].items():
            out[element] = out.get(element, 0.0) - n * d.per_formula
    return out


def _neutrality(net: float, charges: np.ndarray, amounts: np.ndarray, carriers: float) -> Check:
    scale = float(np.abs(charges) @ amounts) + carriers
    value = abs(net) / scale if scale > 0 else 0.0
    return held("charge neutrality", value, _NEUTRAL, unit="of all charge")


def _mass_action(system: _System, amounts: np.ndarray, fermi: float, frozen: Mapping[str, float]) -> Check:
    """Largest deviation of kT ln(c / (g empty)) from -E_f, from the amounts alone."""
    worst = 0.0
    expected = -(system.at_vbm + system.charges * fermi)
    for kind, sites in system.sites.items():
        own = [i for i, k in enumerate(system.kinds) if k == kind and amounts[i] > 0]
        empty = sites - float(sum(amounts[i] for i in own))
        for i in own:
            residual = system.thermal * (math.log(amounts[i]) - system.log_degeneracy[i])
            if system.labels[i] not in frozen:
                # An empty share at rounding says nothing: the site is full.
                if empty > 1e-6 * sites:
                    worst = max(worst, abs(residual - system.thermal * math.log(empty) - expected[i]))
                continue
            j = next(k for k in own if system.labels[k] == system.labels[i])
            other = system.thermal * (math.log(amounts[j]) - system.log_degeneracy[j])
            worst = max(worst, abs((residual - other) - (expected[i] - expected[j])))
    return held("mass action", worst, _MASS_ACTION_EV, unit="eV")


def _dilute(system: _System, amounts: np.ndarray) -> Check:
    shares = [
        float(sum(amounts[i] for i, k in enumerate(system.kinds) if k == kind)) / n for kind, n in system.sites.items()
    ]
    value = max(shares, default=0.0)
    return held(
        "dilute",
        value,
        DILUTE_FRACTION,
        unit="of the sites of one kind",
        note="" if value <= DILUTE_FRACTION else "defects this dense attract or repel each other; that is left out",
    )


def _check(host: SolidSolution, lines: Sequence[ChargeLine], temperature_K: float, edges: BandEdges | None) -> None:
    if not (temperature_K > 0 and math.isfinite(temperature_K)):
        raise ValueError(f"the temperature must be above 0 K, got {temperature_K}")
    known = {s.label for s in host.sites}
    missing = sorted({line.label for line in lines} - (known & set(host.removed)))
    if missing:
        raise ValueError(f"no sites or composition given for {', '.join(missing)}")
    counts: dict[str, float] = {}
    for s in host.sites:
        if abs(counts.setdefault(s.site, s.per_formula) - s.per_formula) > 1e-9:
            raise ValueError(
                f"site {s.site} is given with {counts[s.site]:g} and with {s.per_formula:g} per formula unit"
            )
        if any(g <= 0 for g in s.degeneracy.values()):
            raise ValueError(f"{s.label}: a degeneracy must be positive")
        if any(not 0 <= x < math.inf for own in s.states_above_eV.values() for x in own):
            raise ValueError(f"{s.label}: configurations above the lowest one must lie at 0 eV or more")
    if edges is None and any(line.charge for line in lines):
        raise ValueError("charged defects need the host's band edges, because the Fermi level enters their energies")


def _check_frozen(system: _System, frozen: Mapping[str, float]) -> None:
    stray = sorted(set(frozen) - set(system.labels))
    if stray:
        raise ValueError(f"frozen totals of unknown defects: {', '.join(stray)}")
    for kind, sites in system.sites.items():
        held = {label for label, k in zip(system.labels, system.kinds, strict=True) if k == kind and label in frozen}
        total = sum(frozen[label] for label in held)
        if total > sites or any(frozen[label] < 0 for label in held):
            raise ValueError(f"frozen totals on {kind} sum to {total:g} per formula unit; there are {sites:g} sites")
