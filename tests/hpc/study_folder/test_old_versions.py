"""Studies that older versions wrote, before modules moved and fields were renamed: they load, resume, report, compare.

`tests/data/version-1` is what ``magnetoionics run cofe2o4 --quick`` of that version left: its job store, as it was
but for the vacuum, and its results.json; beside them are its jobs, and some of VASP, as a database of submitted ones
holds them. `version-2` is the same with a frozen reference, an enthalpy of the user's own and bands relaxed in a field;
its jobs of VASP hold the keys that they had. `version-3` is a plain quick study that still counted Co alone. None of
it is ever written again.
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
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.assumptions import read_assumptions
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local import runner
from magnetoionics.hpc.local.job_hashes import job_key
from magnetoionics.hpc.local.old_keys import old_job_key, still_holds
from magnetoionics.hpc.local.run_log import OLD_RUN_LOG_FILE, RUN_LOG_FILE
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.study_folder.files import versioned
from magnetoionics.hpc.study_folder.status import folder_status
from magnetoionics.hpc.study_folder.study_run import build_flow, run_study
from magnetoionics.hpc.study_options import FieldOptions, StudyOptions
from magnetoionics.stored import SCHEMA_VERSION
from magnetoionics.stored.old_fields import FIELDS
from magnetoionics.stored.renamed import old_field, upgraded
from magnetoionics.stored.resolve import stored_object
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.band.driver import BandSettings
from magnetoionics.workflows.engine import Engine, get_engine
from rich.console import Console

DATA = Path(__file__).parents[2] / "data"
KEPT = DATA / "version-1"
ALL = pytest.mark.parametrize("version", [1, 2, 3])


@pytest.fixture
def version():
    """Version of the schema that wrote the study."""
    return 1


@pytest.fixture
def written(version):
    """Its results.json, as plain values."""
    return json.loads(gzip.decompress((DATA / f"version-{version}" / "results.json.gz").read_bytes()))


@pytest.fixture
def folder(tmp_path, version):
    made, kept = tmp_path / "old", DATA / f"version-{version}"
    shutil.copytree(kept / "store", made / "store")
    (made / "results.json").write_bytes(gzip.decompress((kept / "results.json.gz").read_bytes()))
    return made


def numbers(value):
    """Every number but Cartesian coordinates of sites, which follow from `abc` and the lattice in the last bit's way
    of each processor.
    """
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from () if name == "xyz" and "abc" in value else numbers(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from numbers(inside)
    elif isinstance(value, float):
        yield value


@ALL
def test_every_number_is_read(written, folder, version):
    study = magnetoionics.load(folder)
    assert written.get("schema_version", 1) == version
    assert study.host.formula == written["host"]["formula"] == "CoFe2O4"
    assert study.migration[0].forward_eV == written["migration"][0]["forward_eV"]
    energies = {v.label: v.energy_minus_host_eV for v in study.vacancies}
    assert energies == {v["label"]: v["energy_minus_host_eV"] for v in written["vacancies"]}
    again = sorted(numbers(study.model_dump(mode="json", by_alias=True)))
    iron = next(v for v in study.vacancies if v.label == "V_Fe(B)")
    assert iron.near_cations == {"Co": 4}
    with pytest.warns(FutureWarning, match="cobalt_neighbours is called near_cations"):
        assert iron.cobalt_neighbours == 4
    # Fields that came later have their defaults; none of the old numbers is lost.
    missing = list(numbers(written))
    assert len(missing) > 5000
    lost = Counter(missing) - Counter(again)
    assert sum(lost.values()) == 0, dict(lost)
    assert all(math.isfinite(x) for x in again)


@ALL
def test_binding_of_an_old_study_is_an_observable(written, version):
    effect = {"value_eV": 0.1, "error_eV": 0.02}
    sample = {"cell": 0, "site": 3, "cobalt_neighbours": 2, "collinear_pairs": 1, "energy_eV": 5.0, "converged": True}
    old = {
        "label": "V_Fe(B)", "per_cobalt": effect, "per_pair": effect, "between_two": effect, "correlation": 0.2,
        "residual_eV": 0.1, "spread_eV": 0.3, "cells": 3, "samples": 20, "degrees_of_freedom": 15, "rejected": 0,
        "method": "random cells", "data": [sample], "provenance": written["engine"]["provenance"],
    }  # fmt: skip
    content = {k: v for k, v in written.items() if k not in ("schema", "schema_version")}
    study = Study.read_stored(content | {"binding": old}, version)
    found = study.observables["binding"]
    assert (found.neighbour, found.per_neighbour.value_eV, found.data[0].neighbours) == ("Co", 0.1, 2)


@ALL
def test_the_report_is_written_again_from_the_old_store(written, folder):
    (folder / "results.json").unlink()
    assert main(["report", str(folder)]) == 0
    made = json.loads((folder / "results.json").read_text())
    assert made["schema_version"] == SCHEMA_VERSION
    old = written["migration"][0]["images"]
    # Fields that came later stand beside those that were written.
    assert [{k: new[k] for k in was} for new, was in zip(made["migration"][0]["images"], old, strict=True)] == old
    assert (folder / "report.html").stat().st_size > 1e6
    assert (folder / written["migration"][0]["band_file"]).is_file()


@ALL
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
COLLECTS = ("assemble study", "collect vacancies", "transport")
# Jobs whose version was raised since, because the same arguments can give another number: computed anew, on purpose.
RAISED = ("vibrations",)


def asks_an_engine(job):
    return any(isinstance(v, Engine) for v in [*job.function_args, *job.function_kwargs.values()])


@pytest.mark.usefixtures("no_figures")
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
    anew = [job for job in again if job.name not in RAISED]
    assert [job.name for job in anew if asks_an_engine(job) or job.name not in COLLECTS] == []
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
    if inspect.isabstract(kind):
        pytest.skip("nothing that is stored")
    told = {**kind.as_before, **upgraded(kind.__name__, {}, 1)}
    renamed = {n for n in came if old_field(kind.__name__, n) in FIELDS[name].split()}
    missing = came - renamed - set(told)
    assert missing == set(), f"add meant({', '.join(sorted(missing))}=...) of {kind.__name__} to stored/renamed.py"


def test_values_of_version_2_are_read_in_todays_words(monkeypatch):
    monkeypatch.setattr("warnings.warn", lambda *args, **options: pytest.fail(str(args)))
    old = json.loads(gzip.decompress((DATA / "version-2" / "results.json.gz").read_bytes()))
    version = old.pop("schema_version")
    study = Study.read_stored(old, version)
    assert study.assumptions.enthalpies[0].confidence == study.assumptions.enthalpies[0].provenance.engine == "given"
    assert {s.coupling.h_source for s in study.unidirectional.states if s.coupling} == {"given"}
    points = {p.treatment for p in study.migration[0].field_studies[0].points}
    assert points == {p["tier"] for p in old["migration"][0]["field_studies"][0]["points"]}
    was = [p["controlling_hump"] for p in old["migration"][0]["field_studies"][0]["points"]]
    assert [p.controlling_saddle_index for p in study.migration[0].field_studies[0].points] == was
    assert study.migration[0].dipole_source == "point charges"
    ends = [c.name for c in study.migration[0].checks if c.of_ends]
    assert ends == ["initial end relaxed", "final end relaxed"]
    assert "images_per_segment" in study.engine.provenance.settings["band_settings"]
    assert study.engine.level_of_theory == study.engine.provenance.level_of_theory == "local"


@pytest.mark.usefixtures("no_figures")
def test_version_2_is_gone_on_with_without_a_calculation(folder_of_2, monkeypatch):
    """Keys hold the names of version 2 whatever fields are called now."""
    computed = []
    execute = runner.execute
    monkeypatch.setattr(runner, "execute", lambda job, *args: (computed.append(job.name), execute(job, *args))[1])
    monkeypatch.setattr("magnetoionics.workflows.ase.jobs.installed_versions", lambda *names: {"ase": "3.29.0"})
    reference = {"sublattice": "A", "p": [1, 1, 0], "h_meV": 20, "d0_meV_per_A2": 0.1}
    run_study(
        "cofe2o4",
        output=folder_of_2,
        quick=True,
        assumptions=read_assumptions(reference, enthalpies={"CoFe2O4": -1088}),
        options=StudyOptions(fields=FieldOptions(sizes_V_per_m="1e9", relaxed=True)),
        console=Console(quiet=True),
    )
    # The study itself is judged again: its film states how many vacancies hop, which version 2 did not know.
    # A stage that came later reads what is there, without an engine; E(n) at the film's temperature came later too.
    came = [name for name in computed if name not in (*COLLECTS, *RAISED, "study", "transport")]
    assert sorted(came) == ["E(n) after at 300 K", "E(n) before at 300 K", "collect maps at 300 K"]
    assert (folder_of_2 / "results.json").is_file()
    # The run log had another name.
    store = folder_of_2 / "store"
    (store / RUN_LOG_FILE).rename(store / OLD_RUN_LOG_FILE)
    assert {j.state for j in folder_status(folder_of_2).jobs} == {"done"}


@pytest.fixture
def folder_of_2(tmp_path):
    shutil.copytree(DATA / "version-2" / "store", tmp_path / "two" / "store")
    return tmp_path / "two"


def test_submitted_vasp_jobs_of_version_2_keep_their_keys():
    pytest.importorskip("atomate2")
    keys = {}
    plain = json.loads(gzip.decompress((DATA / "version-2" / "vasp-jobs.json.gz").read_bytes()))
    for one in plain:
        expected = one.pop("key")
        job = Job.from_dict(one)
        keys[job.uuid] = job_key(job, keys)
        assert keys[job.uuid] == expected, job.name
    assert {"V", "band", "map"} <= {one["name"] for one in plain}
    engine = stored_object("VaspEngine").from_dict({"electronic_starts": ["declared", "Fe4+"], "schema_version": 2})
    assert list(engine.electronic_starts) == ["nominal", "Fe4+"]


def test_old_names_work_for_one_version_and_warn():
    with pytest.warns(FutureWarning, match="Provenance.tier is called level_of_theory"):
        made = Provenance(engine="mine", tier="ASE")
    with pytest.warns(FutureWarning, match="tier"):
        assert made.tier == made.level_of_theory == "ASE"
    with pytest.warns(FutureWarning, match="images_per_hump"):
        assert BandSettings(images_per_hump=5) == BandSettings(images_per_segment=5)
    with pytest.warns(FutureWarning, match="images_per_hump"):
        assert BandSettings(images_per_segment=5).images_per_hump == 5
    with pytest.warns(FutureWarning, match="level_of_theory"):
        assert get_engine("local").tier == "local"
    with pytest.raises(AttributeError):
        _ = made.level
