"""Several studies of one material in one HTML file."""

from __future__ import annotations

from collections.abc import Mapping

from ..kinetics.migration import Migration
from ..plots.comparison import plot_bands
from ..results.checks import no_result
from ..results.figures import svg_of
from ..study.comparison import compare
from ..study.documents import Study
from ..study.validity import failures
from .anisotropy_tables import two_digits
from .model import Answer, Cell, Page, Section, Table, picture, words
from .page import render


def comparison_html(studies: Mapping[str, Study]) -> str:
    """Numbers, bands and verdicts side by side.

    Parameters
    ----------
    studies
        Studies of one material by name; at least two.

    Returns
    -------
    str
        A complete HTML document without external resources.

    Raises
    ------
    ValueError
        As `comparison.compare`.
    """
    numbers = _numbers_table(studies)
    sections = [
        Section("engines", "What is compared", tables=[_engines_table(studies)]),
        Section("numbers", "Numbers side by side", tables=[numbers], notes=_left_out(studies)),
        Section("claims", "Verdicts side by side", tables=[_claims_table(studies)]),
    ]
    hops = {name: s.migration[0] for name, s in studies.items() if s.migration}
    if hops:
        figure = plot_bands(hops)
        text = "; ".join(f"{name}: {_barriers(h)}" for name, h in hops.items())
        sections[1].figures.append(picture(svg_of(figure), f"Energy along the path. {text}", f"{text}."))
    formula = next(iter(studies.values())).host.formula
    page = Page(
        title=f"{formula}: {len(studies)} studies compared",
        subtitle=", ".join(studies),
        warnings=_warnings(studies),
        answers=[Answer(name, _barriers(h), _who(studies[name])) for name, h in hops.items()],
        sections=sections,
        data_file="the results.json of each study",
    )
    return render(page)


def _barriers(hop: Migration) -> str:
    return no_result(hop.why_no_result) or f"{hop.forward_eV:.2f} eV forward, {hop.backward_eV:.2f} eV back"


def _who(study: Study) -> str:
    quick = ", quick" if study.engine.quick else ""
    return f"engine {study.engine.name} ({study.engine.level_of_theory}){quick}, order {study.host.order}"


def _warnings(studies: Mapping[str, Study]) -> list[str]:
    said: list[str] = []
    repeats = {tuple(s.engine.supercell_repeats) for s in studies.values()}
    if len(repeats) > 1:
        said = ["The studies use cells of different size: a difference between them is not the engine's alone."]
    return [*said, *(f"{name}, no result: {f.part}." for name, s in studies.items() for f in failures(s))]


def _left_out(studies: Mapping[str, Study]) -> list[str]:
    return [f"{name}: {note}" for name, s in studies.items() for note in s.engine.provenance.left_out]


def _engines_table(studies: Mapping[str, Study]) -> Table:
    rows = []
    for name, s in studies.items():
        missing = "; ".join(f"{st.stage}: {st.reason}" for st in s.stages if not st.done) or "nothing"
        functional = s.engine.provenance.functional or "–"
        cells = "×".join(str(r) for r in s.engine.supercell_repeats)
        rows.append(words([name, s.engine.name, functional, s.host.order, cells, missing]))
    return Table("Studies", ["study", "engine", "model", "order", "supercell", "not computed"], rows)


def _numbers_table(studies: Mapping[str, Study]) -> Table:
    rows = [
        [*words([row.quantity, row.unit]), *(_with_error(*both) for both in zip(row.values, row.errors, strict=True))]
        for row in compare(studies)
    ]
    return Table("Each number from its own engine and cell", ["quantity", "unit", *studies], rows)


def _with_error(value: float | None, error: float | None) -> Cell:
    said = "–" if value is None else f"{value:.4g}"
    return Cell(said if error is None else f"{said} ± {two_digits(error)}", "number")


def _claims_table(studies: Mapping[str, Study]) -> Table:
    by_study = [{c.id: c for c in s.claims} for s in studies.values()]
    first = next(iter(studies.values()))
    rows = []
    for claim in first.claims:
        verdicts = [claims.get(claim.id) for claims in by_study]
        if all(v is None or v.verdict == "not computed" for v in verdicts):
            continue
        cells = [
            Cell("–") if v is None else Cell(v.verdict, f"verdict {v.verdict.replace(' ', '-')}") for v in verdicts
        ]
        rows.append([*words([claim.id, claim.claim]), *cells])
    return Table("Claims that at least one study speaks to", ["id", "claim", *studies], rows)
