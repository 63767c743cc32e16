"""Results as pandas tables; every column with a unit carries it in its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...stored.renamed import warn_of
from ..kinetics.rates import format_duration
from ..magnetism.oxidation_states import compensation_text
from ..results.checks import failed, invalid_because, no_result
from .observables import checks_of, observable_frame, observable_tables

if TYPE_CHECKING:
    import pandas as pd

    from ..defects.vacancies import StartEnergy
    from ..kinetics.attempt_frequency import AttemptFrequency
    from .documents import Study


def study_frame(study: Study, table: str) -> pd.DataFrame:
    """One table of a study.

    Parameters
    ----------
    study
        A study; tables of stages that were not computed are empty.
    table
        One of `TABLES`, or a further stage's by its name.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    if table == "field_tiers":
        warn_of("to_dataframe", table, "field_treatments", 4)
        table = "field_treatments"
    if table in TABLES:
        return TABLES[table](study)
    more = observable_tables(study)
    if table not in more:
        raise ValueError(f"no table {table!r}; tables: {', '.join([*TABLES, *more])}")
    return observable_frame(more[table])


def table_names(study: Study) -> list[str]:
    """Names of all tables that a study can have."""
    return [*TABLES, *observable_tables(study)]


def _frame(rows: list[dict[str, object]], index: str) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows)
    return frame.set_index(index) if rows else frame


def _stages(study: Study) -> pd.DataFrame:
    return _frame([s.model_dump() for s in study.stages], "stage")


def _orders(study: Study) -> pd.DataFrame:
    return _frame([o.model_dump() for o in study.host.orders], "order")


def _vacancies(study: Study) -> pd.DataFrame:
    near = sorted({element for v in study.vacancies for element in v.near_cations or {}})
    rows: list[dict[str, object]] = []
    for v in study.vacancies:
        row: dict[str, object] = {
            "vacancy": v.label,
            "sites_per_cell": v.multiplicity,
            **{
                f"near_{element}": None if v.near_cations is None else v.near_cations.get(element, 0)
                for element in near
            },
            "energy_minus_host_eV": v.energy_minus_host_eV,
        }
        if v.oxygen_poor and v.oxygen_rich:
            row |= {
                "E_f_oxygen_poor_low_eV": v.oxygen_poor.low_eV,
                "E_f_oxygen_poor_high_eV": v.oxygen_poor.high_eV,
                "E_f_oxygen_rich_low_eV": v.oxygen_rich.low_eV,
                "E_f_oxygen_rich_high_eV": v.oxygen_rich.high_eV,
                "error_bar_eV": v.error_bar_eV,
            }
        row |= {"moment_change_muB": v.moment_change_muB, "converged": v.converged, "indicative": v.indicative}
        row["no_result"] = no_result(invalid_because(v.checks))
        row["E_f_no_result"] = no_result([c.in_words for c in failed(v.formation_checks)])
        rows.append(row)
    frame = _frame(rows, "vacancy")
    # Oxygen sites have no count: whole numbers with gaps, not floats.
    return frame.astype({f"near_{element}": "Int64" for element in near}) if rows else frame


def _window(study: Study) -> pd.DataFrame:
    if study.chemical_potentials is None:
        return _frame([], "element")
    return study.chemical_potentials.window.to_dataframe().set_index("element")


def _formation(study: Study) -> pd.DataFrame:
    if study.chemical_potentials is None:
        return _frame([], "label")
    return study.chemical_potentials.lines.to_dataframe().set_index("label")


def _moments(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"vacancy": v.label, "site": n, **site.model_dump()} for v in study.vacancies for n, site in enumerate(v.sites)
    ]
    return _frame(rows, "vacancy")


def _migration(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "hop": m.label,
            "distance_A": m.distance_A,
            "multiplicity": m.multiplicity,
            "cell_atoms": m.cell_atoms,
            "forward_eV": m.forward_eV,
            "backward_eV": m.backward_eV,
            "delta_eV": m.delta_eV,
            "intermediate_minima": len(m.intermediates),
            "force_calls": m.force_calls,
            "converged": m.converged,
            "no_result": no_result(m.why_no_result),
        }
        for m in study.migration
    ]
    return _frame(rows, "hop")


def _images(study: Study) -> pd.DataFrame:
    import pandas as pd

    frames = [m.to_dataframe().assign(hop=m.label, image=range(len(m.images))) for m in study.migration]
    return pd.concat(frames).set_index(["hop", "image"]) if frames else _frame([], "hop")


def _field(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"hop": m.label, **f.model_dump(), "no_result": no_result(m.why_no_result)}
        for m in study.migration
        for f in sorted(m.field, key=lambda f: f.field_V_per_m)
    ]
    return _frame(rows, "field_V_per_m")


def _field_treatments(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "hop": m.label,
            "direction": f.direction_in_words,
            **p.model_dump(),
            "no_result": no_result(m.why_no_result),
        }
        for m in study.migration
        for f in m.field_studies
        for p in f.points
    ]
    return _frame(rows, "hop")


def _anisotropy(study: Study) -> pd.DataFrame:
    if study.anisotropy is None:
        return _frame([], "state")
    keys = ("easy_axis", "intermediate_axis", "hard_axis", "hard_minus_easy_meV", "residual_rms_meV", "odd_max_meV")
    units = {m.state: m.formula_units for m in study.anisotropy.maps}
    rows: list[dict[str, object]] = [
        {
            "state": s.state,
            "formula_units": units[s.state],
            **{k: getattr(s, k) for k in keys},
            "error_meV": s.error_meV,
            "error_not_known": ", ".join(p.source for p in s.error_parts if p.value_meV is None),
            "reversal_barrier_meV": s.reversal_barrier_meV,
            "Ku1_MJ_per_m3": s.uniaxial.Ku_MJ_per_m3[0] if s.uniaxial else None,
            "Ku_axis": s.uniaxial.axis if s.uniaxial else None,
        }
        for s in study.anisotropy.summaries
    ]
    return _frame(rows, "state")


def _retention(study: Study) -> pd.DataFrame:
    points = study.retention.points if study.retention else []
    rows: list[dict[str, object]] = [
        {
            "temperature_K": p.temperature_K,
            "retention_s": p.retention_s,
            "before_s": p.before_s,
            "decay_s": p.decay_s,
            "equilibrium_after": p.equilibrium_after,
            "in_words": p.no_result if p.lasting_s is None else format_duration(p.lasting_s),
        }
        for p in points
    ]
    return _frame(rows, "temperature_K")


def _attempts(study: Study) -> list[AttemptFrequency]:
    return [] if study.vibrations is None else [study.vibrations]


def _vibrations(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"hop": f.label, "state": m.state, "mode": n, "frequency_THz": value}
        for f in _attempts(study)
        for m in f.modes
        for n, value in enumerate(m.frequencies_THz)
    ]
    return _frame(rows, "hop")


def _prefactors(study: Study) -> pd.DataFrame:
    keys = ("radius_A", "atoms", "forward_Hz", "backward_Hz")
    rows: list[dict[str, object]] = [
        {"hop": f.label, **{k: getattr(sphere, k) for k in keys}} for f in _attempts(study) for sphere in (*f.shells, f)
    ]
    return _frame(rows, "hop")


def _claims(study: Study) -> pd.DataFrame:
    keys = ("id", "system", "verdict", "value", "unit", "engine", "claim", "reason")
    return _frame([{k: getattr(c, k) for k in keys} for c in study.claims], "id")


def _checks(study: Study) -> pd.DataFrame:
    pairs = [(m.label, c) for m in study.migration for c in m.checks]
    pairs += [(v.label, c) for v in study.vacancies for c in v.checks]
    pairs += [(f"vibrations of {f.label}", c) for f in _attempts(study) for c in f.checks]
    pairs += [(stage, c) for stage, document in study.observables.items() for c in checks_of(document)]
    return _frame([{"of": label, **c.model_dump()} for label, c in pairs], "of")


def _starts(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"vacancy": label, "charge_e": charge, **start.model_dump(exclude={"site_moments_muB"})}
        for label, charge, starts in all_starts(study)
        for start in starts
    ]
    return _frame(rows, "vacancy")


def all_starts(study: Study) -> list[tuple[str, int, list[StartEnergy]]]:
    """Starts of every neutral defect and of every charge state: label, charge (e), starts."""
    charged = study.charged.states if study.charged else []
    return [*((v.label, 0, v.starts) for v in study.vacancies), *((s.label, s.charge, s.starts) for s in charged)]


def _charged_moments(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"vacancy": s.label, "charge_e": s.charge, "site": n, **site.model_dump()}
        for s in (study.charged.states if study.charged else [])
        for n, site in enumerate(s.sites)
    ]
    return _frame(rows, "vacancy")


def _films(study: Study) -> pd.DataFrame:
    from ..defects.brouwer import films_dataframe

    return films_dataframe(study.defects.films if study.defects else [])


def _concentrations(study: Study) -> pd.DataFrame:
    import pandas as pd

    if study.defects is None:
        return _frame([], "temperature_K")
    frames = [
        d.to_dataframe().assign(temperature_K=d.temperature_K, quenched_to_K=d.quenched_to_K)
        for d in study.defects.brouwer
    ]
    return pd.concat(frames).set_index(["temperature_K", "pressure_atm"])


def _phases(study: Study) -> pd.DataFrame:
    phases = study.competing_phases
    if phases is None or phases.references is None:
        return _frame([], "phase")
    from ..thermodynamics.phases import load_experimental_phases

    elements = phases.references.references.reference_energies_eV
    measured = {p.formula: p.formation_energy_eV for p in load_experimental_phases(elements)}
    rows: list[dict[str, object]] = [
        {
            "phase": p.formula,
            "formation_energy_eV": p.formation_energy_eV,
            "measured_eV": measured.get(p.formula),
            "engine": p.provenance.engine,
        }
        for p in phases.references.phases
    ]
    return _frame(rows, "phase")


def _charged(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "vacancy": s.label,
            "charge_e": s.charge,
            "energy_minus_host_eV": s.energy_difference_eV,
            "correction_eV": s.correction_eV,
            "correction_error_eV": s.correction_error_eV,
            "correction": s.corrections[0].method if s.corrections else "",
            "total_moment_muB": s.total_moment_muB,
            "start": s.starts[0].label if s.starts else "",
            "ions_that_changed": compensation_text(s.changed_ions),
        }
        for s in (study.charged.states if study.charged else [])
    ]
    return _frame(rows, "vacancy")


def _levels(study: Study) -> pd.DataFrame:
    fermi = study.defects.fermi if study.defects else None
    return _frame([], "defect") if fermi is None else fermi.to_dataframe().set_index("defect")


def _switching(study: Study) -> pd.DataFrame:
    steps = study.switching.steps if study.switching else []
    rows: list[dict[str, object]] = [
        {
            "stage": s.stage,
            "field_V_per_m": s.field_V_per_m,
            "duration_s": s.duration_s,
            "share_after_the_hop": s.population_after,
            **dict(zip(("u_x_meV", "u_y_meV", "u_z_meV"), s.u_meV, strict=True)),
        }
        for s in steps
    ]
    return _frame(rows, "stage")


def _merit(study: Study) -> pd.DataFrame:
    if study.device is None:
        return _frame([], "figure")
    merit = study.device.merit
    values = merit.model_dump(exclude={"assumptions", "no_result"})
    rows: list[dict[str, object]] = [
        {"figure": name, "value": value, "no_result": merit.no_result.get(name, "")} for name, value in values.items()
    ]
    return _frame(rows, "figure")


def _contents(study: Study) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"ion": c.ion, "per_formula": x, "moment_muB": m, "magnetisation_Am2_per_kg": s}
        for c in study.contents
        for x, m, s in zip(c.content, c.moment_muB, c.specific_Am2_per_kg, strict=True)
    ]
    return _frame(rows, "ion")


TABLES: dict[str, Callable[[Study], pd.DataFrame]] = {
    "stages": _stages,
    "orders": _orders,
    "vacancies": _vacancies,
    "moments": _moments,
    "window": _window,
    "formation": _formation,
    "migration": _migration,
    "images": _images,
    "field": _field,
    "field_treatments": _field_treatments,
    "anisotropy": _anisotropy,
    "retention": _retention,
    "prefactors": _prefactors,
    "vibrations": _vibrations,
    "switching": _switching,
    "merit": _merit,
    "contents": _contents,
    "claims": _claims,
    "checks": _checks,
    "starts": _starts,
    "concentrations": _concentrations,
    "films": _films,
    "phases": _phases,
    "charged": _charged,
    "charged_moments": _charged_moments,
    "levels": _levels,
}
