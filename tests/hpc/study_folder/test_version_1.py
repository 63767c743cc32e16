"""A study that version 1 wrote, before modules moved and fields were renamed: it loads, reports and compares.

`tests/data/version-1` is what ``magnetoionics run cofe2o4 --quick`` of that version left: its job store, as it was
but for the vacuum, and its results.json. Neither is ever written again.
"""

import gzip
import json
import math
import shutil
from collections import Counter
from pathlib import Path

import magnetoionics
import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.files import versioned
from magnetoionics.stored import SCHEMA_VERSION

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
