"""A host family, an ASE engine, an observable, a kind of defect: each is added in a folder of its own, and counted.

The counts stand in CONTRIBUTING.md. The observable is added by tests/workflows/flows/test_new_stage.py (three files of
which its document could stand in the stage's), the kind of defect by tests/structures/defects/test_kinds.py; here the
page is held to what those do.
"""

import re
import sys

import magnetoionics
import magnetoionics.structures.hosts
import magnetoionics.workflows.engines
import pytest
from magnetoionics.hpc.cluster.project import ClusterSettings
from magnetoionics.hpc.cluster.table import default_table
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from undrawn_studies import run

HOST = '''
"""Rock salt: a family that no host of the package has, a monoxide with two senses of Fe in layers along z."""

from __future__ import annotations

from pymatgen.core import Lattice, Structure

from ..host import HopKind, Host


def layered(order: str) -> Structure:
    """Conventional cell, doubled along z: layers up and down."""
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.30), ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    cell.make_supercell([1, 1, 2])
    labels, valences = [], []
    for site in cell:
        iron = site.specie.symbol == "Fe"
        layer = round(site.frac_coords[2] * 4) % 2
        labels.append(("up", "down")[layer] if iron else "O")
        valences.append(2.0 if iron else -2.0)
    cell.add_site_property("sublattice", labels)
    cell.add_site_property("valence", valences)
    return cell


HOST = Host(
    key="rock_salt_feo",
    title="wustite in layers",
    formula="FeO",
    build_cell=layered,
    orders=("layers",),
    spin_sense={"up": 1, "down": -1},
    moment_per_formula_muB=0.0,
    anions_per_formula=1,
    vacancies=(("Fe", "up"), ("O", "O")),
    hops=(HopKind("Fe", "down", "Fe", "up", 3.3),),
    references=("FeO", "Fe2O3"),
    hubbard_U_eV={"Fe": 5.3},
    gap_eV=2.4,
    claims=(),
    sources={"a": "made up for a test"},
)
'''

ENGINE = '''
"""Soft spheres: an engine whose numbers mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...analysis.results.document import Provenance
from ..ase.jobs import AseEngine, versions


@dataclass
class SoftSpheres(AseEngine):
    """Lennard-Jones between all atoms."""

    name: ClassVar[str] = "soft_spheres"
    level_of_theory: ClassVar[str] = "ML"
    summary: ClassVar[str] = "Lennard-Jones between all atoms"
    depth_eV: float = 0.05

    def cannot(self):
        """No spins, no references."""
        return {"spin_orbit": "no spin-orbit coupling", "references": "no elements"}

    def make_calculator(self, atoms, mover):
        """ASE's own."""
        from ase.calculators.lj import LennardJones

        return LennardJones(sigma=1.7, epsilon=self.depth_eV, rc=4.0, smooth=True)

    def dipole_charges(self, atoms, mover):
        """Those of the valences."""
        return atoms.arrays["valence"], "formal charges"

    def spin_orbit(self, structure, **_):
        """None."""
        self.require("spin_orbit")

    def references(self, formulas, *, name):
        """None."""
        self.require("references")

    def provenance(self, left_out=()):
        """Who it was."""
        return Provenance(
            engine=self.name, level_of_theory="ML", functional="none", versions=versions("ase"), left_out=[*left_out]
        )


ENGINE = SoftSpheres
'''


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Writes a file into a folder that a room of the package looks into; returns how many there are."""

    def add(package, name, text):
        folder = tmp_path / package.__name__.rsplit(".", 1)[-1]
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        names.append(f"{package.__name__}.{name}")
        return sum(1 for _ in tmp_path.rglob("*.py"))

    names = []
    yield add
    for name in names:
        sys.modules.pop(name, None)


def test_a_host_family_is_one_file(added):
    assert added(magnetoionics.structures.hosts, "rock_salt_feo", HOST) == counts()["a host family"]
    assert "rock_salt_feo" in magnetoionics.host_keys()
    host = magnetoionics.get_host("rock_salt_feo")
    host.check_moment("layers")
    planned = {s.stage: s for s in plan_stages(magnetoionics.get_engine("local"), host, "layers", repeats=(2, 2, 1))}
    assert planned["vacancies"].done
    assert planned["migration"].done
    names = [
        j.name for j, _ in MagnetoionicStudyMaker(engine="local", repeats=(2, 2, 1)).make("rock_salt_feo").iterflow()
    ]
    assert "V_O relax" in names
    assert "band" in names


def test_an_ase_engine_is_one_file(added, tmp_path):
    assert added(magnetoionics.workflows.engines, "soft_spheres", ENGINE) == counts()["an ASE engine"]
    assert "soft_spheres" in magnetoionics.engine_names()
    assert magnetoionics.get_engine("soft_spheres", depth_eV=0.01).settings()["depth_eV"] == 0.01
    flow = MagnetoionicStudyMaker.quick("soft_spheres").make("cofe2o4")
    # On a cluster its jobs get what their kind gets, and none of those that compute runs beside the runner.
    table = default_table(ClusterSettings(name="x", scheduler="slurm", work_dir="/scratch/x"))
    kinds = {j.name: table.kind_of(j) for j, _ in flow.iterflow()}
    assert kinds["bulk Imma"] == "relax"
    assert kinds["band"] == "neb"
    study = run("cofe2o4", engine="soft_spheres", quick=True, stages=["host"], output=tmp_path / "s", quiet=True)
    assert study.engine.name == "soft_spheres"
    assert study.host.structure.volume > 0


def counts():
    """Files to write and to edit, from the table of CONTRIBUTING.md."""
    from pathlib import Path

    page = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (a[n]? [\w ]+) \| [^|]+ \| (\d) new, (\d) edited \|", page, re.MULTILINE)
    assert all(edited == "0" for _, _, edited in rows)
    return {what: int(new) for what, new, _ in rows}


def test_the_table_has_what_is_added_elsewhere(repository):
    kind = (repository / "tests" / "structures" / "defects" / "test_kinds.py").read_text(encoding="utf-8")
    assert kind.count(".write_text(FRENKEL)") == counts()["a kind of defect"] == 1
    page = (repository / "docs" / "howto_observable.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"`((?:analysis|workflows)/\w+/hop_polarisation\.py)`", page))
    assert len(shown) == counts()["an observable"] == 3
