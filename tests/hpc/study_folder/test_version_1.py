"""A study that version 1 wrote, before modules moved and fields were renamed: it loads, resumes, reports, compares.

`tests/data/version-1` is what ``magnetoionics run cofe2o4 --quick`` of that version left: its job store, as it was
but for the vacuum, and its results.json; beside them are its jobs, and some of VASP, as a database of submitted ones
holds them. None of it is ever written again.
"""

import gzip
import inspect
import json
import math
import shutil
from collections import Counter
from dataclasses import fields
from pathlib import Path

import magnetoionics
import pytest
from jobflow import Job
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local import runner
from magnetoionics.hpc.local.job_hashes import job_key
from magnetoionics.hpc.local.old_keys import old_job_key, still_holds
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.study_folder.files import versioned
from magnetoionics.hpc.study_folder.study_run import build_flow
from magnetoionics.stored import SCHEMA_VERSION
from magnetoionics.stored.old_fields import FIELDS
from magnetoionics.stored.renamed import old_field, upgraded
from magnetoionics.stored.resolve import stored_object
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import Engine, get_engine

KEPT = Path(__file__).parents[2] / "data" / "version-1"


@pytest.fixture(scope="module")
def written():
    """results.json of version 1, as plain values."""
    return json.loads(gzip.decompress((KEPT / "results.json.gz").read_bytes()))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "old"
    shutil.copytree(KEPT / "store", made / "store")
    (made / "results.json").write_bytes(gzip.decompress((KEPT / "results.json.gz").read_bytes()))
    return made


def numbers(value):
    if isinstance(value, dict):
        for inside in value.values():
            yield from numbers(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from numbers(inside)
    elif isinstance(value, float):
        yield value


def test_every_number_is_read(written, folder):
    study = magnetoionics.load(folder)
    assert "schema_version" not in written
    assert study.host.formula == written["host"]["formula"] == "CoFe2O4"
    assert study.migration[0].forward_eV == written["migration"][0]["forward_eV"]
    energies = {v.label: v.energy_minus_host_eV for v in study.vacancies}
    assert energies == {v["label"]: v["energy_minus_host_eV"] for v in written["vacancies"]}
    again = sorted(numbers(study.model_dump(mode="json", by_alias=True)))
    # Fields that came later have their defaults; none of the old numbers is lost.
    missing = list(numbers(written))
    assert len(missing) > 5000
    lost = Counter(missing) - Counter(again)
    assert sum(lost.values()) == 0, dict(lost)
    assert all(math.isfinite(x) for x in again)


def test_the_report_is_written_again_from_the_old_store(written, folder):
    (folder / "results.json").unlink()
    assert main(["report", str(folder)]) == 0
    made = json.loads((folder / "results.json").read_text())
    assert made["schema_version"] == SCHEMA_VERSION
    assert made["migration"][0]["images"] == written["migration"][0]["images"]
    assert (folder / "report.html").stat().st_size > 1e6
    assert (folder / written["migration"][0]["band_file"]).is_file()


def test_it_is_compared_with_itself(folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    page = tmp_path / "both.html"
    assert main(["compare", str(folder), str(other), "--output", str(page)]) == 0
    assert "Imma" in page.read_text()


@pytest.mark.parametrize(("version", "what"), [(0, "versions are"), ("2", "versions are"), (True, "versions are")])
def test_a_version_that_is_none_is_refused(version, what):
    with pytest.raises(ValueError, match=what):
        versioned({"schema_version": version}, "x")
    with pytest.raises(UserError, match="upgrade"):
        versioned({"schema_version": SCHEMA_VERSION + 1}, "x")


# Jobs that have other inputs than version 1 gave them; they cost nothing.
COLLECTS = ("assemble study", "collect vacancies")


def asks_an_engine(job):
    return any(isinstance(v, Engine) for v in [*job.function_args, *job.function_kwargs.values()])


def test_what_it_computed_is_taken_over(written, folder, monkeypatch):
    """Whatever an engine had computed; what collects more than it did then is put together again."""
    store = SqliteStore(str(folder / "store" / "jobs.sqlite"), read_only=True)
    known = {document["name"] for document in store.query({}, ["name"])}
    store.close()
    (folder / "results.json").unlink()
    computed = []
    execute = runner.execute

    def watched(job, *args):
        computed.append(job)
        return execute(job, *args)

    monkeypatch.setattr(runner, "execute", watched)
    # Whatever is installed here: those that it was computed with.
    monkeypatch.setattr("magnetoionics.workflows.ase.jobs.installed_versions", lambda *names: {"ase": "3.29.0"})
    study = magnetoionics.run("cofe2o4", quick=True, output=folder, quiet=True)
    assert len(known) > 25
    again = [job for job in computed if job.name in known]
    assert [job.name for job in again if asks_an_engine(job) or job.name not in COLLECTS] == []
    before = len(computed)
    assert study.migration[0].forward_eV == written["migration"][0]["forward_eV"]
    assert [v.energy_minus_host_eV for v in study.vacancies] == [
        v["energy_minus_host_eV"] for v in written["vacancies"]
    ]
    # Again, now by the keys of today, which the first time has left.
    (folder / "results.json").unlink()
    monkeypatch.setattr("magnetoionics.hpc.local.runner.old_job_key", lambda job, keys: None)
    magnetoionics.run("cofe2o4", quick=True, output=folder, quiet=True)
    assert len(computed) == before


def test_nothing_is_taken_over_from_another_version_of_what_computed(folder, monkeypatch):
    store = SqliteStore(str(folder / "store" / "jobs.sqlite"), read_only=True)
    assert store.is_of_version_1
    job = get_engine("local").relax(get_host("cofe2o4").structure(), name="bulk Imma", cell=True)
    document = store.by_key(old_job_key(job, {}))
    assert document["output"]["name"] == "bulk Imma"
    for version, holds in (("3.29.0", True), ("3.30.0", False)):
        monkeypatch.setattr("magnetoionics.workflows.ase.jobs.installed_versions", lambda *n, v=version: {"ase": v})
        assert still_holds(document, job) is holds
    monkeypatch.setattr(type(job.function_args[0]), "cache_version", 2)
    assert old_job_key(job, {}) is None


def jobs_of_version_1(name):
    return json.loads(gzip.decompress((KEPT / name).read_bytes()))


def fits(job):
    original = getattr(job.function, "original", job.function)
    owner = (None,) if hasattr(job.function, "__self__") else ()
    try:
        inspect.signature(original).bind(*owner, *job.function_args, **job.function_kwargs)
    except TypeError:
        return False
    return True


def test_submitted_jobs_of_version_1_are_read_and_have_the_keys_of_today():
    """As a database holds them: so `fetch` keeps their results under keys that a run here asks for."""
    keys, names = {}, {}
    for plain in jobs_of_version_1("jobs.json.gz"):
        job = Job.from_dict(plain)
        keys[job.uuid] = job_key(job, keys)
        names.setdefault(job.name, set()).add(keys[job.uuid])
        assert fits(job) or job.name in COLLECTS, job.name
    today, found = {}, {}
    for job, _ in build_flow("cofe2o4", "local", quick=True).iterflow():
        today[job.uuid] = job_key(job, today)
        found.setdefault(job.name, set()).add(today[job.uuid])
    alike = {name for name in names if names[name] == found.get(name)}
    assert set(names) - alike <= set(COLLECTS)
    assert len(alike) > 15


def test_submitted_vasp_jobs_mean_what_they_meant():
    pytest.importorskip("atomate2")
    settings = []
    for plain in jobs_of_version_1("vasp-jobs.json.gz"):
        job = Job.from_dict(plain)
        assert fits(job), job.name
        if hasattr(job.maker, "settings"):
            settings.append(job.maker.settings)
    assert len(settings) > 3
    cell = get_host("cofe2o4").structure("normal") * (1, 1, 2)
    for found in settings:
        assert found.kpoint_spacing_per_A == 0.30
        # 17 A long, 0.30 per A: two points, and not the one that long edges get today.
        assert found.mesh(cell) == [3, 3, 2]


@pytest.mark.parametrize("name", FIELDS)
def test_settings_that_came_later_say_what_their_absence_meant(name):
    """Else what version 1 stored would be read with the choices of today."""
    try:
        kind = stored_object(name)
    except ImportError as error:
        pytest.skip(str(error))
    came = {f.name for f in fields(kind) if f.init} - set(FIELDS[name].split())
    told = upgraded(kind.__name__, {}, 1)
    renamed = {n for n in came if old_field(kind.__name__, n) in FIELDS[name].split()}
    missing = came - renamed - set(told)
    assert missing == set(), f"add meant({', '.join(sorted(missing))}=...) of {kind.__name__} to stored/renamed.py"
