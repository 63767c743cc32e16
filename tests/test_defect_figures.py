"""Figures of defect thermodynamics: what they draw is what the documents hold."""

import numpy as np
import pytest
from magnetoionics.analysis.brouwer import DefectThermodynamics, brouwer_diagram
from magnetoionics.analysis.charge_states import BandEdges, fermi_diagram
from magnetoionics.analysis.chemical_potentials import at, load_experimental_phases, stability_window
from magnetoionics.analysis.concentrations import DefectSites, SolidSolution
from magnetoionics.analysis.defects import VacancyFormation
from magnetoionics.analysis.document import Provenance
from magnetoionics.analysis.plots.brouwer import plot_brouwer
from magnetoionics.analysis.plots.fermi import plot_fermi
from magnetoionics.analysis.plots.window import plot_window

TAG = Provenance(engine="vasp", tier="VASP", functional="PBE")


@pytest.fixture(scope="module")
def system():
    def state(label, element, energy, charge):
        return VacancyFormation(
            label=label, removed={element: 1}, energy_difference_eV=energy, charge=charge, vbm_eV=3.0,
            correction_eV=0.0, provenance=TAG,
        )  # fmt: skip

    defects = [state("V_O", "O", 12.0, 0), state("V_O", "O", 2.5, 2), state("V_Fe", "Fe", 13.0, 0)]
    defects += [state("V_Fe", "Fe", 16.2, -1), state("V_Fe", "Fe", 23.5, -3)]
    host = SolidSolution(
        formula="CoFe2O4", composition={"Co": 1.0, "Fe": 2.0, "O": 4.0}, volume_A3=73.8,
        sites=[DefectSites(label="V_O", site="O", per_formula=4), DefectSites(label="V_Fe", site="Fe", per_formula=1)],
        removed={"V_O": {"O": 1}, "V_Fe": {"Fe": 1}},
    )  # fmt: skip
    edges = BandEdges(vbm_eV=3.0, gap_eV=1.6, electron_mass=1.0, hole_mass=2.0, source="planted", provenance=TAG)
    window = stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))
    return DefectThermodynamics(defects, host, window, {"Co": -7.0, "Fe": -8.3, "O": -4.9}, edges)


def test_brouwer_draws_every_total_and_shades_outside(system):
    inside = brouwer_diagram(system, 1000.0, n=9)
    axis = plot_brouwer(inside).axes[0]
    labels = axis.get_legend_handles_labels()[1]
    assert {"V_O", "V_Fe", "electrons", "holes", "q = 0", "q = -3"} <= set(labels)
    drawn = next(line for line in axis.lines if line.get_label() == "V_O")
    assert np.array(drawn.get_ydata()) == pytest.approx(inside.total("V_O"))
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert any(inside.dilute)
    shaded = plot_brouwer(brouwer_diagram(system, 1000.0, pressures_atm=[1e-30, 1e-25, 1e-6, 1e-4], outside=True))
    assert len(shaded.axes[0].collections) == len(axis.collections) + 1


def test_fermi_figure_marks_the_levels_in_the_gap(system):
    made = fermi_diagram(system.defects, system.edges, system.window, system.references, at(system.window, -1.8))
    axis = plot_fermi(made, fermi_eV=0.5).axes[0]
    inside = [t for t in made.transitions if t.in_gap]
    assert inside
    assert len(axis.texts) >= len(inside)
    assert axis.get_xlim()[0] < 0 < made.gap_eV < axis.get_xlim()[1]


def test_window_figure_names_the_phase_of_each_edge(system):
    axis = plot_window(system.window).axes[0]
    labels = set(axis.get_legend_handles_labels()[1])
    assert labels == {f"{f} forms" for f in ("Co", "CoO", "Co3O4", "Fe2O3", "Fe3O4")}
    assert "Co + 2/3 Fe3O4 + 2/3 O2" in axis.get_title(loc="left")
    with pytest.raises(ValueError, match="no potential of 'Ni'"):
        plot_window(system.window, element="Ni")
