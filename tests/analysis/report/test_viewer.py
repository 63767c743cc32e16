"""The 3D view's data as chemiscope itself writes it, and its script as its wheel holds it."""

import base64
import gzip
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from made_studies import CFO, charge_states, known_study
from magnetoionics.analysis.magnetism.oxidation_states import changed_ions
from magnetoionics.analysis.report.defect_view import defect_dataset
from magnetoionics.analysis.report.page import report_html
from magnetoionics.analysis.report.viewer import band_dataset, library_base64
from magnetoionics.hpc.study_folder.study_run import study_under
from magnetoionics.structures.defects.initial_states import defect_starts, started_cell
from magnetoionics.structures.defects.kind import built_defect, distinct_defects
from magnetoionics.structures.host import get_host

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer") / "study"
    shutil.copytree(DATA / "version-2", folder)
    _, bands = study_under(folder, None)
    return band_dataset(next(iter(bands.values())), "a hop")


def test_every_image_has_its_atoms_its_energy_and_its_arrows(dataset):
    frames = dataset["structures"]
    assert len(frames) >= 5
    assert {frame["size"] for frame in frames} == {len(frames[0]["x"])}
    assert len(dataset["properties"]["energy"]["values"]) == len(frames)
    arrows = dataset["shapes"]["moments and path"]["shapes"][0]["parameters"]["atom"]
    assert len(arrows) == sum(frame["size"] for frame in frames)


@pytest.fixture(scope="module")
def polarons():
    """V_O without and V_Fe(B) with placed holes: two on Co, one on oxygen."""
    cell, charged = get_host("cofe2o4").structure(), charge_states()
    placed = distinct_defects(cell, ["V_Fe(B)"])[0]
    bare = built_defect(cell, placed)
    for charge, label in ((-1, "2 Co3+(B) low spin"), (-2, "1 O-(O)")):
        start = next(s for s in defect_starts(bare, charge) if s.label == label)
        made = started_cell(bare, cell[placed.place["site"]].frac_coords, start)
        found = {"charge": charge, "structure": made, "changed_ions": changed_ions(cell, made, charge)}
        named = {"label": "V_Fe(B)", "element": "Fe", "sublattice": "B", "removed": {"Fe": 1}}
        corrected = {"corrections": charged.states[1].corrections}
        charged.states.append(charged.states[0].model_copy(update=found | named | corrected))
    return known_study("cofe2o4", CFO, charged=charged)


def test_charge_states_show_where_electrons_and_holes_sit(polarons):
    data = defect_dataset(polarons)
    assert data["properties"]["state"]["values"][2:] == [
        "V_Fe(B), charge -1: 2 Co(B) -> Co3+ low spin",
        "V_Fe(B), charge -2: 1 O(O) -> O-",
    ]
    arrows, marks = data["shapes"]["moments and electrons"]["shapes"]
    assert len(arrows["parameters"]["atom"]) == sum(frame["size"] for frame in data["structures"])
    for frame, spheres, state in zip(
        data["structures"], marks["parameters"]["structure"], polarons.charged.states, strict=True
    ):
        # The defect is the middle of the view; each marked ion stands where an atom of its element is drawn.
        assert spheres["centers"][0] == [0.0, 0.0, 0.0]
        assert len(spheres["centers"]) == 1 + len(state.changed_ions)
        places = np.array([frame["x"], frame["y"], frame["z"]]).T
        for ion, centre in zip(state.changed_ions, spheres["centers"][1:], strict=True):
            nearest = int(np.argmin(np.linalg.norm(places - centre, axis=1)))
            assert np.linalg.norm(places[nearest] - centre) < 1e-3
            assert frame["names"][nearest] == ion.element
            assert np.linalg.norm(centre) == pytest.approx(ion.distance_A, abs=1e-3)
    html = report_html(polarons)
    assert 'id="viewer-open-defects"' in html
    assert 'id="viewer-open"' not in html


def test_script_is_chemiscopes():
    script = gzip.decompress(base64.b64decode(library_base64()))
    assert b"Chemiscope" in script[:400]
    assert len(script) > 10**6


@pytest.mark.parametrize("which", ["dataset", "polarons"])
def test_chemiscope_writes_the_same(which, request):
    made = request.getfixturevalue(which)
    dataset = made if which == "dataset" else defect_dataset(made)
    chemiscope = pytest.importorskip("chemiscope", exc_type=ImportError)
    theirs = chemiscope.create_input(
        dataset["structures"],
        metadata=dataset["meta"],
        properties=dataset["properties"],
        shapes=dataset["shapes"],
        settings=dataset["settings"],
    )
    assert theirs == dataset
    if version("chemiscope") == "1.1.0":
        wheel = Path(chemiscope.__file__).parent / "sphinx" / "static" / "chemiscope.min.js"
        assert gzip.decompress(base64.b64decode(library_base64())) == wheel.read_bytes()
