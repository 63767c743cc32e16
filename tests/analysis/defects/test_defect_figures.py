"""Figures of defect thermodynamics: what they draw is what the documents hold."""

from dataclasses import replace

import numpy as np
import pytest
from magnetoionics.analysis.defects.brouwer import DefectThermodynamics, brouwer_diagram
from magnetoionics.analysis.defects.charge_states import BandEdges, fermi_diagram
from magnetoionics.analysis.defects.concentrations import DefectSites, SolidSolution
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.defects.formation import formation_lines
from magnetoionics.analysis.plots.brouwer import plot_brouwer
from magnetoionics.analysis.plots.fermi import plot_fermi
from magnetoionics.analysis.plots.formation import plot_formation
from magnetoionics.analysis.plots.window import plot_window
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.analysis.thermodynamics.stability_window import (
    at,
    load_experimental_phases,
    stability_window,
)

TAG = Provenance(engine="vasp", level_of_theory="VASP", functional="PBE")


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
    edges = BandEdges(vbm_eV=3.0, gap_eV=1.6, electron_mass=1.0, hole_mass=2.0, source="known", provenance=TAG)
    window = stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))
    references = ReferenceEnergies({"Co": -7.0, "Fe": -8.3, "O": -4.9}, provenance=TAG)
    return DefectThermodynamics(defects, host, window, references, edges)


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
    assert labels == {f"{f} forms" for f in ("Co", "CoO", "Co₃O₄", "Fe₂O₃", "Fe₃O₄")}
    assert "Co + 2/3 Fe₃O₄ + 2/3 O₂" in axis.get_title(loc="left")
    with pytest.raises(ValueError, match="no potential of 'Ni'"):
        plot_window(system.window, element="Ni")


def test_formation_figure_says_which_charge_pressure_and_fermi_level(system):
    lines = formation_lines(
        system.defects, system.window, system.references, fermi_eV=0.7, outside=True, delta_mu_O_eV=[-3.5, -2.0, -0.2]
    )
    axis = plot_formation(lines, pressure_atm=3e-6).axes[0]
    labels = axis.get_legend_handles_labels()[1]
    assert labels == ["V_O", "V_O, q = +2", "V_Fe", "V_Fe, q = -1", "V_Fe, q = -3"]
    assert axis.get_xlim() == (-3.5, -0.2)
    words = [t.get_text() for t in axis.texts]
    assert any("Fermi level 0.70 eV" in w and "neutral cells" not in w for w in words)
    tops = [a.get_xlabel() for a in axis.child_axes]
    assert any(r"3 \times 10^{-6}" in w for w in tops)
    neutral = plot_formation(formation_lines(system.defects[:1], system.window, system.references)).axes[0]
    assert any("neutral cells" in t.get_text() for t in neutral.texts)
    assert any("= $10^{-5}$ atm" in a.get_xlabel() for a in neutral.child_axes)


@pytest.mark.parametrize(
    ("bar", "words"), [(0.31, "references ± 0.31 eV"), (None, "error of the references not known")]
)
def test_formation_figure_never_calls_an_unknown_error_zero(system, bar, words):
    lines = formation_lines(system.defects[:1], system.window, system.references, n=3)
    fitted = [line.model_copy(update={"indicative": True, "error_bar_eV": bar}) for line in lines.lines]
    axis = plot_formation(lines.model_copy(update={"lines": fitted})).axes[0]
    assert any(f"indicative, {words}" in t.get_text() for t in axis.texts)


def test_brouwer_says_what_lies_below_its_axis(system):
    rare = [d.model_copy(update={"energy_difference_eV": d.energy_difference_eV + 9.0}) for d in system.defects[:2]]
    made = brouwer_diagram(replace(system, defects=[*rare, *system.defects[2:]]), 1000.0, n=5)
    labels = plot_brouwer(made).axes[0].get_legend_handles_labels()[1]
    assert {"V_O (below the axis)", "V_Fe"} <= set(labels)


def test_a_line_below_zero_beyond_its_error_is_marked_wherever_lines_are_shown(system):
    """Lines that cross zero inside the window, with both ends above it: dotted, named, in the table."""
    neutral = [d for d in system.defects if not d.charge]
    lines = formation_lines(neutral, system.window, system.references, n=3)
    sound = plot_formation(lines).axes[0].get_legend_handles_labels()
    assert not any("no result" in label for label in sound[1])
    first = lines.lines[0]
    deep = [first.low_eV[0], -0.4, first.low_eV[2]]
    for bar, wrong in ((0.3, True), (0.5, False), (None, True)):
        line = first.model_copy(update={"low_eV": deep, "error_bar_eV": bar})
        marked = lines.model_copy(update={"lines": [line, *lines.lines[1:]]})
        drawn, labels = plot_formation(marked).axes[0].get_legend_handles_labels()
        assert (labels[0], drawn[0].get_linestyle()) == (
            (f"{first.label} (no result: below zero)", ":") if wrong else (first.label, "-")
        )
        assert [x.get_linestyle() for x in drawn[1:]] == ["-"] * (len(drawn) - 1)
        said = marked.to_dataframe().query("label == @first.label")["no_result"]
        assert said.str.contains("-0.4 eV, must be above").all() == wrong
    outside = lines.model_copy(update={"lines": [line], "inside": [True, False, True]})
    assert outside.no_result_because(line) == ""
    charged = line.model_copy(update={"charge": -2})
    assert lines.model_copy(update={"lines": [charged]}).no_result_because(charged) == ""
