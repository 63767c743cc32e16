"""A relaxation or band that is killed goes on from its last step, and ends as if nothing had happened."""

import json
import re
import zlib

import numpy as np
import pytest
from jobflow import Flow
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.evaluation import checkpoint as module
from magnetoionics.workflows.evaluation.checkpoint import FOLDER_VARIABLE


class Killed(BaseException):
    """Stands for a kill: no handler of the job sees it."""


def relaxed(cell=True):
    made = get_engine("local").relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=cell)
    return _call(made)


def _call(made):
    function = getattr(made.function, "original", made.function)
    return function(*made.function_args, **made.function_kwargs)


def numbers(value):
    if isinstance(value, dict):
        return [x for k in sorted(value) for x in numbers(value[k])]
    if isinstance(value, list):
        return [x for v in value for x in numbers(v)]
    return [value] if isinstance(value, int | float) else []


def assert_same(resumed, whole):
    """Equal up to the order of sums, whose neighbour lists have another history."""
    assert resumed.force_calls == whole.force_calls
    np.testing.assert_allclose(
        numbers(resumed.model_dump(mode="json")), numbers(whole.model_dump(mode="json")), rtol=0, atol=1e-10
    )


@pytest.fixture
def calls(monkeypatch):
    """Counts the engine's own evaluations; `kill_at` sets after how many it is killed."""
    made = {"n": 0, "kill_at": None}
    calculate = RigidIonCalculator.calculate

    def counted(self, *args, **kwargs):
        if made["kill_at"] is not None and made["n"] >= made["kill_at"]:
            raise Killed
        made["n"] += 1
        return calculate(self, *args, **kwargs)

    monkeypatch.setattr(RigidIonCalculator, "calculate", counted)
    monkeypatch.setattr(module, "FIRST_S", 0.0)
    monkeypatch.setattr(module, "FLUSH_S", 0.0)
    return made


@pytest.mark.parametrize("cell", [True, False])
def test_killed_relaxation_goes_on_and_ends_the_same(cell, calls, tmp_path, monkeypatch):
    whole = relaxed(cell)
    needed = calls["n"]
    assert needed >= 3
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["n"] = 0
    for kill_at in (2, needed - 1):
        calls["kill_at"] = kill_at
        with pytest.raises(Killed):
            relaxed(cell)
    calls["kill_at"] = None
    assert_same(relaxed(cell), whole)
    assert calls["n"] == needed
    assert list(tmp_path.iterdir()) == []


def test_killed_band_goes_on_and_ends_the_same(calls, tmp_path, monkeypatch):
    from magnetoionics.workflows.flows.building import shortest_hop

    host = get_host("cofe2o4")
    hop = shortest_hop(host.structure(host.orders[0]), (1, 1, 1), host.hops[0])

    def band():
        # The surrogate's own kill test is in test_band_surrogate: its search is not reproducible to 1e-10.
        engine = get_engine("local", band_method="classic")
        return _call(engine.band(hop.initial, hop.final, hop.intermediates, mover=hop.mover, name="band"))

    whole = band()
    needed = calls["n"]
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["n"], calls["kill_at"] = 0, needed // 2
    with pytest.raises(Killed):
        band()
    calls["kill_at"] = None
    assert_same(band(), whole)
    assert calls["n"] == needed


def test_torn_line_is_dropped_and_other_inputs_have_another_file(calls, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["kill_at"] = 4
    with pytest.raises(Killed):
        relaxed()
    (file,) = tmp_path.iterdir()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    calls["kill_at"] = 5
    with pytest.raises(Killed):
        relaxed()
    assert len(file.read_bytes().splitlines()) == 4  # three whole ones, one new; the torn one was asked again
    calls["kill_at"] = None
    relaxed(cell=False)
    assert [f.name for f in tmp_path.iterdir()] == [file.name]
    relaxed()
    assert list(tmp_path.iterdir()) == []


def test_wrong_answers_are_never_replayed(calls, tmp_path, monkeypatch):
    """A record of other positions is ignored: the engine is asked."""
    whole = relaxed()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["n"], calls["kill_at"] = 0, 3
    with pytest.raises(Killed):
        relaxed()
    (file,) = tmp_path.iterdir()
    entries = [json.loads(line.partition(" ")[2]) for line in file.read_text().splitlines()]
    for entry in entries:
        entry["positions"] = (np.array(entry["positions"]) + 1e-3).tolist()
        entry["results"]["energy"] = 0.0
    texts = [json.dumps(entry) for entry in entries]
    file.write_text("".join(f"{zlib.crc32(text.encode()):08x} {text}\n" for text in texts))
    calls["kill_at"] = None
    assert relaxed() == whole


@pytest.mark.parametrize("line", [0, 1])
def test_an_altered_digit_is_never_replayed(line, calls, tmp_path, monkeypatch):
    """One digit of an energy changed on disk: that line and those behind it are asked again."""
    whole = relaxed()
    needed = calls["n"]
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["n"], calls["kill_at"] = 0, 4
    with pytest.raises(Killed):
        relaxed()
    (file,) = tmp_path.iterdir()
    lines = file.read_text().splitlines(keepends=True)
    digit = re.search(r'"energy": -?\d+\.(\d)', lines[line])
    assert digit is not None
    place = digit.start(1)
    lines[line] = lines[line][:place] + str((int(digit[1]) + 1) % 10) + lines[line][place + 1 :]
    file.write_text("".join(lines))
    calls["kill_at"], calls["n"] = None, 0
    assert relaxed() == whole
    assert calls["n"] == needed - line


def test_call_of_a_slow_engine_is_on_disk_however_young_the_job(calls, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_S", 3600.0)
    monkeypatch.setattr(module, "FLUSH_S", 3600.0)
    monkeypatch.setattr(module, "COSTLY_S", 0.0)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["kill_at"] = 3
    with pytest.raises(Killed):
        relaxed()
    (file,) = tmp_path.iterdir()
    assert len(file.read_bytes().splitlines()) == 3


def test_short_job_keeps_nothing(calls, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_S", 3600.0)
    # The first call of a process may compile for seconds.
    monkeypatch.setattr(module, "COSTLY_S", 3600.0)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["kill_at"] = 3
    with pytest.raises(Killed):
        relaxed()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_without_a_folder(calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    relaxed()
    assert list(tmp_path.iterdir()) == []


def test_local_runner_keeps_checkpoints_in_its_store(calls, tmp_path):
    def flow():
        return Flow([get_engine("local").relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True)])

    calls["kill_at"] = 3
    with pytest.raises(Killed):
        LocalRunner(open_store(tmp_path)).run(flow())
    assert len(list((tmp_path / "store" / "checkpoints").iterdir())) == 1
    calls["kill_at"] = None
    calls["n"] = 0
    assert LocalRunner(open_store(tmp_path)).run(flow()).finished
    assert list((tmp_path / "store" / "checkpoints").iterdir()) == []


def test_killed_references_go_on_and_numbers_are_computed_once(calls, tmp_path, monkeypatch):
    engine = get_engine("local")
    probes = []

    def before_cell(self, atoms, record):
        name = f"probe of {atoms.get_chemical_formula()}"
        assert record.number(name, lambda: probes.append(name) or 1.5) == 1.5

    monkeypatch.setattr(type(engine), "before_cell", before_cell)

    def fitted():
        return _call(engine.references(["CoO", "Fe2O3", "Fe3O4"], name="references"))

    whole, needed = fitted(), calls["n"]
    assert len(probes) == 3
    probes.clear()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    calls["n"] = 0
    for kill_at in (2, needed - 1):
        calls["kill_at"] = kill_at
        with pytest.raises(Killed):
            fitted()
    calls["kill_at"] = None
    np.testing.assert_allclose(numbers(fitted().model_dump(mode="json")), numbers(whole.model_dump(mode="json")))
    assert calls["n"] == needed
    assert len(probes) == len(set(probes)) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_calculator_that_keeps_a_state_goes_on_after_a_replay(tmp_path):
    """ASE's EMT sets up its neighbour list when it is told that the elements are new, which a replay is not."""
    from ase.build import bulk
    from ase.calculators.emt import EMT
    from magnetoionics.workflows.evaluation.checkpoint import Checkpoint

    def energies(record, steps):
        atoms = bulk("Cu", cubic=True)
        atoms.calc = record.attach(EMT())
        found = []
        for n in steps:
            atoms.positions[0, 0] = 0.01 * n
            found.append(atoms.get_potential_energy())
        return found

    first = Checkpoint(tmp_path / "evaluations.jsonl")
    begun = energies(first, range(3))
    first.flush()
    again = Checkpoint(tmp_path / "evaluations.jsonl")
    whole = energies(again, range(6))
    assert again.replayed == 3
    assert whole[:3] == begun
    assert whole == pytest.approx(energies(Checkpoint(None), range(6)), abs=1e-12)
