"""All figures of a study, each with its alternative text and caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..study import Study
from .anisotropy import plot_plane
from .formation import plot_formation
from .migration import plot_band, plot_barrier_against_field
from .retention import plot_retention

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class StudyFigure:
    """A figure with the section it belongs to and what it shows."""

    section: str
    figure: Figure
    alt: str
    caption: str


def study_figures(study: Study) -> dict[str, StudyFigure]:
    """Figures of a study by file stem."""
    engine, cell = study.engine.name, study.migration[0].cell_atoms
    hop = study.migration[0]
    cells = f"Engine {engine}, {cell} atoms."
    made = {
        "formation": StudyFigure(
            "vacancies",
            plot_formation(study.chemical_potentials.lines),
            "Formation energies of all vacancies against the oxygen chemical potential, stability window marked",
            f"{cells} Vacancy formation energies inside the host's stability window; the width of a band is the "
            "freedom of the cation potentials. Left out: charge states and vibrations.",
        ),
        "band": StudyFigure(
            "migration",
            plot_band(hop),
            f"Energy along the path of {hop.label}: barrier {hop.forward_eV:.2f} eV forward and "
            f"{hop.backward_eV:.2f} eV back",
            f"{cells} Every hump is climbed on its own; dashed and dotted: the same path in a field along the hop. "
            "Left out: relaxation in the field, electrons.",
        ),
        "barrier_against_field": StudyFigure(
            "migration",
            plot_barrier_against_field(hop),
            "Forward barrier, back barrier and reaction energy against the field along the hop",
            f"{cells} Work of the field on the zero-field path. The field is the internal macroscopic one.",
        ),
        "retention": StudyFigure(
            "retention",
            plot_retention(study.retention),
            f"Retention time against temperature for a back barrier of {study.retention.barrier_eV:.2f} eV",
            f"{cells} Zero field; the attempt frequency is {study.retention.attempt_frequency_source}.",
        ),
    }
    states = [m for m in study.anisotropy.maps if m.state in ("before", "after")]
    for normal in ((0, 0, 1), (1, 1, 0)):
        name = "".join(str(i) for i in normal)
        made[f"anisotropy_{name}"] = StudyFigure(
            "anisotropy",
            plot_plane(states, normal),
            f"Polar plot of the anisotropy energy before and after the hop in the ({name}) plane",
            f"{cells} Ligand-field energy of {states[0].ions} above the lowest in the plane. "
            "Left out: " + "; ".join(states[0].provenance.left_out[-2:]) + ".",
        )
    return made
