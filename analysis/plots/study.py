"""All figures of a study, each with its alternative text and caption."""

from __future__ import annotations

import inspect
import math
from functools import partial

from ...structures.units import BOLTZMANN_eV_PER_K
from ..defects.charged_cells import ChargedVacancies
from ..defects.equilibria import DefectEquilibria
from ..defects.formation import FormationLines
from ..device.film import DeviceResult
from ..results.checks import no_result
from ..results.figures import NamedFigure, figure_set, figures_of
from ..study.documents import AnisotropyResult, Study
from ..study.observables import anchor_of, table_name
from ..thermodynamics.stability_window import ChemicalPotentials
from .alignment import plot_planes, plot_sites
from .anisotropy import plot_difference, plot_plane
from .brouwer import plot_brouwer
from .ensemble import plot_curve, plot_pulses, plot_train
from .fermi import plot_fermi
from .formation import plot_formation
from .lithiation import plot_moment
from .migration import plot_band, plot_barrier_against_field
from .retention import plot_retention
from .surface import plot_surface
from .switching import plot_loops, plot_switching, plot_switching_time
from .window import plot_window
from .writing import plot_writing

_SURFACE_POINTS = 40


@figure_set(Study)
def study_figures(study: Study) -> dict[str, NamedFigure]:
    """Figures of a study by file stem; those of the stages that were computed."""
    figures: dict[str, NamedFigure] = {}
    if study.charged is not None:
        figures |= _alignment_figures(study.charged)
    if study.chemical_potentials is not None:
        figures["formation"] = NamedFigure(
            "vacancies",
            partial(plot_formation, study.chemical_potentials.lines),
            "Formation energies of all vacancies against the oxygen chemical potential, stability window marked",
            f"{_cells(study, study.vacancies[0].cell_atoms)} Vacancy formation energies inside the host's stability "
            "window; the width of a band is the freedom of the cation potentials. Left out: charge states and "
            f"vibrations.{_below_zero(study.chemical_potentials.lines)}",
        )
        figures["window"] = NamedFigure(
            "vacancies",
            partial(
                plot_window, study.chemical_potentials.window, beside=_beside(study, study.chemical_potentials.window)
            ),
            "Stability region in the chemical potentials, each edge with the phase that forms there",
            f"Chemical potentials at which the host is stable, from {study.chemical_potentials.window.origin}; "
            "beyond an edge the named phase forms. Left out: "
            + "; ".join(study.chemical_potentials.window.left_out)
            + ".",
        )
    elif study.competing_phases is not None and study.competing_phases.window is not None:
        window = study.competing_phases.window
        figures["window"] = NamedFigure(
            "phases",
            partial(plot_window, window, beside=_beside(study, window)),
            "Stability region in the chemical potentials, each edge with the phase that forms there",
            f"Chemical potentials at which the host is stable, from {window.origin}; beyond an edge the named "
            "phase forms. Left out: " + "; ".join(window.left_out) + ".",
        )
    if study.defects is not None:
        figures |= _defect_figures(study, study.defects)
    if study.migration:
        figures |= _migration_figures(study)
    if study.anisotropy is not None:
        figures |= _anisotropy_figures(study, study.anisotropy)
    return figures | _assumption_figures(study) | _observable_figures(study)


def _below_zero(lines: FormationLines) -> str:
    """Which lines of the figure are no result; empty if all are one."""
    wrong = [line.label for line in lines.lines if lines.no_result_because(line)]
    if not wrong:
        return ""
    return (
        f" Dotted, no result: {', '.join(wrong)}; a stable host loses nothing by itself, so that the references or the "
        "engine are wrong there by more than the error says."
    )


def _observable_figures(study: Study) -> dict[str, NamedFigure]:
    """Figures registered for the documents of further stages; the words of a figure are those of its function."""
    figures = {}
    for stage, document in study.observables.items():
        for n, (name, function) in enumerate(figures_of(type(document)).items()):
            stem = table_name(stage) if n == 0 else f"{table_name(stage)}_{name}"
            says = (inspect.getdoc(function) or name).splitlines()[0]
            figures[stem] = NamedFigure(
                anchor_of(stage), partial(function, document), says, f"Engine {study.engine.name}. {says}", aside=n > 0
            )
    return figures


def _assumption_figures(study: Study) -> dict[str, NamedFigure]:
    """Loops, switching path, device curves and contents: what rests on assumptions."""
    figures: dict[str, NamedFigure] = {}
    engine = f"Engine {study.engine.name}."
    result, path, device = study.unidirectional, study.switching, study.device
    if result is not None and any(s.loop is not None for s in result.states):
        figures["loops"] = NamedFigure(
            "anisotropy",
            partial(plot_loops, result),
            "Hysteresis loops of the turning moments before and after the hop, shifted by the frozen reference",
            f"{engine} Moments that turn, against {result.reference} held rigid; the shift is u over their moment. "
            "Left out: walls, temperature, the pinning itself.",
        )
    if path is not None:
        figures["switching"] = NamedFigure(
            "device",
            partial(plot_switching, path, engine=study.engine.name),
            "Share of ions after the hop through a field pulse, a wait, the reverse pulse and a wait",
            f"{engine} State before, pulse, state after, and u of each where something is frozen: {path.verdict}.",
            wide=True,
        )
    if device is not None:
        cells = _cells(study, study.migration[0].cell_atoms) if study.migration else engine
        figures |= _device_figures(cells, device, study.engine.name)
    for n, curve in enumerate(study.contents):
        figures["content" if n == 0 else f"content_{n + 1}"] = NamedFigure(
            "content",
            partial(plot_moment, curve),
            f"Magnetisation of {curve.formula} against its content of {curve.ion}",
            f"Counted by Neel's rule: {'; '.join(curve.assumptions)}.",
        )
    return figures


def _beside(study: Study, window: ChemicalPotentials) -> ChemicalPotentials | None:
    """The experimental region, where the window shown is a computed one."""
    if study.competing_phases is None or window.provenance.level_of_theory == "experiment":
        return None
    return study.competing_phases.experimental


def _device_figures(cells: str, device: DeviceResult, engine: str) -> dict[str, NamedFigure]:
    times = (
        "1/e of what can be lost: the inverse of both rates together, so shorter than the time of one ion in "
        "either state."
    )
    figures = {
        "contrast_voltage": (
            partial(plot_pulses, device.against_voltage, engine=engine),
            "Contrast against voltage for several pulse lengths",
        ),
        "contrast_train": (
            partial(plot_train, device.train, engine=engine),
            "Contrast through a train of pulses and waits",
        ),
        "contrast_miscut": (
            partial(plot_curve, device.against_miscut, engine=engine),
            "Contrast against the angle between field and hop",
        ),
        "contrast_retention": (
            partial(plot_curve, device.retention, engine=engine),
            "Time that a written contrast lasts, against temperature",
        ),
        "switching_time": (
            partial(plot_switching_time, device, engine=engine),
            "Mean time of the hop against the field",
        ),
    }
    if device.writing is not None:
        figures["writing"] = (
            partial(plot_writing, device.writing, engine=engine),
            "Moment of grains after a pulse of each voltage in a bias field",
        )
    more = {"contrast_retention": f" {times}"}
    return {
        name: NamedFigure(
            "device",
            f,
            alt,
            f"{cells} {alt}.{more.get(name, '')} Assumptions stand beside the curve.",
            wide=True,
            aside=n > 0,
        )
        for n, (name, (f, alt)) in enumerate(figures.items())
    }


def _defect_figures(study: Study, defects: DefectEquilibria) -> dict[str, NamedFigure]:
    figures = {}
    for n, diagram in enumerate(defects.brouwer if defects.dilute else []):
        bar = ""
        if defects.error_bar_eV:
            decades = defects.error_bar_eV / (BOLTZMANN_eV_PER_K * diagram.temperature_K * math.log(10))
            bar = (
                f" An error of {defects.error_bar_eV:.2f} eV in an energy is {decades:.1f} decades of a concentration."
            )
        figures["brouwer" if n == 0 else f"brouwer_{n + 1}"] = NamedFigure(
            "vacancies",
            partial(plot_brouwer, diagram),
            f"Concentrations of all defects against oxygen pressure at {diagram.temperature_K:.0f} K"
            + ("" if diagram.quenched_to_K is None else f", quenched to {diagram.quenched_to_K:.0f} K"),
            f"Engine {study.engine.name}. Concentrations across the stability window, cation potential halfway between "
            f"its bounds.{bar} Left out: " + "; ".join(defects.left_out) + ".",
        )
    if defects.fermi is not None:
        figures["fermi"] = NamedFigure(
            "vacancies",
            partial(plot_fermi, defects.fermi),
            "Formation energies of all charge states against the Fermi level",
            f"Engine {study.engine.name}. Lowest charge state of each defect; points: transition levels.",
        )
    return figures


def _alignment_figures(charged: ChargedVacancies) -> dict[str, NamedFigure]:
    """Alignment of the charge state whose correction is known least, by the sites and by the planes."""
    figures = {}
    for stem, method, draw in (("alignment", "eFNV", plot_sites), ("planes", "Freysoldt", plot_planes)):
        alignments = [
            (c.error_eV, s, c)
            for s in charged.states
            for c in s.corrections
            if c.method == method and c.error_eV is not None and (c.sites or c.planes)
        ]
        if not alignments:
            continue
        error, state, correction = max(alignments, key=lambda one: one[0])
        figures[stem] = NamedFigure(
            "vacancies",
            partial(draw, correction),
            f"Alignment of the potentials of {state.label} with charge {state.charge:+d}, by {method}",
            f"Engine {state.provenance.engine}. Of all charge states the one whose {method} correction has the largest "
            f"error, {correction.total_eV:.3f} ± {error:.3f} eV.",
        )
    return figures


def _cells(study: Study, atoms: int) -> str:
    return f"Engine {study.engine.name}, {atoms} atoms."


def _migration_figures(study: Study) -> dict[str, NamedFigure]:
    hop = study.migration[0]
    mark = no_result(hop.why_no_result)
    cells = _cells(study, hop.cell_atoms) + (f" {mark[:1].upper()}{mark[1:]}." if mark else "")
    figures = {
        "band": NamedFigure(
            "migration",
            partial(plot_band, hop),
            f"Energy along the path of {hop.label}: barrier {hop.forward_eV:.2f} eV forward and "
            f"{hop.backward_eV:.2f} eV back{f' ({mark})' if mark else ''}",
            f"{cells} Every saddle is climbed on its own; dashed and dotted: the same path in a field along the hop. "
            "Left out: relaxation in the field" + (", electrons." if study.engine.level_of_theory == "local" else "."),
        ),
    }
    # A metal is put into no field.
    if len({f.field_V_per_m for f in hop.field}) > 1:
        figures["barrier_against_field"] = NamedFigure(
            "migration",
            partial(plot_barrier_against_field, hop),
            "Forward barrier, back barrier and reaction energy against the field along the hop",
            f"{cells} Work of the field on the zero-field path. The field is the internal macroscopic one.",
        )
    if study.retention is not None:
        how = "assumed" if study.retention.attempt_frequency_source == "assumed" else "computed (Vineyard)"
        figures["retention"] = NamedFigure(
            "retention",
            partial(plot_retention, study.retention),
            f"Retention time against temperature for a back barrier of {study.retention.barrier_eV:.2f} eV",
            f"{cells} Zero field; the attempt frequency is {how}.",
        )
    return figures


def _anisotropy_figures(study: Study, anisotropy: AnisotropyResult) -> dict[str, NamedFigure]:
    maps, cubic = anisotropy.maps, anisotropy.cubic is not None
    states = [m for m in maps if m.state in ("before", "after")] or maps
    what = "before and after the hop" if len(states) > 1 else f"of the {states[0].state} cell"
    figures = {}
    for normal in ((0, 0, 1), (1, 1, 0)):
        name = "".join(str(i) for i in normal)
        figures[f"anisotropy_{name}"] = NamedFigure(
            "anisotropy",
            partial(plot_plane, states, normal, cubic=cubic),
            f"Polar plot of the anisotropy energy {what} in the ({name}) plane",
            f"Engine {study.engine.name}. Energy of {states[0].ions} above the lowest in the plane, at 0 K.",
        )
    if len(states) == 2 and states[0].formula_units == states[1].formula_units:
        figures["anisotropy_difference"] = NamedFigure(
            "anisotropy",
            partial(plot_difference, states[0], states[1], cubic=cubic),
            "Map of the change of the anisotropy energy by the hop over half of the sphere of directions",
            f"Engine {study.engine.name}. What the hop changes at 0 K: E(n) after it minus before it, each from "
            "its mean over the sphere. Red directions are dearer after the hop, blue ones cheaper; black: no change.",
        )
    for map_ in states:
        figures[f"anisotropy_surface_{map_.state}"] = NamedFigure(
            "anisotropy",
            partial(plot_surface, map_, resolution=_SURFACE_POINTS, cubic=cubic),
            f"Anisotropy energy of the {map_.state} cell as a surface, with its easy and hard axis",
            f"Engine {study.engine.name}. State {map_.state}: the farther from the centre, the higher E(n), which is "
            f"that of the whole cell ({map_.ions}) at 0 K.",
            aside=True,
        )
    return figures
