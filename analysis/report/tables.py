"""Tables of the report, built from the study's documents."""

from __future__ import annotations

from collections.abc import Sequence

from ...structures.defects.vacancies import counts_in_words
from ..audit.known_values import spins_in_words
from ..kinetics.attempt_frequency import AttemptFrequency
from ..kinetics.field_treatments import FieldStudy
from ..kinetics.migration import Migration
from ..kinetics.profiles import LINEAR, PATH, RELAXED, FieldPoint, FieldTreatment
from ..kinetics.rates import format_duration
from ..kinetics.retention import Retention
from ..plots.text import formatted_unit
from ..results.checks import failed, no_result
from ..study.documents import EnergyRange, Study, VacancyResult
from ..study.validity import formation_checks
from ..thermodynamics.gases import edge_words
from .model import Cell, Table, capital, number, number_with_error, words
from .retention_words import share_words

# Residuals of identities below this are the rounding of floating point.
ROUNDING_eV = 1e-9


def host_table(study: Study) -> Table:
    """The host, relaxed or as measured."""
    host, relaxed = study.host, study.engine.relaxes_cells
    lattice = ", ".join(f"{x:.3f}" for x in host.lattice_A)
    rows = [
        words([f"space group ({'relaxed' if relaxed else 'as measured'}, with spins)", host.space_group]),
        words(["lattice a, b, c (Å)", lattice]),
        words(
            [
                f"moment (μB per formula unit{spins_in_words(study.engine.level_of_theory)})",
                f"{host.moment_per_formula_muB:.3f}",
            ]
        ),
        words(["atoms in the ordered cell", host.cell_atoms]),
    ]
    title = "Relaxed host" if relaxed else "Host at its measured lattice, not relaxed"
    return Table(f"{title}, engine {study.engine.name}", ["quantity", "value"], rows)


def orders_table(study: Study) -> Table:
    """Cation orders compared."""
    rows = [
        [
            *words([o.order, o.space_group]),
            number(o.relative_eV_per_formula),
            number(o.volume_per_formula_A3, 2),
        ]
        for o in study.host.orders
    ]
    return Table(
        f"Cation orders, engine {study.engine.name}",
        ["order", "space group", "energy (eV/f.u.)", "volume (Å³/f.u.)"],
        rows,
    )


def stages_table(study: Study) -> Table:
    """What was computed and what was not."""
    rows = [
        [
            *words([s.stage]),
            Cell("done" if s.done else "not done", "passed" if s.done else "not-done"),
            *words([s.reason or s.note]),
        ]
        for s in study.stages
    ]
    return Table(f"Stages, engine {study.engine.name}", ["stage", "state", "reason"], rows)


def _range(value: EnergyRange | None) -> Cell:
    if value is None:
        return Cell("–", "number")
    if abs(value.high_eV - value.low_eV) < 0.005:
        return Cell(f"{value.low_eV:.2f}", "number")
    return Cell(f"{value.low_eV:.2f} to {value.high_eV:.2f}", "number")


def _marked(cell: Cell, vacancy: VacancyResult) -> Cell:
    """A formation energy with the mark of one that fails its own check: below zero beyond its error."""
    return Cell(f"{cell.text}, no result", "failed") if failed(formation_checks(vacancy)) else cell


def _anion(study: Study) -> str:
    return "O" if study.chemical_potentials is None else study.chemical_potentials.window.anion


def vacancies_table(study: Study) -> Table:
    """Vacancies and other defects with their formation energies at both edges of the window."""
    near = any(v.near_cations for v in study.vacancies)
    # Without potentials the differences of the cells are what there is.
    bare = any(v.oxygen_rich is None for v in study.vacancies)
    potentials = any(v.oxygen_rich is not None for v in study.vacancies)
    sized = any(v.size_correction_eV is not None for v in study.vacancies)
    kind = "vacancy" if all(v.removed in ({}, {v.element: 1}) for v in study.vacancies) else "defect"
    rows = [
        [
            *words([v.label, v.multiplicity]),
            *words([counts_in_words(v.near_cations) or "–"] if near else []),
            *([number(v.energy_minus_host_eV)] if bare else []),
            *([number_with_error(v.size_correction_eV, v.size_error_eV)] if sized else []),
            *(_marked(_range(edge), v) for edge in ((v.oxygen_poor, v.oxygen_rich) if potentials else ())),
            *([] if bare else [number(v.error_bar_eV, 2)]),
            number(v.moment_change_muB, 1, signed=True),
            Cell("yes" if v.converged else "no", "passed" if v.converged else "failed"),
        ]
        for v in study.vacancies
    ]
    bars = sorted({v.error_bar_eV for v in study.vacancies if v.error_bar_eV is not None})
    tag = "indicative; " if study.vacancies[0].indicative else ""
    error = "no error bar"
    if bars:
        most = f" to {bars[-1]:.2f}" if bars[-1] - bars[0] >= 0.005 else ""
        error = f"± {bars[0]:.2f}{most} eV; that of a difference of like vacancies is far smaller"
    plural = "Vacancies" if kind == "vacancy" else "Defects"
    return Table(
        f"{plural} in {study.vacancies[0].cell_atoms} atoms, engine {study.engine.name} ({tag}{error})",
        [
            kind,
            "sites per cell",
            *(["cations of the nearest shell, to 3.3 Å"] if near else []),
            *(["cell minus host (eV)"] if bare else []),
            *(["correction for size (eV)"] if sized else []),
            *([f"E_f {end} (eV)" for end in edge_words(_anion(study))] if potentials else []),
            *([] if bare else ["± (eV)"]),
            f"moment change (μB{spins_in_words(study.engine.level_of_theory)})",
            "forces relaxed",
        ],
        rows,
    )


def _mark(reasons: list[str]) -> str:
    """What a table's title says of numbers that rest on failed checks."""
    return f"; {no_result(reasons)}" if reasons else ""


def field_table(hop: Migration) -> Table:
    """Barriers under the field."""
    rows = [
        [_field(f.field_V_per_m), number(f.forward_eV), number(f.backward_eV), number(f.delta_eV, signed=True)]
        for f in sorted(hop.field, key=lambda f: f.field_V_per_m)
    ]
    return Table(
        f"{hop.label} in a field along the hop; {hop.field_treatment}{_mark(hop.why_no_result)}",
        ["field (V/m)", "forward (eV)", "back (eV)", "final − initial (eV)"],
        rows,
    )


def _field(field_V_per_m: float) -> Cell:
    return Cell(f"{field_V_per_m:.0e}" if field_V_per_m else "0", "number")


def _attempts_words(field_study: FieldStudy) -> str:
    return "assumed" if field_study.attempt_source == "assumed" else "Vineyard, with quantum oscillators"


# Heads of the columns that each treatment adds.
_IN_THE_HEAD = {PATH: "", RELAXED: ", relaxed", LINEAR: ", linear"}
_TREATMENTS_IN_WORDS = {
    PATH: "barriers and rates: the work of the field along the zero-field path",
    RELAXED: "relaxed: the band converged in the field",
    LINEAR: "linear: zero-field barriers with the work to the saddle alone, as a rate law takes them",
}


def treatments_table(field_study: FieldStudy) -> Table:
    """One hop in the fields of one direction; the treatments stand side by side, rates are those of the first."""
    treatments = list(dict.fromkeys(p.treatment for p in field_study.points))
    by_field = [{p.field_V_per_m: p for p in field_study.of_treatment(name)} for name in treatments]
    back = field_study.attempt_Hz if field_study.attempt_backward_Hz is None else field_study.attempt_backward_Hz
    limit = (
        "" if field_study.breakdown_V_per_m is None else f"; breakdown taken at {field_study.breakdown_V_per_m:.1e} V/m"
    )
    barriers = [f"{way}{_IN_THE_HEAD[t]} (eV)" for t in treatments for way in ("forward", "back")]
    # Work and rate law move the ends alike; only relaxing in the field changes their difference.
    deltas = [n for n, t in enumerate(treatments) if n == 0 or t == RELAXED]
    rows = []
    for field in sorted({p.field_V_per_m for p in field_study.points}):
        points = [of.get(field) for of in by_field]
        first = next(p for p in points if p is not None)
        rows.append(
            [
                _field(field),
                *(number(v) for p in points for v in ((None, None) if p is None else (p.forward_eV, p.backward_eV))),
                *(number(None if p is None else p.delta_eV, signed=True) for p in (points[n] for n in deltas)),
                *words([_saddle_words(first)]),
                *(_rate(v) for v in (first.forward_per_s, first.backward_per_s)),
            ]
        )
    said = [_TREATMENTS_IN_WORDS[t] for t in treatments]
    return Table(
        f"{field_study.label} in fields along {_direction(field_study)}",
        [
            "field (V/m)",
            *barriers,
            *(f"final − initial{_IN_THE_HEAD[treatments[n]]} (eV)" for n in deltas),
            "controlling saddle",
            "forward (1/s)",
            "back (1/s)",
        ],
        rows,
        note=f"{capital('; '.join(said))}. {field_study.temperature_K:g} K, {field_study.attempt_Hz:.1e} and "
        f"{back:.1e} Hz ({_attempts_words(field_study)}); {field_study.dipole_source}{limit}"
        f"{_permittivity(field_study)}{_identities(field_study, treatments)}.",
    )


def _rate(rate_per_s: float | None) -> Cell:
    return Cell("no rate law" if rate_per_s is None else f"{rate_per_s:.1e}", "number")


def _direction(field_study: FieldStudy) -> str:
    """The direction of positive fields in words."""
    return (
        "the hop"
        if field_study.direction_in_words == "hop"
        else field_study.direction_in_words or str(field_study.direction)
    )


def _identities(field_study: FieldStudy, treatments: Sequence[FieldTreatment]) -> str:
    """By how much a treatment misses the identities that it must obey; nothing where that is rounding."""
    missed = {t: field_study.largest_residual_eV(t) for t in treatments}
    worst = "; ".join(f"{t} by {1e3 * r:.2g} meV" for t, r in missed.items() if r > ROUNDING_eV)
    return f"; forward − back = final − initial, and slopes against dipoles, are missed: {worst}" if worst else ""


def _permittivity(field_study: FieldStudy) -> str:
    """What relaxing in the field says of the charges that were chosen for it."""
    if field_study.permittivity is None:
        return ""
    return (
        f"; relaxing, the ions imply a static permittivity of {field_study.permittivity:.1f} along the field, which "
        "follows from these charges: choose others (born charges) if the material's is another"
    )


def _saddle_words(p: FieldPoint) -> str:
    """Number of the saddle that a field leaves in control; a strong one moves the top to another image of the path."""
    if p.controlling_saddle_index is not None:
        return str(p.controlling_saddle_index + 1)
    return "none" if min(p.forward_eV, p.backward_eV) <= 0 else "beside a saddle"


def prefactors_table(attempts: AttemptFrequency) -> Table:
    """Attempt frequencies both ways, with ever larger spheres of vibrating ions."""
    rows = [
        [
            *words(["all ions" if r is None else f"within {r:.1f} Å of the mover", atoms]),
            *(Cell("–" if f is None else f"{f:.2e}", "number") for f in (forward, backward)),
        ]
        for r, atoms, forward, backward in (
            *((s.radius_A, s.atoms, s.forward_Hz, s.backward_Hz) for s in attempts.shells),
            (attempts.radius_A, attempts.atoms, attempts.forward_Hz, attempts.backward_Hz),
        )
    ]
    return Table(
        f"Attempt frequencies of {attempts.label}, engine {attempts.provenance.engine}; the last row is used",
        ["vibrating", "ions", "forward (Hz)", "back (Hz)"],
        rows,
    )


def checks_table(hop: Migration | AttemptFrequency, what: str = "band") -> Table:
    """Checks of a band, or of its vibrations, that could have failed."""
    rows = []
    for c in hop.checks:
        state = {True: ("passed", "passed"), False: ("failed", "failed"), None: ("not done", "not-done")}[c.passed]
        rows.append(
            [
                *words([c.name]),
                Cell(*state),
                number(c.value, 4),
                *words([c.side if c.must_be else "–"]),
                number(c.limit, 4),
                *words([formatted_unit(c.unit)]),
            ]
        )
    columns = ["check", "result", "value", "must be", "limit", "unit"]
    passed = sum(c.passed is True for c in hop.checks)
    return Table(f"Checks of the {what} of {hop.label}: {passed} of {len(rows)} passed", columns, rows)


def has_cubic_axes(study: Study) -> bool:
    """Whether Cartesian axes are the cubic ones of the host."""
    return study.anisotropy is not None and study.anisotropy.cubic is not None


def retention_table(study: Study, retention: Retention) -> Table:
    """Retention against temperature."""
    rows = [
        [
            number(p.temperature_K, 0),
            *(
                [
                    Cell(_seconds(p.before_s), "number"),
                    Cell(_seconds(p.retention_s), "number"),
                    Cell("–" if p.equilibrium_after is None else share_words(p.equilibrium_after), "number"),
                    Cell(_seconds(p.decay_s), "number"),
                    *words([format_duration(p.lasting_s)]),
                ]
                if p.lasting_s is not None and not retention.why_no_rate(p.temperature_K)
                else [*[number(None)] * 4, Cell("no result: barrier below 2 kT", "failed")]
            ),
            Cell(f"{p.quantum_forward:.3g}, {p.quantum_backward:.3g}", "number"),
        ]
        for p in retention.points
    ]
    forward = "" if retention.forward_barrier_eV is None else f"{retention.forward_barrier_eV:.3f} eV forward, "
    return Table(
        f"How long a state is kept: {forward}{retention.barrier_eV:.3f} eV back, engine {study.engine.name}",
        [
            "temperature (K)",
            "before the hop (s)",
            "after the hop (s)",
            "after it at 0 V (share)",
            "decay of a difference (s)",
            "in words",
            "quantum over classical rate, forward and back",
        ],
        rows,
    )


def _seconds(time_s: float | None) -> str:
    return "–" if time_s is None else f"{time_s:.2e}"


def claims_tables(study: Study) -> list[Table]:
    """Claims that the study speaks to, and those that it does not."""
    decided, rest = [], []
    for c in study.claims:
        value = "" if c.value is None else f"{c.value:.4g} {c.unit}".strip()
        if c.verdict == "not computed":
            rest.append(words([c.id, c.system, c.claim, c.reason]))
            continue
        verdict = Cell(c.verdict, f"verdict {c.verdict.replace(' ', '-')}")
        decided.append([*words([c.id, c.claim]), verdict, *words([value, c.engine, c.reason])])
    return [
        Table(
            "Claims that this study speaks to",
            ["id", "claim", "verdict", "value", "engine", "reason"],
            decided,
        ),
        Table("Claims that this study does not compute", ["id", "system", "claim", "reason"], rest, folded=True),
    ]


def settings_table(study: Study) -> Table:
    """Engine, settings and versions."""
    provenance = study.engine.provenance
    rows = [
        words(["engine", f"{provenance.engine} ({provenance.level_of_theory})"]),
        words(["model", provenance.functional]),
    ]
    rows += [words([k, v]) for k, v in sorted(provenance.settings.items())]
    rows += [words([f"version of {k}", v]) for k, v in sorted(provenance.versions.items())]
    rows += [words([f"source of {k}", v]) for k, v in sorted(study.host.sources.items())]
    return Table("Engine, settings, versions, sources", ["item", "value"], rows, verbatim=True)


def timings_table(study: Study) -> Table:
    """Wall time by stage."""
    return Table("Wall time", ["stage", "seconds"], [[*words([k]), number(v, 2)] for k, v in study.timings.items()])
