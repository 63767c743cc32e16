"""Every figure against its reference picture, drawn from stored results; and what a figure must say.

After a wanted change: MAGNETOIONICS_NEW_PICTURES=1 pytest tests/analysis/plots/test_figures.py, then look at each
picture.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.device.ensemble import (
    contrast_against_miscut,
    contrast_against_voltage,
    ensemble_of_hop,
)
from magnetoionics.analysis.plots.comparison import plot_bands
from magnetoionics.analysis.plots.formation import gas_temperature_K, place_of_temperature_eV, plot_formation
from magnetoionics.analysis.plots.study import study_figures
from magnetoionics.analysis.plots.surface import plot_surface
from magnetoionics.analysis.plots.window import plot_window
from matplotlib.testing.compare import compare_images

HERE = Path(__file__).parents[2]
# Root mean square over 0 to 255: text that shifts by a pixel stays below, a line that moves does not.
TOLERANCE = 6.0
NAMES = [
    "anisotropy_001",
    "anisotropy_110",
    "anisotropy_surface",
    "band",
    "bands_compared",
    "barrier_against_field",
    "contrast_against_miscut",
    "contrast_against_voltage",
    "formation",
    "retention",
    "window",
]


@pytest.fixture(scope="module")
def study():
    return kept_study()


@pytest.fixture(scope="module")
def figures(study):
    made = {name: f.figure for name, f in study_figures(study).items()}
    made["window"] = plot_window(study.chemical_potentials.window)
    slower = study.migration[0].model_copy(deep=True)
    for point in slower.images:
        point.energy_eV *= 1.2
    made["anisotropy_surface"] = plot_surface(study.anisotropy.maps[1])
    film = ensemble_of_hop(study.migration[0], thickness_m=2e-8).model_copy(
        update={"barrier_spread_eV": 0.05, "texture_deg": 10}
    )
    made["contrast_against_voltage"] = contrast_against_voltage(film, [-10, -5, 0, 5, 10], pulse_s=1.0).plot()
    made["contrast_against_miscut"] = contrast_against_miscut(film, [0, 8.9, 36.6], voltage_V=5, pulse_s=1.0).plot()
    made["bands_compared"] = plot_bands({"first": study.migration[0], "second": slower})
    return made


@pytest.mark.parametrize("name", NAMES)
def test_picture(name, figures, tmp_path):
    drawn, wanted = tmp_path / f"{name}.png", HERE / "baseline" / f"{name}.png"
    figures[name].savefig(drawn, dpi=80)
    if os.environ.get("MAGNETOIONICS_NEW_PICTURES"):
        shutil.copy(drawn, wanted)
    difference = compare_images(str(wanted), str(drawn), TOLERANCE)
    assert difference is None, difference


def test_a_moved_line_is_seen(figures, tmp_path):
    axis = figures["retention"].axes[0]
    line = axis.lines[0]
    before = line.get_ydata()
    line.set_ydata([1e3 * y for y in before])
    figures["retention"].savefig(tmp_path / "moved.png", dpi=80)
    line.set_ydata(before)
    assert compare_images(str(HERE / "baseline" / "retention.png"), str(tmp_path / "moved.png"), TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_labelled_and_vector(name, figures, tmp_path):
    axis = figures[name].axes[0]
    assert axis.get_title() or axis.get_xlabel()
    figures[name].savefig(tmp_path / "f.svg")
    assert "<path" in (tmp_path / "f.svg").read_text()


@pytest.mark.parametrize("warm", [True, False])
def test_temperatures_above_the_formation_energies_are_round_and_stand_where_the_gas_does(study, warm):
    """The place of a temperature is the inverse of the temperature of a place, by root finding."""
    lines = study.chemical_potentials.lines
    edges = [(t, -2.4 - 4e-4 * t, -1.2 + 6e-4 * t) for t in np.linspace(200, 2000, 181)] if warm else []
    lines = lines.model_copy(update={"warm_edges": edges})
    figure = plot_formation(lines, pressure_atm=1e-5)
    top = next(a for a in figure.axes[0].child_axes if "temperature" in a.get_xlabel())
    shown = [
        (tick, float(label.get_text())) for tick, label in zip(top.get_xticks(), top.get_xticklabels(), strict=True)
    ]
    assert len(shown) >= 3
    for place, temperature in shown:
        assert temperature % 50 == 0
        assert gas_temperature_K(lines, place, 1e-5) == pytest.approx(temperature, rel=1e-3)
        assert place_of_temperature_eV(lines, temperature, 1e-5) == pytest.approx(place)


def test_window_that_reaches_zero_potential_still_has_its_temperature_axis(study):
    """The window of an oxide that gives off no oxygen ends at 0 eV, which no temperature reaches."""
    lines = study.chemical_potentials.lines.model_copy(update={"warm_edges": [], "window_eV": [-2.0, 0.0]})
    top = plot_formation(lines).axes[0].child_axes[0]
    assert len(top.get_xticks()) >= 3
    assert max(top.get_xticks()) < 0


def test_pressures_above_the_formation_energies_are_whole_decades(study):
    figure = plot_formation(study.chemical_potentials.lines)
    top = next(a for a in figure.axes[0].child_axes if "log" in a.get_xlabel())
    decades = [float(label.get_text().replace("−", "-")) for label in top.get_xticklabels()]
    assert len(decades) >= 3
    assert all(d == int(d) for d in decades)


def test_margin_of_a_device_figure_is_in_words(figures):
    """What is assumed is said to a reader, not to a program."""
    said = " ".join(t.get_text() for t in figures["contrast_against_voltage"].axes[0].texts)
    assert "local field factor 1" in said
    assert "2×10⁻⁸ m" in said
    assert "_" not in said


def test_change_of_the_energy_by_the_hop_is_drawn(study):
    drawn = study_figures(study)["anisotropy_difference"].figure
    assert "E(after) − E(before)" in drawn.axes[1].get_ylabel()


def test_ticks_of_powers_are_plain_text():
    from magnetoionics.analysis.plots.base import canvas

    with canvas(None) as (figure, axis):
        axis.set(xlim=(1e-12, 1e3), ylim=(2, 30))
        axis.set_xscale("log")
        axis.set_yscale("log")
    figure.draw_without_rendering()
    named = {x: t.get_text() for t, x in zip(axis.get_xticklabels(), axis.get_xticks(), strict=True)}
    assert {"10⁻⁶", "10⁰"} <= set(named.values()) | {"10⁰"}
    assert all(
        float(t.replace("10", "1e").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))) == pytest.approx(x)
        for x, t in named.items()
    )
    between = [t.get_text() for t in axis.get_yticklabels(minor=True)]
    assert "2×10⁰" in between
    assert not any("$" in t for t in [*named.values(), *between])
