"""A study as one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files

from ..kinetics import format_duration
from ..plots.study import StudyFigure, study_figures
from ..study import Study
from .model import Answer, Page, Section, picture
from .tables import (
    checks_table,
    claims_tables,
    field_table,
    host_table,
    orders_table,
    retention_table,
    settings_table,
    states_table,
    timings_table,
    vacancies_table,
    window_table,
)


def report_html(study: Study, figures: Mapping[str, StudyFigure] | None = None) -> str:
    """The report of a study.

    Parameters
    ----------
    study
        A finished study.
    figures
        Its figures, if they are already drawn.

    Returns
    -------
    str
        A complete HTML document without external resources; all text is escaped.
    """
    from jinja2 import Environment

    here = files(__package__)
    environment = Environment(autoescape=True)
    template = environment.from_string(here.joinpath("template.html").read_text(encoding="utf-8"))
    style = here.joinpath("style.css").read_text(encoding="utf-8")
    from markupsafe import Markup

    page = build_page(study, figures or study_figures(study))
    return template.render(page=page, style=Markup(style), version=version("magnetoionics"))


def build_page(study: Study, figures: Mapping[str, StudyFigure]) -> Page:
    """All texts, tables and pictures of the report."""
    sections = [
        _vacancies(study),
        _migration(study),
        _anisotropy(study),
        _retention(study),
        _claims(study),
        _provenance(study),
    ]
    by_anchor = {s.anchor: s for s in sections}
    for made in figures.values():
        by_anchor[made.section].figures.append(picture(made.figure, made.alt, made.caption))
    return Page(
        title=f"{study.host.formula}: a magneto-ionic study",
        subtitle=(
            f"{study.host.title}, cation order {study.host.order}, engine {study.engine.name} "
            f"({study.engine.summary}), {study.migration[0].cell_atoms} atoms in the band's cell"
        ),
        warnings=_warnings(study),
        answers=_answers(study),
        sections=sections,
    )


def _warnings(study: Study) -> list[str]:
    out = []
    if study.engine.tier == "local":
        out.append(
            "Every number here comes from the embedded engine: rigid ions and a ligand field, no electrons. "
            "Trends and like-for-like differences mean something; absolute formation energies and anisotropies "
            "are indicative."
        )
    if study.engine.quick:
        out.append(
            f"Quick study: the band's cell has only {study.migration[0].cell_atoms} atoms, which costs the order of "
            "0.1 eV in the barrier."
        )
    failed = [c.name for m in study.migration for c in m.checks if c.passed is False]
    failed += [f"{v.label}: {c.name}" for v in study.vacancies for c in v.checks if c.passed is False]
    if failed:
        out.append(f"Checks that failed: {', '.join(failed)}.")
    return out


def _answers(study: Study) -> list[Answer]:
    hop = study.migration[0]
    field = next((f for f in sorted(hop.field, key=lambda f: f.field_V_per_m) if f.field_V_per_m >= 1e8), None)
    result = study.unidirectional
    after = next(s for s in result.states if s.state == "after")
    count = len(hop.intermediates)
    between = f"{count} intermediate {'minimum' if count == 1 else 'minima'}"
    under = "" if field is None else f"; {field.forward_eV:.2f} eV in a field of {field.field_V_per_m:.0e} V/m"
    return [
        _vacancy_answer(study),
        Answer(
            "Which ion moves?",
            hop.label,
            f"{hop.distance_A:.2f} Å, with {between}",
        ),
        Answer("Over what barrier?", f"{hop.forward_eV:.2f} eV", f"{hop.backward_eV:.2f} eV back{under}"),
        Answer(
            "What does that do to the anisotropy?",
            after.verdict if "unidirectional" in after.verdict else f"{after.verdict}: axes turn, no sense is written",
            f"easy axis turned by {result.easy_axis_tilt_deg:.1f}°, hard axis by {result.hard_axis_tilt_deg:.1f}°; "
            f"odd part {after.odd_max_meV:.0e} meV",
        ),
        Answer(
            "How long is the state kept?",
            f"{format_duration(study.retention.at(300))} at 300 K",
            f"back barrier {study.retention.barrier_eV:.2f} eV, {study.retention.attempt_frequency_Hz:.0e} Hz "
            f"({study.retention.attempt_frequency_source}); a day needs "
            f"{study.retention.barrier_for_one_day_300K_eV:.2f} eV",
        ),
    ]


def _vacancy_answer(study: Study) -> Answer:
    """The lowest cation vacancy at the oxygen-rich edge, and those that the error bar cannot tell from it."""
    cations = sorted((v for v in study.vacancies if v.element != "O"), key=lambda v: v.oxygen_rich.low_eV)
    lowest = cations[0]
    bar = lowest.error_bar_eV or 0.0
    # Vacancies of one element exchange the same atom with the same reservoir: that error cancels.
    open_ = [
        v.label
        for v in cations[1:]
        if v.element != lowest.element and v.oxygen_rich.low_eV - lowest.oxygen_rich.high_eV < bar
    ]
    like = [
        f"{v.label} lies {v.energy_minus_host_eV - lowest.energy_minus_host_eV:+.2f} eV from it"
        for v in cations[1:]
        if v.element == lowest.element
    ]
    detail = f"{lowest.oxygen_rich.low_eV:.2f} eV at the oxygen-rich edge ({_error(lowest.error_bar_eV)})"
    if open_:
        detail += f", which leaves its order with {', '.join(open_)} open"
    return Answer("Which cation vacancy forms?", " or ".join([lowest.label, *open_]), "; ".join([detail, *like]))


def _error(bar: float | None) -> str:
    return "no error bar" if bar is None else f"references ± {bar:.2f} eV"


def _vacancies(study: Study) -> Section:
    window = study.chemical_potentials.window
    return Section(
        "vacancies",
        "Vacancies and oxygen potential",
        paragraphs=[
            f"{study.host.formula} is stable between Δμ(O) = {window.delta_mu_O_min_eV:.2f} and "
            f"{window.delta_mu_O_max_eV:.2f} eV, from experimental enthalpies. Outside that window a formation "
            "energy has no meaning."
        ],
        tables=[host_table(study), orders_table(study), vacancies_table(study), window_table(study)],
        notes=[
            *study.chemical_potentials.lines.provenance.left_out,
            study.chemical_potentials.references.note,
        ],
    )


def _migration(study: Study) -> Section:
    hop = study.migration[0]
    return Section(
        "migration",
        "Migration under a field",
        paragraphs=[
            f"{hop.label}, {hop.multiplicity} equivalent hops into the same vacancy, {hop.distance_A:.3f} Å. "
            f"States before and after: related by {', '.join(hop.relation)}. "
            f"{hop.force_calls} force evaluations.",
            *(f"{note}." for note in hop.notes),
        ],
        tables=[field_table(hop), checks_table(hop)],
        notes=[*hop.provenance.left_out, *(f"not checked: {n}" for n in hop.not_checked)],
    )


def _anisotropy(study: Study) -> Section:
    cubic = study.anisotropy.cubic
    k1 = (
        ""
        if cubic is None
        else f"Cubic average of the host: K1 = {cubic.K1_MJ_per_m3:.2f} MJ/m³ "
        f"({cubic.K1_meV_per_formula:.2f} meV per formula unit); {study.anisotropy.cubic_note}."
    )
    return Section(
        "anisotropy",
        "Anisotropy and the unidirectional picture",
        paragraphs=[f"Verdict: {study.unidirectional.verdict}. {study.unidirectional.reason}.", k1],
        tables=[states_table(study)],
        notes=[*study.anisotropy.maps[0].provenance.left_out, *study.unidirectional.assumptions],
    )


def _retention(study: Study) -> Section:
    return Section(
        "retention",
        "Retention",
        paragraphs=["Mean time until the written state hops back, at zero field."],
        tables=[retention_table(study)],
    )


def _claims(study: Study) -> Section:
    return Section(
        "claims",
        "The review's claims",
        paragraphs=["Claims are paraphrased; a verdict holds for this engine and this cell."],
        tables=claims_tables(study),
    )


def _provenance(study: Study) -> Section:
    return Section("provenance", "Provenance", tables=[settings_table(study), timings_table(study)])
