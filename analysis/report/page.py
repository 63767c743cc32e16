"""A study as one HTML file that opens offline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from ..kinetics.hop_spread import HopSpread
from ..kinetics.rates import format_duration
from ..kinetics.switching import driving_sense
from ..magnetism.unidirectional import UnidirectionalResult
from ..plots.study import study_figures
from ..plots.text import formatted
from ..results.calculation import Band
from ..results.checks import failed, no_result
from ..results.figures import NamedFigure
from ..results.views import view
from ..study.documents import Study
from ..study.transport import Transport, transport_in_words
from ..study.validity import failures, formation_checks
from .beside import better_words, ions_without_model, with_more
from .model import Answer, Cell, Page, Viewer, first_clauses, picture
from .retention_words import dwell_words, spread_words
from .sections import build_sections
from .terms import terms
from .vacancy_answer import vacancy_answer

if TYPE_CHECKING:
    from markupsafe import Markup

# With fewer atoms a defect is nearer to its images than to much of its own surroundings.
SMALLEST_DEFECT_CELL = 40
# A cell with more characters is not squeezed on a narrow screen.
LONG_CELL = 24
# A cell with more is folded behind its first clause.
_ROOM_IN_A_CELL = 170
# Letters of an answer's detail in a terminal.
_ROOM_FOR_DETAIL = 180


def report_html(
    study: Study,
    figures: Mapping[str, NamedFigure] | None = None,
    bands: Mapping[str, Band] | None = None,
    *,
    left: Mapping[str, NamedFigure] | None = None,
) -> str:
    """The report of a study.

    Parameters
    ----------
    study
        A finished study.
    figures
        Its figures, if they are already drawn.
    bands
        Its bands by file stem; the first one is shown in 3D.
    left
        Figures that are named instead of drawn.

    Returns
    -------
    str
        A complete HTML document without external resources; all text is escaped.
    """
    page = build_page(study, figures or study_figures(study), left)
    if bands and study.migration:
        page.viewers.append(_viewer(study, next(iter(bands.values()))))
    if (charged := _defect_viewer(study)) is not None:
        page.viewers.append(charged)
    return render(page)


def render(page: Page) -> str:
    """A page as a complete HTML document; all its text is escaped."""
    from jinja2 import Environment
    from markupsafe import Markup

    here = files(__package__)
    environment = Environment(autoescape=True)
    environment.filters |= {"formatted": formatted, "prose": _prose, "cell": _cell}
    template = environment.from_string(here.joinpath("template.html").read_text(encoding="utf-8"))
    style = here.joinpath("style.css").read_text(encoding="utf-8")
    script = here.joinpath("report.js").read_text(encoding="utf-8")
    return template.render(page=page, style=Markup(style), script=Markup(script), version=version("magnetoionics"))


def _prose(text: str) -> Markup:
    """Escaped text as a page prints it, with code where backticks are."""
    from markupsafe import Markup

    parts = [_with_subscripts(part) for part in formatted(text).split("`")]
    if len(parts) % 2 == 0:
        return Markup("`".join(parts))
    return Markup("".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(parts)))


def _with_subscripts(text: str) -> str:
    """Escaped text; there is no letter for a delta below the line."""
    return escape(text).replace("₋δ", "₋<sub>δ</sub>")


def _cell(cell: Cell, verbatim: bool) -> Markup:
    """A table cell; what is saved and sorted by is kept beside what is printed, where the two differ."""
    from markupsafe import Markup

    shown = cell.text if verbatim else formatted(cell.text)
    style = f"{cell.style} long".strip() if len(shown) > LONG_CELL else cell.style
    first, rest = ("", "") if verbatim else first_clauses(shown, _ROOM_IN_A_CELL)
    put = escape if verbatim else _with_subscripts
    inner = f"{put(first)}<details><summary>more</summary>{put(rest)}</details>" if rest else put(shown)
    plain = "" if shown == cell.text and not rest else f' data-plain="{escape(cell.text)}"'
    return Markup(f'<td class="{escape(style)}"{plain}>{inner}</td>')


def _viewer(study: Study, band: Band) -> Viewer:
    from markupsafe import Markup

    from .viewer import DRAWN_RADIUS_A, band_dataset, colour_words, json_for_script, library_base64

    hop = study.migration[0]
    return Viewer(
        text=(
            f"{hop.label} in {hop.cell_atoms} atoms, drawn within {DRAWN_RADIUS_A:g} Å of the hop, engine "
            f"{study.engine.name}: the relaxed states before and after it and every image between them. "
            "Arrows: site moments (blue up, pink down). Grey sphere: the vacancy. Green: the moving ion and its path. "
            f"Other ions: {colour_words(band)}."
        ),
        # Escaped for its script element by json_for_script.
        data=Markup(json_for_script(band_dataset(band, f"{study.host.formula}, {hop.label}"))),
        library=library_base64(),
    )


def _defect_viewer(study: Study) -> Viewer | None:
    """Charge states with the ions that hold their electrons and holes; None without charge states."""
    from markupsafe import Markup

    from .defect_view import defect_dataset
    from .viewer import DRAWN_RADIUS_A, json_for_script, library_base64

    data = defect_dataset(study)
    if data is None:
        return None
    return Viewer(
        text=(
            f"Charge states of the defects, relaxed, within {DRAWN_RADIUS_A:g} Å of the defect, engine "
            f"{study.engine.name}; energies are those of the cells minus the host. Arrows: site moments (blue up, pink "
            "down). Grey sphere: the vacant site or the ion that was put in. Orange spheres: ions whose moment "
            "changed, where electrons or holes sit."
        ),
        data=Markup(json_for_script(data)),
        library=library_base64(),
        heading="Charged defects in 3D",
        suffix="-defects",
        ends=("First", "Last"),
        step="State",
        label="Atoms around a defect with their moments",
    )


@view(Study, "html")
def summary_html(study: Study) -> str:
    """The answers of a study as a small table, for notebooks."""
    rows = "".join(
        f"<tr><th>{escape(a.question)}</th><td>{escape(a.short)}</td><td>{escape(a.detail)}</td></tr>"
        for a in _answers(study)
    )
    missing = "".join(f"<li>{escape(w)}</li>" for w in _warnings(study))
    caption = f"{study.host.formula} ({study.host.order}), engine {study.engine.name}"
    return f"<table><caption>{escape(caption)}</caption>{rows}</table><ul>{missing}</ul>"


@view(Study, "text")
def summary_text(study: Study) -> str:
    """The answers of a study in plain lines, for a terminal, and what can be asked of it next."""
    atoms = study.host.cell_atoms * math.prod(study.engine.supercell_repeats)
    head = f"Study of {study.host.formula} ({study.host.order}), engine {study.engine.name}, {atoms} atoms"
    shown = [(a, *first_clauses(a.detail, _ROOM_FOR_DETAIL)) for a in _answers(study)]
    lines = [f"  {a.question} {a.short} ({first}{'; …' if rest else ''})" for a, first, rest in shown]
    moving = study.observables.get("transport")
    lines += [f"  {line}" for line in (transport_in_words(moving) if isinstance(moving, Transport) else [])]
    missing = [f"  not computed: {s.stage}" for s in study.stages if not s.done and not s.failed]
    missing += [f"  {f.in_words}" for f in failures(study)]
    return "\n".join([head, *lines, *missing, '  see .plot(), .to_dataframe("vacancies"), .migration, .claims'])


def build_page(study: Study, figures: Mapping[str, NamedFigure], left: Mapping[str, NamedFigure] | None = None) -> Page:
    """All texts, tables and pictures of the report; the figures `left` are named only."""
    sections = build_sections(study)
    by_anchor = {s.anchor: s for s in sections}
    for name, figure in figures.items():
        section = by_anchor[figure.section]
        try:
            section.figures.append(
                picture(figure.svg, figure.alt, figure.caption, wide=figure.wide, aside=figure.aside)
            )
        except Exception as error:
            # One figure that cannot be drawn costs that figure, and not the page with its numbers.
            section.notes = [*section.notes, f"The figure {name} could not be drawn: {type(error).__name__}, {error}"]
    for figure in (left or {}).values():
        by_anchor[figure.section].further.append(figure.alt)
    atoms = f", {study.migration[0].cell_atoms} atoms in the band's cell" if study.migration else ""
    return Page(
        title=f"{study.host.formula}: a magneto-ionic study",
        subtitle=(
            f"{study.host.title}, cation order {study.host.order}, engine {study.engine.name} "
            f"({study.engine.summary}){atoms}"
        ),
        warnings=_warnings(study),
        answers=_answers(study),
        sections=sections,
        terms=terms(study),
    )


def _warnings(study: Study) -> list[str]:
    out = []
    if study.engine.level_of_theory == "local":
        out.append(
            "Every number here comes from the embedded engine: rigid ions and a ligand field, no electrons. "
            "Trends and like-for-like differences mean something; absolute formation energies and anisotropies "
            "are indicative."
        )
    if study.engine.quick:
        out.append(_size_warning(study.host.cell_atoms * math.prod(study.engine.supercell_repeats)))
    out += [f"No result: {f.in_words.replace(': no result:', ':', 1)}." for f in failures(study)]
    out += [f"Not computed: {s.stage} ({s.reason})." for s in study.stages if not s.done and not s.failed]
    out += [f"Limited: {s.stage} ({s.note})." for s in study.stages if s.done and s.note]
    # What no number rests on is worth knowing all the same.
    aside = [f"{m.label}: {c.in_words}" for m in study.migration for c in failed(m.checks) if not c.invalidates]
    aside += [f"{v.label}: {c.in_words}" for v in study.vacancies for c in failed(v.checks) if not c.invalidates]
    aside += [f"{v.label}: {c.in_words}" for v in study.vacancies for c in failed(formation_checks(v))]
    if aside:
        out.append(f"Checks that failed beside: {'; '.join(aside)}.")
    return out


def _size_warning(atoms: int) -> str:
    if atoms < SMALLEST_DEFECT_CELL:
        return (
            f"Cells of {atoms} atoms: a defect meets its own images. "
            "Energies of defects are for looking, not for quoting."
        )
    return f"Quick study: cells of {atoms} atoms cost the order of 0.1 eV in a barrier, and tilts change more."


def _answers(study: Study) -> list[Answer]:
    """One row for each question, also for one that this study does not answer."""
    return [
        vacancy_answer(study),
        *_hop_answers(study),
        _anisotropy_answer(study),
        _retention_answer(study),
    ]


def _unanswered(study: Study, question: str, *stages: str) -> Answer:
    """The row of a question of which the study has nothing, with the reason."""
    reasons = [f"{s}: {study.not_done(s)}" for s in stages if study.not_done(s)]
    return Answer(question, "not computed", "; ".join(reasons) or "nothing of this study bears on it")


def _hop_answers(study: Study) -> list[Answer]:
    beside = better_words(study, "barrier")
    if not study.migration:
        return [
            _unanswered(study, "Which ion moves?", "migration"),
            with_more(_unanswered(study, "Over what barrier?", "migration"), beside),
        ]
    hop = study.migration[0]
    sense = driving_sense(hop)
    driving = sorted((f for f in hop.field if sense * f.field_V_per_m >= 1e8), key=lambda f: abs(f.field_V_per_m))
    field = next(iter(driving), None)
    count = len(hop.intermediates)
    between = f"{count or 'no'} intermediate {'minimum' if count < 2 else 'minima'}"
    more = len(study.migration) > 1 or isinstance(study.observables.get("hop spread"), HopSpread)
    alone = "" if more else "; the only hop of this study: the command hops computes every one"
    if mark := no_result(hop.why_no_result):
        return [
            Answer("Which ion moves?", hop.label, f"{hop.distance_A:.2f} Å"),
            with_more(Answer("Over what barrier?", "no result", mark.removeprefix("no result: ")), beside),
        ]
    lowest = min((p.energy_eV for p in hop.intermediates), default=0.0)
    rests = f"; lowest between both places, at {lowest:.3f} eV" if lowest < min(0.0, hop.delta_eV) - 1e-3 else ""
    under = "" if field is None else f"; {field.forward_eV:.2f} eV forward in a field of {field.field_V_per_m:.0e} V/m"
    return [
        Answer("Which ion moves?", hop.label, f"{hop.distance_A:.2f} Å, with {between}{alone}"),
        with_more(
            Answer("Over what barrier?", f"{hop.forward_eV:.2f} eV", f"{hop.backward_eV:.2f} eV back{under}{rests}"),
            beside,
        ),
    ]


_ROOM_K = 300.0
# Axes are told apart to this.
_TURNED_deg = 0.05


def _anisotropy_answer(study: Study) -> Answer:
    result = study.unidirectional
    if result is None:
        return _unanswered(study, "What does that do to the anisotropy?", "anisotropy", "migration")
    after = next(s for s in result.states if s.state == "after")
    missing = ions_without_model(study)
    turned = (
        "axes turn" if max(result.easy_axis_tilt_deg, result.hard_axis_tilt_deg) >= _TURNED_deg else "no axis turns"
    )
    partial = f"of {study.anisotropy.maps[0].ions} alone, " if missing and study.anisotropy else ""
    return Answer(
        "What does that do to the anisotropy?",
        partial
        + (after.verdict if "pinned reference" in after.verdict else f"{after.verdict}: {turned}, no sense is written"),
        f"{missing}axes turned: {result.tilts_in_words}{_above(result)}; odd part {after.odd_max_meV:.0e} meV",
    )


def _above(result: UnidirectionalResult) -> str:
    """Why E(n) is that of 0 K, where the film is warmer."""
    return f", as there is {result.temperature_note}" if result.temperature_note.startswith("no moment") else ""


def _retention_answer(study: Study) -> Answer:
    retention = study.retention
    if study.migration and (mark := no_result(study.migration[0].why_no_result)):
        return Answer("How long is the state kept?", "no result", mark.replace("no result", "it rests on the band", 1))
    if retention is None:
        return _unanswered(study, "How long is the state kept?", "migration")
    spread = f". {words}" if (words := spread_words(study)) else ""
    if why := retention.why_no_rate(_ROOM_K):
        return Answer("How long is the state kept?", "not kept: no rate law", f"no result: {why}{spread}")
    return Answer(
        "How long is the state kept?",
        f"a written difference decays in {format_duration(retention.decay(300))} at 300 K",
        f"{dwell_words(retention)}back barrier {retention.barrier_eV:.2f} eV, {retention.attempts_Hz(300)[1]:.0e} Hz "
        f"({retention.attempt_frequency_source}); an ion that stays for a day needs "
        f"{retention.barrier_for_one_day_300K_eV:.2f} eV{spread}",
        beside=spread_words(study),
    )
