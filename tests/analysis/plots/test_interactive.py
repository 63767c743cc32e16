"""Interactive figures hold the numbers of their documents, and say what is missing."""

import json

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.magnetism.anisotropy import difference_meV
from magnetoionics.analysis.plots.interactive import interactive_band
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="module")
def study():
    return kept_study()


def test_every_figure_is_plain_json_and_names_its_engine(study):
    for name in ("window", "formation", "band", "sphere"):
        drawn = study.interactive(name)
        json.loads(drawn.to_json())
        signed = [a.text for a in drawn.layout.annotations]
        assert len(signed) == 1
        assert ("experimental enthalpies" if name == "window" else "engine local") in signed[0]
    assert study.interactive().layout.title == study.interactive("window").layout.title


def test_edges_of_the_window_are_on_the_region(study):
    """On an edge the potentials keep the energy of the host: n_i dmu_i is its formation energy, everywhere."""
    window = study.chemical_potentials.window
    drawn = study.interactive("window")
    edges = [t for t in drawn.data if t.name and t.name.endswith("forms")]
    assert len({t.name for t in edges}) >= 3
    sums = []
    for edge in edges:
        for text in edge.text:
            mu = {part.split("(")[1][: part.index(")") - part.index("(") - 1]: float(part.split("=")[1].split()[0])
                  for part in text.replace("−", "-").split("<br>")[1:]}  # fmt: skip
            sums.append(mu["Co"] + 2 * mu["Fe"] + 4 * mu["O"])
    # Seven times the half of the last digit that is shown, both ways.
    assert np.ptp(sums) < 0.071
    assert len(window.vertices) == len(edges)


def test_formation_lines_are_those_of_the_study(study):
    lines = study.chemical_potentials.lines.lines
    drawn = {t.name: t for t in study.interactive("formation").data if t.mode == "lines" and t.name}
    for line in lines:
        (found,) = [t for name, t in drawn.items() if name.startswith(line.label)]
        assert list(found.y) == line.mid_eV


def test_sphere_shows_the_change_by_the_hop(study):
    drawn = study.interactive("sphere")
    surfaces = [t for t in drawn.data if t.type == "surface"]
    assert [s.visible for s in surfaces] == [True, False, False, False]
    last = surfaces[-1]
    n = np.stack([last.x, last.y, last.z], axis=-1)
    assert np.allclose(np.linalg.norm(n, axis=-1), 1)
    by_state = {m.state: m for m in study.anisotropy.maps}
    change = difference_meV(by_state["before"], by_state["after"], n.reshape(-1, 3))
    assert np.ravel(last.surfacecolor) == pytest.approx(change)
    # The change of an even function is the same at n and -n.
    assert np.asarray(last.surfacecolor)[:, ::-1] == pytest.approx(np.roll(last.surfacecolor, 31, axis=0), abs=0.6)


def images_of(hop, moves=True):
    """As many images as the hop has, of one ion that moves by 2 A between two others."""
    steps = np.linspace(0.2, 0.4 if moves else 0.2, len(hop.images))
    cell = Lattice.cubic(10.0)
    return [Structure(cell, ["Co", "O", "O"], [[x, 0, 0], [0.1, 0.2, 0], [0.5, 0.2, 0]]) for x in steps]


def test_band_tells_the_neighbours_of_the_moving_ion(study):
    hop = study.migration[0]
    drawn = interactive_band(hop, structures=images_of(hop))
    told = drawn.data[1].text
    assert f"{hop.ion}–O 2.24 Å" in told[0]
    slider = drawn.layout.sliders[0]
    assert len(slider.steps) == len(hop.images)
    place = slider.steps[-1].args[0]
    assert place["x"][0] == [hop.images[-1].arc_A]
    ends = [np.array(s.args[0]["x"][1]) for s in (slider.steps[0], slider.steps[-1])]
    assert np.abs(ends[1] - ends[0]).max() == pytest.approx(2.0)


def test_what_is_missing_is_said(study):
    hop = study.migration[0]
    with pytest.raises(ValueError, match=f"1 structures for {len(hop.images)} images"):
        hop.interactive("band", structures=images_of(hop)[:1])
    with pytest.raises(ValueError, match="no interactive figure 'bands'; it has: window, formation, band, sphere"):
        study.interactive("bands")
    with pytest.raises(ValueError, match="no option colour of this figure; it has: structures"):
        study.interactive("band", colour="red")
    with pytest.raises(ValueError, match="this study has no hop"):
        study.model_copy(update={"migration": []}).interactive("band")
