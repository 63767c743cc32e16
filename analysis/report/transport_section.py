"""Section of transport: diffusion, mobility and drift of the hop, and D of the tracer beside measurements."""

from __future__ import annotations

from ..results.page_parts import Cell, Section, Table, folded, number, section, words
from ..study.diffusion import TracerDiffusion
from ..study.transport import Transport, transport_in_words


@section(Transport, place=95)
def transport_section(found: Transport) -> Section:
    """Tables of the carrier against temperature, of D against oxygen, and of the measurement beside it."""
    ways = [f"{p.direction} {'none' if p.barrier_eV is None else f'{p.barrier_eV:.2f} eV'}" for p in found.percolation]
    return Section(
        "",
        "Transport",
        paragraphs=[
            *(f"{line[:1].upper()}{line[1:]}." for line in transport_in_words(found)),
            f"Vacancies that {found.ion} enters: {found.neighbours} neighbours, correlation factor "
            f"{found.correlation:.4f} ({found.correlation_source}); way through the crystal along {', '.join(ways)}.",
        ],
        tables=[*_beside(found), *map(folded, [_points(found), *_crowded(found), *_tracer(found)])],
        notes=[*found.notes, *_left_out(found)],
    )


def _power(value: float | None) -> Cell:
    return Cell("–" if value is None else f"{value:.2e}", "number")


def _points(transport: Transport) -> Table:
    rows = [
        [
            number(p.temperature_K, 0),
            _power(p.rate_per_s),
            _power(p.diffusivity_cm2_per_s),
            _power(p.mobility_cm2_per_Vs),
            _power(p.hops_within_a_second_V_per_m),
            _power(p.linear_law_V_per_m),
            Cell("no result: barrier below 2 kT" if p.no_result else "", "failed" if p.no_result else ""),
        ]
        for p in transport.points
    ]
    heads = [
        "T (K)",
        "hops (1/s)",
        "D (cm²/s)",
        "mobility (cm²/Vs)",
        "hop in 1 s (V/m)",
        "by the linear law (V/m)",
        "remark",
    ]
    return Table(f"A vacancy that {transport.ion} enters, engine {transport.provenance.engine}", heads, rows)


def _crowded(transport: Transport) -> list[Table]:
    rows = [
        [
            number(c.temperature_K, 0),
            number(c.occupation, 3),
            _power(c.tracer_mean_cm2_per_s),
            _power(sum(c.together_cm2_per_s[k][k] for k in range(3)) / 3),
            number(c.correlation, 3),
            number(c.correlation_error, 3),
        ]
        for c in transport.crowded
    ]
    heads = ["T (K)", "places filled", "D of an ion (cm²/s)", "D of all together (cm²/s)", "f", "error of f"]
    return [Table(f"{transport.ion} that block each other, by kinetic Monte Carlo", heads, rows)] if rows else []


def _tracer(transport: Transport) -> list[Table]:
    rows = [
        [
            *words([t.hop]),
            _power(t.p_O2_atm),
            number(t.formation_energy_eV, 2),
            _power(t.site_fraction),
            _power(t.diffusivity_cm2_per_s),
            _power(t.conductivity_S_per_cm),
            *words([_remark(t)]),
        ]
        for t in (*transport.tracer, *transport.interstitials)
    ]
    if not rows:
        return []
    heads = [
        "by",
        f"p({transport.gas.replace('2', '₂')}) (atm)",
        "E_f, neutral (eV)",
        "share of sites",
        "D (cm²/s)",
        "conductivity (S/cm)",
        "remark",
    ]
    kelvin, engine = transport.tracer[0].temperature_K, transport.provenance.engine
    title = f"Tracer diffusion of {transport.ion} at {kelvin:.0f} K, engine {engine}"
    return [Table(title, heads, rows)]


def _remark(one: TracerDiffusion) -> str:
    parts = [one.reason, "" if one.inside_window else "outside the stability window"]
    return "; ".join(filter(None, [*parts, "all charge states" if one.charges and not one.reason else ""]))


def _left_out(transport: Transport) -> list[str]:
    """What D leaves out, by vacancies and by interstitials."""
    kinds = {"vacancies": transport.tracer, "interstitials": transport.interstitials}
    return [
        f"D by {name} leaves out: {'; '.join(dict.fromkeys(line for t in tracers for line in t.left_out))}"
        for name, tracers in kinds.items()
        if tracers
    ]


def _beside(transport: Transport) -> list[Table]:
    rows = [
        [
            *words([f"{b.measured.ion} in {b.measured.composition}"]),
            number(b.rms_decades, 1),
            number(b.slope_computed, 2, signed=True),
            number(b.slope_measured, 2, signed=True),
            number(b.low_slope_computed, 2, signed=True),
            number(b.low_slope_measured, 2, signed=True),
            *([number(b.minimum_computed, 1)] if b.minimum_computed is not None else words(["none inside"])),
            number(b.measured.log10_a_of_minimum, 1),
            *words([b.measured.source]),
        ]
        for b in transport.beside
    ]
    if not rows:
        return []
    heads = [
        "tracer",
        "rms (decades)",
        "slope at high p(O₂)",
        "measured slope",
        "slope at low p(O₂)",
        "measured low slope",
        "minimum (log a)",
        "measured minimum",
        "source",
    ]
    return [Table("Beside measurements", heads, rows)]
