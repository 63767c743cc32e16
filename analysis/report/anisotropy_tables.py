"""Tables of E(n): axes, amplitudes with their errors, and uniaxial constants."""

from __future__ import annotations

from collections.abc import Sequence

from ..magnetism.anisotropy import AnisotropyMap, AnisotropySummary
from ..magnetism.directions import axis_in_words
from ..magnetism.map_errors import errors_in_words
from ..magnetism.unidirectional import UnidirectionalResult
from ..study.documents import AnisotropyResult, Study
from .model import Cell, Table, number, words
from .tables import has_cubic_axes


def _axis(vector: list[float], study: Study) -> str:
    return axis_in_words(vector, cubic=has_cubic_axes(study))


def maps_table(study: Study, result: AnisotropyResult) -> Table:
    """E(n) of every cell: axes and amplitude."""
    rows = [
        [
            *words([s.state, _axis(s.easy_axis, study), _axis(s.hard_axis, study)]),
            number(s.hard_minus_easy_meV, 2),
            *error_cells(s),
            Cell(f"{s.odd_max_meV:.1e}", "number"),
        ]
        for s in result.summaries
    ]
    return Table(
        f"E(n) per cell at 0 K, engine {study.engine.name}",
        ["state", "easy axis", "hard axis", "hard − easy (meV)", "error (meV)", NOT_KNOWN, "odd part (meV)"],
        rows,
        note=errors_note(result.summaries),
    )


NOT_KNOWN = "of the error not known"


def two_digits(value: float | None) -> str:
    """Two significant digits, without a power of ten where a number reads as well: 11, 0.017, 7e-12."""
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def error_cells(summary: AnisotropySummary, units: float = 1.0) -> list[Cell]:
    """Error of a difference between two directions per so many units of the cell, and what is not in it."""
    missing = ", ".join(p.source for p in summary.error_parts if p.value_meV is None)
    known = two_digits(None if summary.error_meV is None else summary.error_meV / units)
    return [Cell(known, "number"), *words([missing or "–"])]


def errors_note(summaries: Sequence[AnisotropySummary]) -> str:
    """What the errors of the first map are made of."""
    parts = summaries[0].error_parts if summaries else []
    return f"Error of a difference of two directions, {summaries[0].state}: {errors_in_words(parts)}." if parts else ""


def constants_table(study: Study, result: AnisotropyResult) -> Table:
    """Ku of every cell about the axis that it distinguishes, and the barrier of reversal."""
    rows = []
    for s in result.summaries:
        ku = s.uniaxial
        without = "none (cubic)" if s.l2_meV < s.tolerance_meV else "not computed"
        errors = ku.Ku_errors_meV_per_cell if ku else None
        rows.append(
            [
                *words([s.state, _axis(ku.axis, study) if ku else without]),
                Cell("" if ku is None else f"{ku.Ku_MJ_per_m3[0]:.3g}", "number"),
                Cell("" if ku is None else f"{ku.Ku_meV_per_cell[0]:.3g}", "number"),
                Cell("" if errors is None else two_digits(errors[0]), "number"),
                Cell("" if ku is None else f"{ku.rest_rms_meV:.2g}", "number"),
                Cell("" if s.reversal_barrier_meV is None else f"{s.reversal_barrier_meV:.3g}", "number"),
            ]
        )
    return Table(
        f"Uniaxial constant about the axis of the l = 2 part at 0 K, engine {study.engine.name}",
        [
            "state",
            "axis",
            "Ku1 (MJ/m³)",
            "Ku1 (meV/cell)",
            "error of the fit (meV/cell)",
            "not uniaxial, rms (meV/cell)",
            "reversal barrier (meV/cell)",
        ],
        rows,
    )


def states_table(
    study: Study, maps: list[AnisotropyMap], result: UnidirectionalResult, summaries: Sequence[AnisotropySummary]
) -> Table:
    """E(n) of every state: axes, amplitude, odd part, verdict; before and after the hop at the film's temperature."""
    units = {m.state: m.formula_units for m in maps}
    known = {s.state: s for s in summaries}
    rows = [
        [
            *words([s.state]),
            number(s.temperature_K, 0),
            *words([_axis(s.easy_axis, study), _axis(s.hard_axis, study)]),
            number(s.hard_minus_easy_meV / units[s.state], 3),
            *(error_cells(known[s.state], units[s.state]) if s.state in known else words(["–", "–"])),
            Cell(f"{s.odd_max_meV:.1e}", "number"),
            Cell(f"{s.u_norm_meV:.1e}", "number"),
            *words([s.verdict]),
        ]
        for s in result.states
    ]
    ions = "; ".join(f"{m.state}: {m.ions}" for m in maps)
    return Table(
        f"E(n), engine {study.engine.name} ({ions})",
        [
            "state",
            "T (K)",
            "easy axis",
            "hard axis",
            "hard − easy (meV/f.u.)",
            "error at 0 K (meV/f.u.)",
            NOT_KNOWN,
            "odd part (meV/cell)",
            "|u| (meV/cell)",
            "verdict",
        ],
        rows,
        note=errors_note(summaries),
    )
