"""Tables of the report on starts, neighbours and the composition of films."""

from __future__ import annotations

from collections.abc import Sequence

from ..defects.binding import VacancyBinding
from ..defects.brouwer import RatioRange
from ..defects.charge_states import TransitionLevel
from ..defects.charged_cells import ChargedVacancies, ChargedVacancy
from ..defects.equilibria import DefectEquilibria
from ..magnetism.oxidation_states import compensation_text
from ..results.page_parts import Section, section
from ..study.documents import Study
from ..study.tables import all_starts
from ..thermodynamics.gases import gas_of
from .model import Cell, Table, number, words


def starts_table(study: Study) -> Table:
    """Every start of every defect and charge that has several, the lowest first."""
    rows = [
        [
            *words([label, f"{charge:+d}" if charge else "0", s.label]),
            number(s.above_lowest_eV),
            number(s.total_moment_muB, 1),
            *words([s.compensation]),
            number(s.distortion_A, 2),
            Cell("refused" if s.refused else "yes" if s.converged else "no", "passed" if s.converged else "failed"),
        ]
        for label, charge, starts in all_starts(study)
        if len(starts) > 1
        for s in starts
    ]
    return Table(
        f"Starts of each defect, engine {study.engine.name}; the lowest is kept",
        [
            "defect",
            "charge (e)",
            "start",
            "above the lowest (eV)",
            "moment (μB)",
            "ions that changed",
            "largest displacement (Å)",
            "converged",
        ],
        rows,
    )


def charged_table(charged: ChargedVacancies) -> Table:
    """Charge states with every correction that could be made."""
    rows = []
    for s in charged.states:
        by_method = {c.method: c.total_eV for c in s.corrections}
        rows.append(
            [
                *words([s.label, f"{s.charge:+d}" if s.charge else "0"]),
                number(s.energy_difference_eV),
                *(number(by_method.get(name)) for name in ("eFNV", "Freysoldt", "point charge")),
                *words([s.corrections[0].method if s.corrections else "none needed"]),
                number(s.correction_error_eV if s.charge else None),
                number(_aligned(s), 0),
                number(s.total_moment_muB, 1),
                *words([compensation_text(s.changed_ions)]),
            ]
        )
    edges = charged.edges
    tensor = edges.dielectric or []
    diagonal = ", ".join(f"{tensor[i][i]:.1f}" for i in range(len(tensor)))
    return Table(
        f"Charge states, engine {edges.provenance.engine}; gap {edges.gap_eV:.2f} eV, static permittivity {diagonal}",
        [
            "vacancy",
            "charge (e)",
            "cell minus host (eV)",
            "eFNV (eV)",
            "Freysoldt (eV)",
            "point charge (eV)",
            "used",
            "± (eV)",
            "sites aligned",
            "moment (μB)",
            "ions that changed",
        ],
        rows,
    )


def _aligned(state: ChargedVacancy) -> float | None:
    """Sites at which the correction in use aligned potentials."""
    sites = state.corrections[0].sites if state.corrections else None
    return None if sites is None else float(len(sites.left_V()))


def levels_table(levels: Sequence[TransitionLevel], gap_eV: float) -> Table:
    """Fermi levels at which the stable charge of a defect changes."""
    rows = [
        [
            *words([t.label, f"{t.charge_below:+d}/{t.charge_above:+d}".replace("+0", "0")]),
            number(t.level_eV, 2),
            number(t.error_eV or None, 2),
            *words(["yes" if t.in_gap else "no"]),
        ]
        for t in levels
    ]
    return Table(
        f"Charge transition levels above the valence band maximum; gap {gap_eV:.2f} eV",
        ["defect", "charges", "level (eV)", "± (eV)", "in the gap"],
        rows,
    )


@section(VacancyBinding, place=25)
def binding_section(binding: VacancyBinding) -> Section:
    """What neighbours do to a vacancy."""
    return Section("", f"Neighbours of {binding.label}", tables=[binding_table(binding)])


def binding_table(binding: VacancyBinding) -> Table:
    """Effects of neighbours of one element on a vacancy."""
    ion = binding.neighbour
    effects = (
        (f"each {ion} neighbour", binding.per_neighbour),
        (f"each pair of {ion} in line, beyond that", binding.per_pair),
        (f"between two {ion}, against none", binding.between_two),
    )
    rows = [[*words([name]), number(e.value_eV, signed=True), number(e.error_eV)] for name, e in effects]
    return Table(
        f"{binding.label} and its neighbours: {binding.samples} vacancies in {binding.method}, engine "
        f"{binding.provenance.engine}; left over {binding.residual_eV:.2f} of {binding.spread_eV:.2f} eV",
        ["surroundings", "energy (eV)", "± (eV)"],
        rows,
    )


def _ratio(value: RatioRange | None) -> str:
    if value is None or value.mid is None:
        return "–"
    if value.low is None or value.high is None:
        return f"{value.mid:.4f}"
    return f"{value.mid:.4f} ({value.low:.4f} to {value.high:.4f})"


def films_table(defects: DefectEquilibria) -> Table:
    """Atomic ratios of films over the growth conditions."""
    pairs = next(([r.elements for r in p.ratios] for p in defects.films if p.ratios), [])
    sublattices = sorted({sub for p in defects.films for sub in p.occupancy})
    rows = []
    for p in defects.films:
        ratios = {r.elements: r for r in p.ratios}
        cells = [Cell(_ratio(ratios.get(name)), "number") for name in pairs]
        rows.append(
            [
                number(p.temperature_K, 0),
                Cell(f"{p.pressure_atm:.0e}", "number"),
                number(p.delta_mu_O_eV, 2),
                *cells,
                *words(
                    [", ".join(f"{el} {x:.3f}" for el, x in p.occupancy.get(sub, {}).items()) for sub in sublattices]
                ),
                *words([p.note]),
            ]
        )
    bar = "not known" if defects.error_bar_eV is None else f"± {defects.error_bar_eV:.2f} eV"
    return Table(
        f"Composition of a film in equilibrium with {gas_of(defects.anion).word}; energies {bar} enter the range",
        [
            "T (K)",
            f"p({defects.anion}₂) (atm)",
            f"Δμ({defects.anion}) (eV)",
            *pairs,
            *(f"on {sub}" for sub in sublattices),
            "note",
        ],
        rows,
    )
