"""The largest documents of a study of 447 atoms, in a real MongoDB, which refuses those above 16 MiB."""

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")
pytest.importorskip("jobflow_remote", reason="clusters need jobflow-remote")

import services
from emmet.core.tasks import TaskDoc
from jobflow import Flow
from maggma.stores import MongoStore
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site, same_site_in
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.vasp.jobs import MagneticStaticMaker, common_fields
from magnetoionics.workflows.vasp.neb import Segment
from magnetoionics.workflows.vasp.settings import VaspSettings
from magnetoionics.workflows.vasp.slim import slim_task
from monty.json import jsanitize
from pymongo.errors import DocumentTooLarge, OperationFailure
from vasp_running import commands

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(services.mongod_path() is None, reason="no mongod"),
]

LIMIT = 16 * 1024**2
STEPS, IMAGES = 300, 5


@pytest.fixture(scope="module")
def mongo(tmp_path_factory):
    made = services.Mongo(tmp_path_factory.mktemp("mongo"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """What atomate2 makes of a relaxation of V_Fe in 448 sites: one step from the emulator's files, 300 times."""
    cell = get_host("cofe2o4").structure()
    vacancy = distinct_vacancies(cell, "Fe", "B")[0]
    big = supercell(cell, (2, 2, 2))
    defect = remove_site(big, same_site_in(big, cell, vacancy.index))
    assert len(defect) == 447
    run = MagneticStaticMaker(settings=VaspSettings(kpoint_mesh=(1, 1, 1)), **common_fields(commands())).make(defect)
    run.update_metadata({"own_folder": True})
    store = open_store(tmp_path_factory.mktemp("run"))
    assert LocalRunner(store).run(Flow([run])).finished
    made = TaskDoc.model_validate(store.get_output(run.uuid, load=True))
    output = made.calcs_reversed[0].output
    (only,) = output.ionic_steps
    output.ionic_steps = [only.model_copy() for _ in range(STEPS)]
    return made


def sizes(mongo, document):
    """Whether MongoDB takes a document, and its size in bytes as stored there."""
    store = MongoStore("sizes", "outputs", host="127.0.0.1", port=mongo.port)
    store.connect()
    import bson

    plain = {"uuid": "one", "index": 1, "output": jsanitize(document.model_dump(), strict=True, enum_values=True)}
    size = len(bson.encode(plain))
    try:
        store.update(plain, key=["uuid", "index"])
    except (DocumentTooLarge, OperationFailure):
        return False, size
    finally:
        store.close()
    return True, size


def segment_of(task):
    """What this package keeps of a segment: the last step of every image, however many there were."""
    output = task.calcs_reversed[0].output
    ions = len(output.structure)
    return Segment(
        structures=[output.structure] * IMAGES,
        energies_eV=[float(output.energy)] * IMAGES,
        forces_eV_per_A=[np.asarray(output.ionic_steps[-1].forces).tolist()] * IMAGES,
        moments_muB=[[4.123456789] * ions] * IMAGES,
        force_calls=IMAGES * STEPS,
        folder="segment",
        checks=[],
    )


def test_a_relaxation_of_447_ions_over_300_steps_is_stored(mongo, task):
    assert not sizes(mongo, task)[0]
    slim = task.model_copy(deep=True)
    slim_task(slim)
    stored, size = sizes(mongo, slim)
    assert stored
    print(f"relaxation of 447 ions, {STEPS} steps: {size / 1024**2:.2f} MiB")
    assert size < LIMIT / 4
    steps = slim.calcs_reversed[0].output.ionic_steps
    whole = task.calcs_reversed[0].output.ionic_steps
    assert len(steps) == STEPS
    for k in (0, -1):
        assert steps[k].forces == whole[k].forces
        assert steps[k].structure is not None
        assert steps[k].electronic_steps == whole[k].electronic_steps
    assert [s.e_fr_energy for s in steps] == [s.e_fr_energy for s in whole]
    assert steps[150].num_electronic_steps == len(whole[150].electronic_steps)


def test_a_band_of_five_images_over_300_steps_is_stored(mongo, task):
    stored, size = sizes(mongo, segment_of(task))
    print(f"band of {IMAGES} images, {STEPS} steps: {size / 1024**2:.2f} MiB")
    assert stored
    assert size < LIMIT / 2
