"""Defect equilibria of a study: concentrations against oxygen pressure and the composition of grown films."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from ..results.document import Document
from ..thermodynamics.gases import gas_of
from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials, at
from .brouwer import BrouwerDiagram, DefectThermodynamics, FilmPoint, brouwer_diagram, film_composition
from .charge_states import BandEdges, FermiDiagram, fermi_diagram
from .charged_cells import ChargedVacancy
from .concentrations import DefectSites, NoFermiLevelError, SolidSolution
from .defect_energies import VacancyFormation
from .degeneracy import states_above
from .formation import exchange_error_eV
from .vacancies import VacancyState

GROWTH_TEMPERATURES_K = (700.0, 900.0, 1100.0, 1300.0)
GROWTH_PRESSURES_ATM = (1.0, 1e-3, 1e-6, 1e-9)
# The figure's temperature: pulsed-laser films of ferrites are grown near it.
BROUWER_TEMPERATURE_K = 1000.0
ROOM_K = 300.0


class DefectEquilibria(Document):
    """What the formation energies say about concentrations.

    Attributes
    ----------
    brouwer
        Concentrations against oxygen pressure.
    films
        Compositions of films over a grid of growth conditions; without ratios where the host is not stable.
    diffusion
        Brouwer diagram at the conditions of measured diffusion, outside the window too; None without charge states, or
        for `no_diffusion`.
    fermi
        Formation energies against the Fermi level in the middle of the window; None without charge states.
    error_bar_eV
        Error of a formation energy that entered the ranges; None if it is not known.
    left_out
        What the concentrations do not know.
    no_concentrations, no_diffusion
        Why there are none at all, or none at those conditions; empty if there are.
    anion
        Element whose gas the films grow in.
    """

    brouwer: list[BrouwerDiagram]
    films: list[FilmPoint]
    diffusion: BrouwerDiagram | None = Field(default=None, repr=False)
    no_diffusion: str = ""
    fermi: FermiDiagram | None = None
    error_bar_eV: float | None
    left_out: list[str] = Field(default_factory=list)
    no_concentrations: str = ""
    anion: str = "O"

    @property
    def no_films(self) -> str:
        """Why no film's composition is known within its error; empty if one is."""
        inside = [f for f in self.films if f.inside]
        if not inside:
            return "the host is not stable at any of the growth conditions"
        if any(r.low is not None and r.high is not None for f in inside for r in f.ratios):
            return ""
        middle = any(r.mid is not None for f in inside for r in f.ratios)
        where = f"at the {len(inside)} growth conditions where the host is stable"
        if middle and self.error_bar_eV is None:
            return f"{where} no ratio is bounded, since the error of the formation energies is not known"
        bar = "their error is not known" if self.error_bar_eV is None else f"± {self.error_bar_eV:.1f} eV"
        if middle:
            return f"{where} defects need not be dilute within {bar} of the formation energies: no ratio is bounded"
        return f"{where} defects would not be dilute with these formation energies ({bar}): no ratio follows"

    @property
    def dilute(self) -> bool:
        """Whether defects are dilute at one point at least; else no concentration means anything."""
        return any(any(d.dilute) for d in self.brouwer) or any(r.mid is not None for f in self.films for r in f.ratios)


def defect_equilibria(
    defects: Sequence[VacancyFormation],
    host: SolidSolution,
    window: ChemicalPotentials,
    references: SpeciesFit,
    *,
    edges: BandEdges | None = None,
    temperatures_K: Sequence[float] = GROWTH_TEMPERATURES_K,
    pressures_atm: Sequence[float] = GROWTH_PRESSURES_ATM,
    brouwer_temperature_K: float = BROUWER_TEMPERATURE_K,
    barriers_eV: Mapping[str, float] | None = None,
    diffusion_at: tuple[float, Sequence[float]] | None = None,
) -> DefectEquilibria:
    """Brouwer diagram and film compositions of one host.

    Parameters
    ----------
    defects, host
        Energies and sites of the same defects.
    window, references, edges
        As in `brouwer.DefectThermodynamics`.
    temperatures_K, pressures_atm
        Growth conditions.
    brouwer_temperature_K
        Temperature of the diagram; with charge states there is a second one, quenched from it to `ROOM_K`.
    barriers_eV
        Lowest barriers of the defects' hops, see `DefectThermodynamics`.
    diffusion_at
        Temperature (K) and pressures (atm) of a diagram for diffusion, with charge states only.
    """
    errors = _errors_eV(defects, window, references)
    system = DefectThermodynamics(
        defects, host, window, references, edges, errors_eV=errors, free_energies=True, barriers_eV=barriers_eV or {}
    )
    left_out = [
        "other defects: only those listed exchange atoms with the reservoirs",
        "interactions of defects; vibrations and magnetic entropy of the solids",
    ]
    if edges is None:
        left_out.insert(
            0,
            f"charge states and the Fermi level: neutral cells only, so no p({gas_of(window.anion).formula}) slopes of "
            "charged defects",
        )
    if len(errors) < len({d.label for d in defects}):
        left_out.append("the error of the reference energies, which the fit cannot tell")
    middle = 0.5 * (window.delta_mu_O_min_eV + window.delta_mu_O_max_eV)
    brouwer, films, no_concentrations = [], [], ""
    try:
        if edges is not None and not edges.has_carriers:
            raise NoFermiLevelError("the runs give neither a density of states nor effective masses to count carriers")
        brouwer = [brouwer_diagram(system, brouwer_temperature_K, n=41)]
        if edges is not None:
            brouwer.append(brouwer_diagram(system, brouwer_temperature_K, n=41, quench_to_K=ROOM_K))
        films = [f for t in temperatures_K for f in _films_at(system, t, pressures_atm)]
    except NoFermiLevelError as error:
        brouwer, films, no_concentrations = [], [], str(error)
    diffusion, no_diffusion = None, no_concentrations
    if edges is not None and diffusion_at is not None and not no_concentrations:
        diffusion, no_diffusion = _for_diffusion(system, *diffusion_at)
    return DefectEquilibria(
        brouwer=brouwer,
        films=films,
        no_concentrations=no_concentrations,
        diffusion=diffusion,
        no_diffusion=no_diffusion,
        fermi=None if edges is None else fermi_diagram(defects, edges, window, references, at(window, middle)),
        error_bar_eV=max(errors.values(), default=0.0) if len(errors) == len({d.label for d in defects}) else None,
        left_out=left_out,
        anion=window.anion,
    )


def _films_at(system: DefectThermodynamics, temperature_K: float, pressures_atm: Sequence[float]) -> list[FilmPoint]:
    """Films of one temperature, whose window is made once; where there is none, each says so itself."""
    with contextlib.suppress(ValueError):
        system = system.at_temperature(temperature_K)
    return [film_composition(system, temperature_K, p) for p in pressures_atm]


def _for_diffusion(
    system: DefectThermodynamics, temperature_K: float, pressures_atm: Sequence[float]
) -> tuple[BrouwerDiagram | None, str]:
    """Diagram far beyond growth conditions; where there is none, why, and the other results stay."""
    try:
        return brouwer_diagram(system, temperature_K, pressures_atm=pressures_atm, outside=True), ""
    except ValueError as error:
        return None, f"at {temperature_K:g} K {error}"


def _errors_eV(
    defects: Sequence[VacancyFormation], window: ChemicalPotentials, references: SpeciesFit
) -> dict[str, float]:
    """Error of each formation energy in the middle of the window; those that are not known are left out."""
    middle = 0.5 * (window.delta_mu_O_min_eV + window.delta_mu_O_max_eV)
    errors: dict[str, float] = {}
    for d in defects:
        exchanged = exchange_error_eV(d.removed, window, references, middle)
        if exchanged is not None:
            # One error for all charges of a defect: the largest.
            errors[d.label] = max(errors.get(d.label, 0.0), float(np.hypot(exchanged, d.size_error_eV)))
    return errors


def defect_host(
    formula: str,
    composition: Mapping[str, float],
    volume_per_formula_A3: float,
    defects: Sequence[VacancyState | ChargedVacancy],
    formula_units: float,
) -> SolidSolution:
    """Sites of a study's defects; defects of one site exclude each other.

    Parameters
    ----------
    formula, composition, volume_per_formula_A3
        The host's formula unit.
    defects
        Each with its multiplicity in the ordered cell; charge states of one label count once.
    formula_units
        Of that cell.
    """
    once = {d.label: d for d in reversed(defects)}
    return SolidSolution(
        formula=formula,
        composition=dict(composition),
        volume_A3=volume_per_formula_A3,
        sites=[
            DefectSites(
                label=label,
                site=_site(label),
                per_formula=d.multiplicity / formula_units,
                degeneracy={_charge(one): one.degeneracy for one in defects if one.label == label},
                states_above_eV={_charge(one): states_above(one.starts) for one in defects if one.label == label},
            )
            for label, d in once.items()
        ],
        removed={label: dict(d.removed) for label, d in once.items()},
    )


def _charge(defect: VacancyState | ChargedVacancy) -> int:
    return defect.charge if isinstance(defect, ChargedVacancy) else 0


def _site(label: str) -> str:
    """Kind of site of a defect: ``O`` of ``V_O`` and of ``Mg_O``, its own of an interstitial or a complex."""
    what, _, site = label.partition("_")
    return label if "+" in label or (site.startswith("i") and what != "V") else site
