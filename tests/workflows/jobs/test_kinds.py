"""Every job says what it is: no engine's calculation can end on the machine of the runner, whatever it is called."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from jobflow import Flow, job
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.jobs.kinds import KINDS, as_step, kind_in
from magnetoionics.workflows.vibrations.jobs import vibrations_here


@job
def outside(number):
    """A job whose module and name say nothing."""
    return number


@dataclass
class Foreign(LocalEngine):
    """An engine from elsewhere: its jobs come in flows of its own, with names of its own."""

    name: ClassVar[str] = "foreign"

    def relax(self, structure, *, name, cell=False, mover=None):
        """Three jobs, the last of them small."""
        first, second, last = outside(1), outside(2), as_step(outside(3))
        return Flow([Flow([first, second]), last], output=last.output)

    def static(self, structure, *, name, mover=None):
        """Its own job through the class above, which marks it there already."""
        return super().static(structure, name=name, mover=mover)


@dataclass
class Learned(Foreign):
    """The same with kinds of its own."""

    kind_of_jobs: ClassVar[str] = "ml"


def kinds(made):
    return [kind_in(j.metadata) for j, _ in made.iterflow()] if hasattr(made, "iterflow") else [kind_in(made.metadata)]


def test_a_new_engine_is_marked_without_doing_anything():
    cell = get_host("cofe2o4").structure()
    assert kinds(Foreign().relax(cell, name="collect")) == ["relax", "relax", "local"]
    assert kinds(Foreign().static(cell, name="relax band")) == ["static"]
    assert kinds(Learned().relax(cell, name="x")) == ["ml", "ml", "local"]
    assert kinds(outside(1)) == ["local"]
    # Marks reach neither other jobs of the function nor those that a job makes.
    assert not outside(1).metadata
    assert not Foreign().static(cell, name="x").metadata_updates


def test_jobs_of_a_study_by_kind():
    flow = MagnetoionicStudyMaker.quick(get_engine("local")).make("cofe2o4")
    found = {j.name: j.metadata for j, _ in flow.iterflow()}
    assert {n: m["kind"] for n, m in found.items() if m.get("role") == "calculation"} == {
        "bulk Imma": "relax",
        "bulk P4_122": "relax",
        "bulk normal": "relax",
        "reference energies": "relax",
        "host supercell": "static",
        **{n: "relax" for n in found if n.startswith("V_") and n.endswith(" relax")},
        "band": "neb",
        "vibrations": "phonon",
        **{f"E(n) {state}": "spin-orbit" for state in ("pristine", "before", "after")},
        # Free energies at the film's temperature.
        **{f"E(n) {state} at 300 K": "spin-orbit" for state in ("before", "after")},
    }
    assert vibrations_here.original is not None
    assert all(m["stage"] for m in found.values())


def test_runs_of_vasp_mark_themselves_and_its_readers_are_steps():
    pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")
    engine = get_engine("vasp")
    cell = get_host("cofe2o4").structure()
    made = {
        "relax": engine.relax(cell, name="collect"),
        "static": engine.static(cell, name="neb"),
        "spin-orbit": engine.spin_orbit(cell, directions=[[0, 0, 1], [0, 0, -1]], state="relaxed", name="relax"),
    }
    for kind, flow in made.items():
        runs = {kind_in(j.metadata) for j, _ in flow.iterflow() if j.metadata.get("own_folder")}
        assert runs == ({kind, "static"} if kind == "spin-orbit" else {kind})
        rest = {kind_in(j.metadata) for j, _ in flow.iterflow() if not j.metadata.get("own_folder")}
        assert rest == {"local"}


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=f"no kind of job is called 'gpu'; kinds: {', '.join(KINDS)}"):
        kind_in({"kind": "gpu"})
