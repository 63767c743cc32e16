"""Polarisation, Born charges and finite fields on the emulator, with the check against breakdown."""

import numpy as np
import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from custodian.vasp.handlers import LargeSigmaHandler
from magnetoionics.analysis.results.calculation import invalid_because
from magnetoionics.structures.defects.vacancies import remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.vasp.band_judgement import one_branch
from magnetoionics.workflows.vasp.field import dress_band, field_fields, polarisation_flow, refuse_breakdown
from magnetoionics.workflows.vasp.jobs import common_fields
from magnetoionics.workflows.vasp.settings import VaspBandSettings, VaspSettings, VaspSettingsError
from vasp_running import commands, engine, run

SETTINGS = VaspSettings(kpoint_mesh=(2, 2, 2))


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure()


def test_berry_phase_follows_a_displacement(cell, tmp_path):
    made = engine(SETTINGS)
    moved = cell.copy()
    moved.translate_sites([0], [0.1, 0.0, 0.0], frac_coords=False, to_unit_cell=False)
    first = run(made.polarisation(cell, name="p0"), tmp_path / "a")
    last = run(made.polarisation(moved, name="p1"), tmp_path / "b")
    assert invalid_because(first.checks) == []
    change = (np.array(last.dipole_e_A) - first.dipole_e_A) @ np.linalg.inv(cell.lattice.matrix)
    change = (change - np.rint(change)) @ cell.lattice.matrix
    assert change == pytest.approx([0.1 * cell.site_properties["valence"][0], 0, 0], abs=1e-3)


def test_born_charges_come_back_to_their_sites(cell, tmp_path):
    mixed = cell.copy()
    mixed.sort(key=lambda s: s.frac_coords[0])
    found = run(engine(SETTINGS).born_tensors(mixed, name="Z"), tmp_path)
    tensors = np.array(found.born_charges_e)
    assert tensors.shape == (len(cell), 3, 3)
    assert np.allclose(tensors, np.eye(3) * np.array(mixed.site_properties["valence"])[:, None, None], atol=1e-4)
    assert np.allclose(found.dielectric, 5 * np.eye(3))


def test_a_field_pushes_the_charges(cell, tmp_path):
    made = engine(SETTINGS)
    off = run(made.static(cell, name="off"), tmp_path / "off")
    strength = [0.02, 0.0, 0.0]
    on = run(made.in_field(cell, strength, gap_eV=1.5, relax=False, name="on"), tmp_path / "on")
    assert invalid_because(on.checks) == []
    assert on.provenance.settings["field_V_per_A"] == strength
    dipole = np.array(cell.site_properties["valence"]) @ cell.cart_coords
    assert on.energy_eV == pytest.approx(off.energy_eV - dipole @ strength, abs=1e-5)
    assert on.max_force_eV_per_A != pytest.approx(off.max_force_eV_per_A, abs=1e-3)
    assert {c.name for c in on.checks} >= {"field kept", "insulator"}
    pushed = next(c for c in on.checks if c.name == "forces of the field")
    assert pushed.value == pytest.approx(1.0, abs=1e-3)
    response = np.array(on.forces_eV_per_A) - off.forces_eV_per_A
    assert response == pytest.approx(np.outer(cell.site_properties["valence"], strength), abs=1e-4)


@pytest.mark.parametrize(("fault", "share"), [("field sign", -1.0), ("bare forces", 0.0)])
def test_ions_that_do_not_follow_the_field_make_the_run_invalid(cell, tmp_path, monkeypatch, fault, share):
    """VASP's sign was never tried here: a run that takes it the other way, or leaves the forces bare, is caught."""
    monkeypatch.setenv("VASP_EMULATOR_FAULT", fault)
    flow = engine(SETTINGS).in_field(cell, [0.0, 0.02, 0.0], gap_eV=1.5, relax=False, name="on")
    found = run(flow, tmp_path)
    reasons = invalid_because(found.checks)
    assert [r.split(":")[0] for r in reasons] == ["forces of the field"]
    assert next(c.value for c in found.checks if c.name == "forces of the field") == pytest.approx(share, abs=1e-3)
    assert ("efield_pead_sign" in reasons[0]) is (fault == "field sign")


def test_breakdown_counts_the_cells_that_the_mesh_resolves(cell):
    """With N points along an axis the electrons see N cells in a row, so a finer mesh holds a weaker field."""
    gap, along = 1.5, cell.lattice.a
    limit = gap / (2 * along)
    refuse_breakdown([0.99 * limit, 0.0, 0.0], gap, cell, [2, 2, 2])
    refuse_breakdown([0.0, 0.0, 0.99 * limit], gap, cell, [6, 6, 2])
    for field, mesh in (([1.01 * limit, 0.0, 0.0], [2, 2, 2]), ([0.99 * limit, 0.0, 0.0], [3, 2, 2])):
        with pytest.raises(ValueError, match="breaks down"):
            refuse_breakdown(field, gap, cell, mesh)


def test_a_field_beyond_breakdown_is_refused_before_it_is_run(cell, tmp_path):
    flow = engine(SETTINGS).in_field(cell, [0.3, 0.0, 0.0], gap_eV=1.5, relax=True, name="too much")
    with pytest.raises(pytest.fail.Exception, match="gap"):
        run(flow, tmp_path)
    assert not list(tmp_path.glob("store/files/*"))


def test_a_mesh_that_cannot_resolve_a_field_is_refused(cell, tmp_path):
    made = engine(VaspSettings(kpoint_mesh=(2, 2, 1)))
    with pytest.raises(pytest.fail.Exception, match="one point along an axis"):
        run(made.in_field(cell, [0.01, 0.0, 0.0], gap_eV=1.5, relax=True, name="thin"), tmp_path)


def test_the_handler_that_fails_on_fields_is_left_out():
    fields = field_fields(common_fields(commands()))
    handlers = fields["run_vasp_kwargs"]["handlers"]
    assert handlers
    assert not any(isinstance(h, LargeSigmaHandler) for h in handlers)


def test_engines_without_electrons_say_so(cell):
    local = get_engine("local")
    with pytest.raises(CannotDoError, match="local"):
        local.polarisation(remove_site(cell, 0), name="p")
    with pytest.raises(CannotDoError, match="finite field"):
        local.in_field(cell, [0.0, 0.0, 0.01], gap_eV=1.5, relax=False, name="f")


def test_a_polarisation_without_a_gap_is_not_used(cell, tmp_path, monkeypatch):
    monkeypatch.setenv("VASP_EMULATOR_FAULT", "metal")
    flow = polarisation_flow(cell, "p", SETTINGS, common_fields(commands()), born=False)
    found = run(flow, tmp_path)
    assert any(r.startswith("insulator") for r in invalid_because(found.checks))
    with pytest.raises(ValueError, match="p is invalid"):
        dress_band.original(None, [found])


@pytest.mark.slow
def test_a_band_in_a_field_has_the_work_of_the_field(tmp_path):
    """Ends and band in the field: the reaction energy shifts by -F.dp, dp from the relaxed ends' charges."""
    host = get_host("cofe2o4")
    hop = shortest_hop(host.structure(), (1, 1, 1), host.hops[0])
    along = np.array(hop.displacement_A) / hop.distance_A
    strength = [float(x) for x in 0.01 * along]
    path = VaspBandSettings(field_V_per_A=strength, gap_eV=host.gap_eV)
    made = engine(SETTINGS, path=path)
    band = run(made.band(hop.initial, hop.final, hop.intermediates[:1], mover=hop.mover, name="band"), tmp_path)
    assert invalid_because(band.checks) == []
    branch = [c for c in band.checks if c.name.startswith("one branch")]
    assert branch
    assert all(c.passed for c in branch)
    first, last = band.images[0].structure, band.images[-1].structure
    atoms = [to_atoms(s) for s in (first, last)]
    local = get_engine("local")
    for a in atoms:
        a.calc = local.make_calculator(a, None)
    bare = atoms[1].get_potential_energy() - atoms[0].get_potential_energy()
    charges = local.formal_charges(atoms[0], None)
    moved = charges @ (last.cart_coords - first.cart_coords)
    assert band.delta_eV == pytest.approx(bare - moved @ strength, abs=2e-4)
    assert abs(moved @ strength) > 0.02


def test_a_jump_to_another_branch_is_caught():
    cell = get_host("cofe2o4").structure()
    path = [cell.copy() for _ in range(5)]
    for k, image in enumerate(path):
        image.translate_sites([0], [0.1 * k, 0, 0], frac_coords=False, to_unit_cell=False)
    energies, forces, strength = [0.0] * 5, [np.zeros((len(cell), 3))] * 3, [0.01, 0.0, 0.0]
    assert one_branch(path, energies, forces, strength, "segment").passed
    jumped = [0.0, 0.0, 0.01 * cell.lattice.a, 0.01 * cell.lattice.a, 0.0]
    assert one_branch(path, jumped, forces, strength, "segment").passed is False


def test_a_band_in_a_field_needs_a_gap():
    with pytest.raises(VaspSettingsError, match="gap_eV"):
        VaspBandSettings(field_V_per_A=[0.01, 0.0, 0.0])
