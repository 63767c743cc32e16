"""Any ASE calculator as engine: by import path, with options, refused clearly, the same Makers."""

import sys
import types

import numpy as np
import pytest
from ase.calculators.emt import EMT as Emt
from jobflow import run_locally
from magnetoionics.hpc.cli import app
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import UnknownEngineError, get_engine
from magnetoionics.workflows.engines.ase import AseCalculatorEngine
from magnetoionics.workflows.evaluation.checkpoint import FOLDER_VARIABLE
from magnetoionics.workflows.flows.plan import plan_stages
from pymatgen.core import Lattice, Structure
from typer.testing import CliRunner

EMT = "ase:ase.calculators.emt:EMT"


def run(job):
    return run_locally(job, log=False, raise_immediately=True)[job.uuid][1].output


def copper(repeats=2, vacancies=(0,)):
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.59), ["Cu"], [[0, 0, 0]])
    cell.make_supercell([repeats] * 3)
    cell.add_site_property("magmom", [0.0] * len(cell))
    cell.remove_sites(list(vacancies))
    return cell


def copper_hop():
    """Initial and final state of a nearest-neighbour vacancy hop in 31 atoms; the mover's index."""
    full = copper(vacancies=())
    hole = full[0].coords
    neighbour = min(full.get_neighbors(full[0], 2.7), key=lambda n: n.index)
    initial = copper()
    mover = neighbour.index - 1
    initial.replace(mover, "Cu", coords=neighbour.coords, coords_are_cartesian=True, properties={"magmom": 0.0})
    final = initial.copy()
    final.replace(mover, "Cu", coords=hole, coords_are_cartesian=True, properties={"magmom": 0.0})
    return initial, final, mover


class Dies(Emt):
    """Ends the work after so many calls."""

    left = 0

    def calculate(self, *args, **kwargs):
        if Dies.left == 0:
            raise KeyboardInterrupt
        Dies.left -= 1
        super().calculate(*args, **kwargs)


def test_a_continued_band_counts_the_force_calls_of_the_attempt_before(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    engine = AseCalculatorEngine(calculator=f"{__name__}:Dies")
    initial, final, mover = copper_hop()
    Dies.left = 9
    with pytest.raises(KeyboardInterrupt):
        run(engine.band(initial, final, [], mover=mover, name="hop"))
    Dies.left = 1000
    band = run(engine.band(initial, final, [], mover=mover, name="hop"))
    assert band.converged
    assert band.force_calls == 9 + 1000 - Dies.left
    assert "9 force calls were taken from the record" in band.notes[-1]
    Dies.left = 1000
    undisturbed = run(engine.band(initial, final, [], mover=mover, name="hop"))
    assert undisturbed.force_calls == 1000 - Dies.left
    assert "record" not in " ".join(undisturbed.notes)


def test_any_calculator_relaxes_and_gives_a_band():
    engine = get_engine(EMT)
    initial, final, mover = copper_hop()
    ends = [run(engine.relax(s, name="end")) for s in (initial, final)]
    assert all(e.converged for e in ends)
    assert ends[0].energy_eV == pytest.approx(ends[1].energy_eV, abs=1e-4)
    given = [e.structure for e in ends]
    before = [s.copy() for s in given]
    band = run(engine.band(*given, [], mover=mover, name="hop"))
    # The structures handed over stay as they were; some Makers write into theirs.
    assert given == before
    assert band.converged
    assert band.forward_eV == pytest.approx(band.backward_eV, abs=1e-3)
    # 107 atoms give 0.79 eV; 31 atoms are somewhat stiffer.
    assert 0.6 < band.forward_eV < 0.95
    assert band.provenance.engine == EMT
    assert not band.dipoles_e_A.any()


def test_options_reach_the_calculator():
    engine = get_engine('ase:ase.calculators.lj:LennardJones {"epsilon": 2.0, "sigma": 2.2}')
    twice, once = (
        run(
            get_engine("ase", calculator=engine.calculator, calculator_options={"epsilon": e, "sigma": 2.2}).static(
                copper(1, ()), name="lj"
            )
        ).energy_eV
        for e in (2.0, 1.0)
    )
    assert twice == pytest.approx(2 * once, rel=1e-9)
    assert run(engine.static(copper(1, ()), name="lj")).energy_eV == pytest.approx(twice)
    assert engine.provenance().settings["calculator_options"] == {"epsilon": 2.0, "sigma": 2.2}


def test_force_fields_that_atomate2_knows_by_name(monkeypatch):
    """atomate2's own code makes the calculator; the package that it imports for it is a stand-in."""
    pytest.importorskip("atomate2")
    from ase.calculators.emt import EMT as Stand

    stand = types.ModuleType("calorine.calculators")
    stand.CPUNEP = Stand
    monkeypatch.setitem(sys.modules, "calorine", types.ModuleType("calorine"))
    monkeypatch.setitem(sys.modules, "calorine.calculators", stand)
    engine = get_engine('ase:atomate2:NEP {"asap_cutoff": true}')
    found = run(engine.static(copper(1, ()), name="NEP"))
    plain = run(get_engine(f'{EMT} {{"asap_cutoff": true}}').static(copper(1, ()), name="EMT"))
    assert found.energy_eV == pytest.approx(plain.energy_eV, abs=1e-12)
    assert found.provenance.engine == "ase:atomate2:NEP"
    assert found.provenance.versions["atomate2"]
    with pytest.raises(UnknownEngineError, match=r"no force field 'MAZE'; known: .*MACE"):
        get_engine("ase:atomate2:MAZE")
    with pytest.raises(UnknownEngineError, match=r"atomate2:DeepMD cannot be made .*deepmd.*install"):
        get_engine("ase:atomate2:DeepMD").bare_calculator()


def test_forces_are_minus_the_slope_of_the_energy():
    shaken = copper()
    shaken.perturb(0.05)
    engine = get_engine(EMT)
    done = run(engine.static(shaken, name="static"))
    for ion, axis in ((0, 0), (7, 1), (20, 2)):
        energies = []
        for sign in (1, -1):
            moved = shaken.copy()
            moved.translate_sites([ion], sign * 0.005 * np.eye(3)[axis], frac_coords=False, to_unit_cell=False)
            energies.append(run(engine.static(moved, name="moved")).energy_eV)
        assert done.forces_eV_per_A[ion][axis] == pytest.approx(-(energies[0] - energies[1]) / 0.01, abs=1e-3)
    assert done.max_force_eV_per_A > 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ase:nosuchpackage.x:Y", "cannot be imported.*nosuchpackage"),
        ("ase:ase.calculators.emt:EMTT", "has no EMTT"),
        ("ase:ase.calculators.emt", "no import path; write package.module:Class"),
        ("ase:ase.calculators.emt:EMT {rc: 5}", "are no JSON"),
        ("ase:ase.calculators.emt:EMT [5]", "must be a JSON object"),
        ("ase:ase.calculators.emt:parameters", "is no class"),
        ("ase:ase:Atoms", "is no class of an ASE calculator"),
        ("ase:builtins:exec", "no function that makes one"),
        ('ase:os:system {"command": "true"}', "no function that makes one"),
        ("ase:subprocess:Popen", "no class of an ASE calculator"),
        ("local:ase.calculators.emt:EMT", "takes a settings file"),
    ],
)
def test_wrong_names_are_refused_with_the_reason(text, message):
    with pytest.raises(UnknownEngineError, match=message):
        get_engine(text)


def test_wrong_option_is_refused():
    engine = get_engine('ase:magnetoionics.calculators.rigid_ion:RigidIonCalculator {"potentials": "pedone"}')
    with pytest.raises(UnknownEngineError, match="does not take the options"):
        engine.bare_calculator()


def test_what_python_brings_is_not_called_and_no_calculator_is_told_from_one(tmp_path, monkeypatch):
    lines = ["import os", "from functools import partial", f"run = partial(os.system, 'touch {tmp_path}/called')"]
    lines += [
        "def mapping():",
        "    return {}",
        "def emt():",
        "    from ase.calculators.emt import EMT",
        "    return EMT()",
    ]
    (tmp_path / "of_a_user.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnknownEngineError, match="no function that makes one"):
        AseCalculatorEngine(calculator="of_a_user:run").bare_calculator()
    assert not (tmp_path / "called").exists()
    with pytest.raises(UnknownEngineError, match="makes a dict, which is no calculator"):
        get_engine("ase:of_a_user:mapping").bare_calculator()
    assert get_engine("ase:of_a_user:emt").bare_calculator().name == "emt"


def test_it_says_what_it_cannot_do():
    engine = get_engine(EMT)
    assert set(engine.cannot()) == {"spin_orbit"}
    assert "oxides" in engine.cannot_with(copper())["references"]
    planned = {s.stage: s for s in plan_stages(engine, get_host("cofe2o4"), "Imma")}
    assert not planned["anisotropy"].done
    assert planned["migration"].done
    unnamed = get_engine("ase")
    assert "--calculator package.module:Class" in unnamed.cannot()["relax"]


@pytest.mark.usefixtures("no_figures")
def test_command_line(tmp_path):
    run_cli = CliRunner().invoke
    wrong = run_cli(app, ["run", "cofe2o4", "--calculator", "no.such:Thing", "--output", str(tmp_path / "x")])
    assert wrong.exit_code != 0
    assert not (tmp_path / "x").exists()
    both = run_cli(app, ["run", "cofe2o4", "--engine", "chgnet", "--calculator", "a:B"])
    assert both.exit_code == 2
