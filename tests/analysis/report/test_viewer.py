"""The 3D view's data as chemiscope itself writes it, and its script as its wheel holds it."""

import base64
import gzip
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from magnetoionics.analysis.report.viewer import band_dataset, library_base64
from magnetoionics.hpc.study_folder.study_run import study_under

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


def test_script_is_chemiscopes():
    script = gzip.decompress(base64.b64decode(library_base64()))
    assert b"Chemiscope" in script[:400]
    assert len(script) > 10**6


def test_chemiscope_writes_the_same(dataset):
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
