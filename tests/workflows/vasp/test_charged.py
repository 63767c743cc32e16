"""Charged vacancies by the engine vasp on the emulator: inputs, potentials, band edges, corrections, E_f(E_F)."""

import shutil
import sys

import numpy as np
import pytest
from magnetoionics.analysis.defects.charge_states import charge_lines, transition_levels
from magnetoionics.analysis.defects.charged_cells import ChargedVacancies
from magnetoionics.analysis.thermodynamics.phases import load_experimental_phases
from magnetoionics.analysis.thermodynamics.references import ReferenceEnergies
from magnetoionics.hpc.cli import main
from magnetoionics.structures.defects.charge_compensation import charges_to_neutral
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.flows.charged_defects import ChargedVacanciesMaker

ELECTRONIC, IONIC = 5.0, 7.0


def test_charges_run_from_neutral_to_fully_ionised():
    assert charges_to_neutral(-3) == [-3, -2, -1, 0]
    assert charges_to_neutral(2) == [2, 1, 0]
    assert charges_to_neutral(0) == [0]


@pytest.mark.parametrize("name", ["local", "ase"])
def test_engines_without_electrons_refuse_with_the_reason(name, tmp_path, capsys):
    made = get_engine(name)
    assert {"charged", "dielectric"} <= set(made.missing())
    with pytest.raises(CannotDoError, match="cannot do charged"):
        ChargedVacanciesMaker(engine=made).make(None, "cofe2o4")
    if name == "local":
        folder = str(tmp_path / "x")
        assert main(["run", "cofe2o4", "--stages", "vacancies,charged_defects", "--output", folder]) == 2
        assert "stage charged defects cannot be done: engine local cannot do charged" in capsys.readouterr().err


@pytest.fixture(scope="module")
def vasp():
    pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")
    from magnetoionics.workflows.vasp.settings import VaspSettings
    from vasp_running import engine

    return engine(VaspSettings(kpoint_mesh=(1, 1, 1)))


@pytest.fixture(scope="module")
def found(vasp, tmp_path_factory):
    """V_Fe(B) in 55 atoms, neutral and fully ionised, with host and dielectric tensor."""
    from vasp_running import run

    folder = tmp_path_factory.mktemp("charged")
    bulk = run(vasp.static(get_host("cofe2o4").structure(), name="bulk"), folder / "bulk")
    maker = ChargedVacanciesMaker(engine=vasp, repeats=(1, 1, 1), only=[("Fe", "B")], charges=(0, -3))
    return run(maker.make(bulk, "cofe2o4"), folder / "charged")


def test_edges_and_permittivity_are_those_of_the_run(found):
    """The emulator's highest filled level is at -1.1 eV, its lowest empty one at 0.6 eV; eps = 5 + 7."""
    edges = found.edges
    assert edges.vbm_eV == pytest.approx(-1.1, abs=1e-6)
    assert edges.gap_eV == pytest.approx(1.7, abs=1e-6)
    assert np.allclose(edges.dielectric, (ELECTRONIC + IONIC) * np.eye(3))
    # Counted states: four filled levels of two spins lie below the middle of the gap, one of two above.
    energies, states = np.array(edges.dos_energies_eV), np.array(edges.dos_states_per_eV)
    width = energies[1] - energies[0]
    filled = energies < edges.vbm_eV + 0.5 * edges.gap_eV
    assert (states[filled] * width).sum() == pytest.approx(8)
    assert (states[~filled] * width).sum() == pytest.approx(2)
    assert ChargedVacancies.model_validate_json(found.model_dump_json()).edges == edges


def test_charges_energies_and_checks_of_the_states(found):
    assert [(s.label, s.charge) for s in found.states] == [("V_Fe(B)", 0), ("V_Fe(B)", -3)]
    neutral, full = found.states
    # Four filled levels of two spins, all below the gap of the host.
    for state in found.states:
        assert (state.band_filling.electrons, state.band_filling.holes) == pytest.approx((0.0, 0.0), abs=1e-9)
        assert [s.label for s in state.starts] == ["as built"]
        assert len(state.sites) == 55
    assert "one electronic start" in found.notes[0]
    assert neutral.corrections == []
    assert full.corrections[-1].method == "point charge"
    for state in found.states:
        checks = {c.name: c for c in state.checks}
        assert all(c.passed for c in state.checks)
        assert checks["charge of the cell"].value == state.charge
        assert {"forces relaxed", "moments kept", "settings kept", "electrons of the cell"} <= set(checks)
    electrons = [next(c.value for c in s.checks if c.name == "electrons of the cell") for s in found.states]
    assert electrons[1] - electrons[0] == pytest.approx(3)


def test_lines_have_the_slope_of_their_charge_and_the_correction(found):
    from magnetoionics.analysis.thermodynamics.stability_window import at, stability_window

    window = stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))
    point = at(window, -1.8)
    references = ReferenceEnergies({"Co": -7.0, "Fe": -8.0, "O": -5.0}, provenance=found.edges.provenance)
    neutral, full = found.states
    lines = charge_lines(found.formations(), found.edges, window, references, point)
    mu = references["Fe"] + point["Fe"]
    assert lines[0].at_vbm_eV == pytest.approx(neutral.energy_difference_eV + mu)
    expected = full.energy_difference_eV + mu - 3 * found.edges.vbm_eV + full.corrections[0].total_eV
    assert lines[1].at_vbm_eV == pytest.approx(expected)
    (level,) = transition_levels(lines, found.edges.gap_eV)
    assert level.level_eV == pytest.approx((lines[1].at_vbm_eV - lines[0].at_vbm_eV) / 3)


def test_corrections_of_a_screened_point_charge_are_its_limit(vasp, found, tmp_path):
    """With the ions held the emulator's vacancy is a point charge in a medium: the lattice sum, nothing to align.

    Once the ions relax they screen once more, and both schemes find the same smaller correction.
    """
    pytest.importorskip("pydefect", reason="eFNV needs pydefect")
    pytest.importorskip("pymatgen.analysis.defects", reason="Freysoldt's needs pymatgen-analysis-defects")
    from magnetoionics.analysis.defects.charged_cells import corrections_of
    from vasp_running import run

    cell = get_host("cofe2o4").structure()
    index = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe" and s.properties["sublattice"] == "B")
    host = run(vasp.charged(cell, 0, relax=False, name="host"), tmp_path / "host")
    held = run(vasp.charged(remove_site(cell, index), -3, relax=False, name="held"), tmp_path / "held")
    made, notes = corrections_of(held, host, found.edges.dielectric, cell[index].frac_coords.tolist())
    assert notes == []
    assert [c.method for c in made] == ["eFNV", "Freysoldt", "point charge"]
    limit = made[-1].total_eV
    assert limit > 1.5
    for correction in made[:2]:
        assert correction.electrostatic_eV == pytest.approx(limit, rel=1e-3)
        assert abs(correction.alignment_eV) < 0.05
        assert correction.error_eV < 0.1
    efnv, freysoldt, limit_again = found.states[1].corrections
    assert limit_again.total_eV == pytest.approx(limit, abs=1e-6)
    assert freysoldt.total_eV == pytest.approx(efnv.total_eV, abs=0.1)
    assert efnv.total_eV < limit - 0.2


def test_the_emulator_refuses_electrons_of_other_atoms(vasp, tmp_path):
    """A count that is no charge state of these atoms, and responses of a charged cell."""
    from magnetoionics.workflows.vasp.charged import DielectricTensorMaker, with_charge
    from magnetoionics.workflows.vasp.inputs import input_set
    from magnetoionics.workflows.vasp.jobs import MagneticStaticMaker
    from magnetoionics.workflows.vasp.order import block_order, in_order
    from pymatgen.io.vasp import Incar
    from vasp_running import EMULATOR

    sys.path.insert(0, str(EMULATOR))
    from emulator_inputs import InputError, read_inputs

    cell = remove_site(get_host("cofe2o4").structure(), 8)
    cell = with_charge.original(in_order(cell, block_order(cell)), -3)
    maker = MagneticStaticMaker(settings=vasp.dft, extra={"LVHAR": True})
    input_set(maker.planned(cell), cell).write_input(str(tmp_path / "ok"))
    good = read_inputs(tmp_path / "ok")
    assert good.charge == -3
    incar = Incar.from_file(tmp_path / "ok" / "INCAR")
    for change, message in (
        ({"NELECT": incar["NELECT"] + 0.5}, "leaves a charge"),
        ({"NELECT": incar["NELECT"] - 14}, "does not belong to atoms"),
        ({"LEPSILON": True}, "a charged cell has no dipole"),
    ):
        shutil.copytree(tmp_path / "ok", tmp_path / "bad")
        Incar({**incar, **change}).write_file(tmp_path / "bad" / "INCAR")
        with pytest.raises(InputError, match=message):
            read_inputs(tmp_path / "bad")
        shutil.rmtree(tmp_path / "bad")
    host = get_host("cofe2o4").structure()
    host = in_order(host, block_order(host))
    tensor = DielectricTensorMaker(settings=vasp.dft)
    input_set(tensor.planned(host), host).write_input(str(tmp_path / "tensor"))
    read_inputs(tmp_path / "tensor")
    incar = Incar.from_file(tmp_path / "tensor" / "INCAR")
    Incar({k: v for k, v in incar.items() if k != "LEPSILON"}).write_file(tmp_path / "tensor" / "INCAR")
    with pytest.raises(InputError, match="no dielectric tensor"):
        read_inputs(tmp_path / "tensor")
