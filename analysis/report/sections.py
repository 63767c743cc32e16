"""Sections of the report: paragraphs and tables of every stage that was computed."""

from __future__ import annotations

from dataclasses import replace

from ..audit.mechanisms import mechanisms
from ..kinetics.migration import Migration, electrons_text
from ..kinetics.rates import format_duration, why_no_rate
from ..kinetics.switching import largest_field_V_per_m
from ..results.document import Document
from ..results.page_parts import PlacedSection, Table, folded, section, sections_of, words
from ..study.citations import citations_of, reference_line
from ..study.documents import AnisotropyResult, Study
from ..study.methods import methods_paragraph
from ..study.observables import anchor_of
from ..study.tables import all_starts
from ..study.vacancy_order import UNLIKE_CHARGES
from ..thermodynamics.gases import gas_of
from ..thermodynamics.solid_solutions import estimated_enthalpies
from .anisotropy_tables import constants_table, maps_table, states_table
from .beside import measured_table
from .defect_tables import charged_table, films_table, levels_table, starts_table
from .device_tables import content_table, grain_table, merit_table, reference_table, switching_table
from .model import Section, capital
from .phase_tables import (
    ladder_table,
    loss_words,
    phases_table,
    potentials_table,
    stability_words,
    warm_table,
    window_table,
    windows_table,
)
from .plain import plain_section
from .retention_words import dwell_words, spread_words
from .tables import (
    checks_table,
    claims_tables,
    field_table,
    has_cubic_axes,
    host_table,
    orders_table,
    prefactors_table,
    retention_table,
    settings_table,
    stages_table,
    timings_table,
    treatments_table,
    vacancies_table,
)

# Documents of further stages stand before the claims unless they say otherwise.
PLAIN_PLACE = 500.0


def build_sections(study: Study) -> list[Section]:
    """All sections that the study has something for, in the order of the page."""
    placed = [(s.place, s.build(study)) for s in sections_of(type(study))]
    for stage, document in study.observables.items():
        placed += _observable(stage, document)
    return _each_note_once([section for _, section in sorted(placed, key=lambda pair: pair[0]) if section is not None])


def _each_note_once(sections: list[Section]) -> list[Section]:
    """What a section leaves out, without what an earlier one has said already: that is named instead."""
    said: dict[str, str] = {}
    out = []
    for s in sections:
        again = list(dict.fromkeys(said[note] for note in s.notes if note in said))
        new = list(dict.fromkeys(note for note in s.notes if note not in said))
        said |= {note: said.get(note, s.heading) for note in s.notes}
        out.append(replace(s, notes=[*new, *([f"what stands under {' and '.join(again)}"] if again else [])]))
    return out


def _observable(stage: str, document: Document) -> list[tuple[float, Section | None]]:
    """What is registered for the type of the document, else its values."""
    own = sections_of(type(document)) or [PlacedSection(PLAIN_PLACE, plain_section)]
    built = [(s.place, s.build(document)) for s in own]
    return [
        (place, section and replace(section, anchor=anchor_of(stage, n), heading=section.heading or stage.capitalize()))
        for n, (place, section) in enumerate(built)
    ]


@section(Study, "host", place=10)
def _host(study: Study) -> Section:
    return Section(
        "host",
        "Host",
        paragraphs=_order_words(study),
        tables=[host_table(study), *_measured(study), orders_table(study), folded(stages_table(study))],
        notes=study.engine.provenance.left_out,
    )


# Orders nearer than this have one energy.
_ONE_ENERGY_eV = 1e-3


def _order_words(study: Study) -> list[str]:
    """That the engine would have another cation order lowest than the one that is studied."""
    energies = {o.order: o.relative_eV_per_formula for o in study.host.orders}
    own = energies.get(study.host.order)
    if own is None or own < _ONE_ENERGY_eV:
        return []
    lowest = min(energies, key=lambda name: energies[name])
    why = (
        ". Rigid ions leave out what a site is worth to a d shell, and exchange: they do not decide between orders"
        if study.engine.level_of_theory == "local"
        else ""
    )
    return [
        f"This study is of the order {study.host.order}, as asked for or as measured; engine {study.engine.name} puts "
        f"it {own:.3f} eV per formula unit above the order {lowest}{why}."
    ]


def _measured(study: Study) -> list[Table]:
    table = measured_table(study)
    return [] if table is None else [table]


def _anion_word(study: Study) -> str:
    potentials = study.chemical_potentials
    return gas_of("O" if potentials is None else potentials.window.anion).word


@section(Study, "vacancies", place=20)
def _vacancies(study: Study) -> Section | None:
    if not study.vacancies and study.charged is None:
        return None
    section = Section("vacancies", f"Vacancies and {_anion_word(study)} potential")
    if study.vacancies:
        section.tables.append(vacancies_table(study))
    if any(len(starts) > 1 for _, _, starts in all_starts(study)):
        section.tables.append(folded(starts_table(study)))
    if study.charged is not None:
        section.tables.append(charged_table(study.charged))
        section.notes += [*study.charged.notes, *(w for s in study.charged.states for w in s.warnings)]
        if levels := study.charged.levels():
            section.tables.append(levels_table(levels, study.charged.edges.gap_eV))
    potentials = study.chemical_potentials
    if potentials is None:
        section.paragraphs.append(
            f"No formation energies: {study.not_done('chemical potentials')}. "
            "Differences of vacancies of one element still mean something."
        )
        return section
    window = potentials.window
    section.paragraphs.append(
        f"{study.host.formula} is stable between Δμ({window.anion}) = {window.delta_mu_O_min_eV:.2f} and "
        f"{window.delta_mu_O_max_eV:.2f} eV, from {window.origin}. Outside that window a formation "
        "energy has no meaning."
    )
    section.tables.append(window_table(window))
    if window.edges:
        section.tables.append(folded(potentials_table(window)))
    if potentials.warm:
        section.tables.append(folded(warm_table(potentials)))
        section.paragraphs += [text] if (text := loss_words(window)) else []
    if potentials.missing_phases:
        missing = ", ".join(potentials.missing_phases)
        section.notes.append(f"{missing} do not compete in this window, which may be too wide for it")
    if study.engine.level_of_theory == "local":
        section.paragraphs.append(f"Which of two unlike vacancies is easier: {UNLIKE_CHARGES}.")
    section.notes += [
        f"the enthalpy of {p.formula}, {p.formation_energy_eV:.3f} eV, was stated: {p.source}"
        for p in window.phases
        if p.confidence == "given"
    ]
    section.notes += estimated_enthalpies(window.phases)
    section.notes += [*potentials.lines.provenance.left_out, potentials.references.note]
    if study.defects is not None and study.defects.no_concentrations:
        section.paragraphs.append(f"No concentrations and no film composition: {study.defects.no_concentrations}.")
    elif study.defects is not None and not study.defects.dilute:
        section.paragraphs.append(
            "No concentrations and no film composition: with these formation energies some defect fills more than a "
            "twentieth of its sites everywhere in the window, so defects would not be dilute. A stable host cannot be "
            "that defective; the energies only compare like defects."
        )
    elif study.defects is not None:
        if study.defects.no_films:
            section.paragraphs.append(f"Composition of a film: {study.defects.no_films}.")
        else:
            section.tables.append(folded(films_table(study.defects)))
        section.notes += [f"concentrations leave out {note}" for note in study.defects.left_out]
    return section


@section(Study, "phases", place=30)
def _phases(study: Study) -> Section | None:
    result = study.competing_phases
    if result is None:
        return None
    section = Section(
        "phases",
        "Competing phases",
        paragraphs=[stability_words(result, study.host.formula)],
        tables=[windows_table(result)],
    )
    if result.references is not None:
        section.tables += [phases_table(result.references), folded(ladder_table(result.references))]
        section.notes += result.references.notes
    lower = [o for o in study.host.orders if o.relative_eV_per_formula < -1e-9 + _own_order(study)]
    section.notes += [
        f"order {o.order} lies {_own_order(study) - o.relative_eV_per_formula:.2f} eV per formula unit below the order "
        f"{study.host.order} of this study: the window is that of an order which is not the lowest"
        for o in lower
    ]
    return section


def _own_order(study: Study) -> float:
    return next(o.relative_eV_per_formula for o in study.host.orders if o.order == study.host.order)


@section(Study, "migration", place=40)
def _migration(study: Study) -> Section | None:
    if not study.migration:
        return None
    section = Section("migration", "Migration under a field")
    for hop in study.migration:
        hops = "hop" if hop.multiplicity == 1 else "hops"
        section.paragraphs += [
            f"{hop.label}, {hop.multiplicity} equivalent {hops} into the same vacancy, {hop.distance_A:.3f} Å. "
            f"{_related(hop.relation)} {hop.force_calls} force evaluations.",
            *([". ".join(capital(note) for note in hop.notes) + "."] if hop.notes else []),
            *_electrons_of(hop),
        ]
        in_field = [treatments_table(f) for f in hop.field_studies] or [field_table(hop)]
        section.tables += map(folded, [*in_field, checks_table(hop)])
        section.notes += [*hop.provenance.left_out, *(f"not checked: {n}" for n in hop.not_checked)]
    return section


def _electrons_of(hop: Migration) -> list[str]:
    """Which electronic state the saddle and the end of a hop are, against its start."""
    known = [p for p in hop.images if p.total_moment_muB is not None]
    if len(known) < 2 or hop.images[0].total_moment_muB is None:
        return []
    top = max(known, key=lambda p: p.energy_eV)
    parts = [
        f"{name} {p.total_moment_muB:.1f} μB, ions whose moment changed: {electrons_text(p)}"
        for name, p in (("highest image", top), ("end", known[-1]))
    ]
    return [f"Moments at the ions sum to {hop.images[0].total_moment_muB:.1f} μB at the start; {'; '.join(parts)}."]


def _related(relation: list[str]) -> str:
    if relation in ([], ["none"]):
        return (
            "No symmetry operation of the host that keeps valences and spins exchanges the two states of the hop, so "
            "that its path is not its own mirror image."
        )
    return f"The host's {', '.join(relation)} exchanges the states before and after the hop."


@section(Study, "anisotropy", place=50)
def _anisotropy(study: Study) -> Section | None:
    result, picture = study.anisotropy, study.unidirectional
    if result is None:
        return None
    section = Section("anisotropy", "Anisotropy and the unidirectional picture")
    if picture is None:
        others = [m.state for m in result.maps if m.state != "pristine"]
        which = f"The host and {', '.join(others)}, no hop" if others else "Only the host"
        section.paragraphs.append(f"{which}: {study.not_done('migration')}.")
        section.tables.append(maps_table(study, result))
    else:
        section.paragraphs.append(f"Verdict: {picture.verdict}; {picture.reason}.")
        section.tables.append(states_table(study, result.maps, picture, result.summaries))
        if picture.reference is None:
            section.paragraphs.append(
                "No frozen reference is assumed: time reversal leaves an axis, and u below is the error of the "
                "calculation. Assume one with --reference to see u, the loop's shift and its loops."
            )
        else:
            section.tables.append(reference_table(picture))
    section.tables.append(folded(constants_table(study, result)))
    if result.cubic is not None:
        section.paragraphs.append(
            f"Cubic average of the host: K1 = {result.cubic.K1_MJ_per_m3:.3g}{_error_of_K1(result)} MJ/m³ "
            f"({result.cubic.K1_meV_per_formula:.3g} meV per formula unit), "
            f"K2 = {result.cubic.K2_MJ_per_m3:.2g} MJ/m³; {result.cubic_note}."
        )
    section.notes = [*result.maps[0].provenance.left_out, *(picture.assumptions if picture else [])]
    return section


def _error_of_K1(result: AnisotropyResult) -> str:
    """What was measured of the error of K1, and what of it is not known; nothing in results of older versions."""
    parts = next((m.error_parts for m in result.summaries if m.state == "pristine"), [])
    if result.cubic is None or not parts:
        return ""
    error = result.cubic.K1_error_MJ_per_m3
    missing = ", ".join(p.source for p in parts if p.value_meV is None)
    said = f"not in it: {missing}" if error is not None else f"no error: {missing} not measured"
    return ("" if error is None else f" ± {error:.1g}") + (f" ({said})" if missing else "")


def _no_device(study: Study) -> str:
    """Why a sound hop has neither a switching path nor device figures; empty if it has no hop to have them of."""
    hop = next((m for m in study.migration[:1] if not m.why_no_result), None)
    if hop is None or study.assumptions is None:
        return ""
    pulse, largest = study.assumptions.pulse, largest_field_V_per_m(hop)
    if largest < abs(pulse.field_V_per_m):
        return f"the pulse of {pulse.field_V_per_m:.0e} V/m is beyond {largest:.1e} V/m, the breakdown field here"
    return why_no_rate(min(hop.forward_eV, hop.backward_eV), pulse.temperature_K)


@section(Study, "device", place=70)
def _device(study: Study) -> Section | None:
    path, device = study.switching, study.device
    section = Section("device", "Switching path and device figures", notes_heading="Assumed and left out")
    if path is None and device is None:
        why = _no_device(study)
        section.paragraphs.append(f"No switching path and no device figures: {why}.")
        return section if why else None
    if path is not None:
        section.paragraphs.append(
            f"{path.steps[0].stage.capitalize()}, pulse, wait, reverse pulse, wait: {path.verdict}."
        )
        section.tables.append(switching_table(path))
        section.notes += path.assumptions
    if device is not None:
        section.paragraphs.append(
            "Nothing below is measured or fitted: film, field and pulse are assumed, and listed beside each curve. "
            "`magnetoionics fit` fits them to your data."
        )
        p = device.parameters
        section.paragraphs.append(
            f"Curves are those of a two-state ensemble: mean barrier of both ways {p.barrier_eV:.2f} eV over "
            f"{p.distance_A:.2f} Å, a film of {1e9 * p.thickness_m:g} nm at {p.temperature_K:g} K. Contrast is of the "
            "ions' places, not of a magnetic sense; the ions do not interact."
        )
        section.tables.append(folded(merit_table(device)))
        if device.grains:
            section.tables.append(folded(grain_table(device, cubic=has_cubic_axes(study))))
        if device.writing is not None:
            section.paragraphs.append(
                f"Magnetic writing, in a bias along the film's normal that the voltage does not change: "
                f"{device.writing.verdict}."
            )
            section.notes += device.writing.assumptions
        section.notes += [*device.assumptions, *device.merit.assumptions]
        section.notes += [
            f"mean time of the hop: {why}" for why in dict.fromkeys(filter(None, device.switching_no_result))
        ]
    return section


@section(Study, "content", place=80)
def _content(study: Study) -> Section | None:
    if not study.contents:
        return None
    return Section(
        "content",
        "Moment against content",
        paragraphs=["Counts of Neel's rule: which ion changes its valence is assumed, no energy stands behind it."],
        tables=[folded(content_table(c)) for c in study.contents],
    )


@section(Study, "retention", place=60)
def _retention(study: Study) -> Section | None:
    if study.retention is None:
        return None
    retention, attempts = study.retention, study.vibrations
    how = "computed (Vineyard)" if retention.attempt_frequency_source == "Vineyard" else "assumed"
    note = f": {retention.attempt_frequency_note}" if retention.attempt_frequency_note else ""
    why = retention.why_no_rate(300.0)
    said = why and f"No result: {why}."
    said = said or (
        f"{capital(dwell_words(retention).removesuffix('; ') or 'only the way back is known')}. What was written into "
        f"many ions decays with 1/(k_f + k_b), in {format_duration(retention.decay(300))} at 300 K, at zero field."
    )
    section = Section(
        "retention",
        "Retention",
        paragraphs=[
            said,
            f"{spread_words(study)}.",
            f"The attempt frequency of {retention.attempt_frequency_Hz:.1e} Hz is {how}{note}.",
        ],
        tables=[folded(retention_table(study, retention))],
    )
    if attempts is not None:
        section.tables += map(folded, [prefactors_table(attempts), checks_table(attempts, "vibrations")])
        section.notes += attempts.provenance.left_out
    return section


@section(Study, "mechanisms", place=895)
def _mechanisms(study: Study) -> Section | None:
    if study.unidirectional is None:
        return None
    rows = [
        words([m.name, m.odd, m.size, m.reversed_by_hop, m.needs, m.tells, m.evidence_of_study])
        for m in mechanisms(study)
    ]
    columns = ["mechanism", "odd in n?", "size here", "reversed by the hop back?", "needs", "what tells", "evidence"]
    return Section(
        "mechanisms",
        "Mechanisms that could write a contrast",
        paragraphs=["A contrast of one sense needs a term that is odd in the magnetisation n."],
        tables=[Table("Mechanisms, sizes and tests", columns, rows, folded=True)],
    )


@section(Study, "claims", place=900)
def _claims(study: Study) -> Section:
    return Section(
        "claims",
        "The review's claims",
        paragraphs=["Claims are paraphrased; a verdict holds for this engine and this cell."],
        tables=claims_tables(study),
    )


@section(Study, "provenance", place=910)
def _provenance(study: Study) -> Section:
    return Section("provenance", "Provenance", tables=[folded(settings_table(study)), folded(timings_table(study))])


@section(Study, "cite", place=920)
def _cite(study: Study) -> Section:
    return Section(
        "cite",
        "Methods and what to cite",
        paragraphs=[methods_paragraph(study), "In BibTeX: `magnetoionics cite DIR`."],
        notes=[f"{key}: {reference_line(key)}" for key in citations_of(study)],
        notes_heading="References",
    )
