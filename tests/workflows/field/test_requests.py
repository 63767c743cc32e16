"""Fields asked for in a study or of all hops: directions, charges of single sites, bands relaxed in the field."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from magnetoionics.analysis.kinetics.applied_field import Direction, field_from_text, read_field
from magnetoionics.analysis.kinetics.polarisation import Polarisation
from magnetoionics.analysis.kinetics.profiles import LINEAR, PATH, RELAXED
from magnetoionics.analysis.kinetics.site_charges import (
    band_with_charges,
    charges_by_element,
    charges_by_site,
    charges_of_polarisation,
    read_site_charges,
)
from magnetoionics.analysis.results.calculation import Band, BandImage
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.analysis.study.documents import Study
from magnetoionics.calculators.field import UniformFieldCalculator
from magnetoionics.hpc.cli import app
from magnetoionics.hpc.study_folder.study_run import build_flow
from magnetoionics.hpc.study_options import FieldOptions, StudyOptions
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import CannotDoError, Engine, get_engine
from magnetoionics.workflows.field.requests import LARGEST_V_PER_A, FieldRequest, field_direction
from magnetoionics.workflows.flows.building import shortest_hop
from magnetoionics.workflows.flows.migration import MigrationMaker
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.jobs.kinds import kind_in
from typer.testing import CliRunner

FORMAL = {"Co": 2.0, "Fe": 3.0, "O": -2.0}
SOURCE = Provenance(engine="test", level_of_theory="arithmetic")


@pytest.fixture(scope="module")
def hop():
    host = get_host("cofe2o4")
    return shortest_hop(host.structure(), (1, 1, 1), host.hops[0])


def made_up_band(hop):
    """The two ends and the way between them as a path: charges need no energies."""
    images = []
    for share in (0.0, 0.5, 1.0):
        between = hop.initial.copy()
        start, end = hop.initial.cart_coords[hop.mover], np.array(hop.displacement_A)
        shift = np.array([0.1, 0.0, -0.2]) * share
        between.translate_sites([hop.mover], share * end, frac_coords=False, to_unit_cell=False)
        between.translate_sites([3], shift, frac_coords=False, to_unit_cell=False)
        assert between.cart_coords[hop.mover] == pytest.approx(start + share * end)
        images.append(
            BandImage(energy_eV=0.0, arc_A=share, mover_A=share, dipole_e_A=[0, 0, 0], kind="end", structure=between)
        )
    return Band(
        mover=hop.mover,
        images=images,
        dipole_source="point charges",
        force_calls=0,
        checks=[],
        not_checked=[],
        provenance=SOURCE,
    )


def test_formal_charges_by_element_are_those_of_the_local_engine(hop):
    band = made_up_band(hop)
    first = to_atoms(band.images[0].structure)
    charges, _ = get_engine("local").dipole_charges(first, hop.mover)
    want = [charges @ (i.structure.cart_coords - first.positions) for i in band.images]
    found = band_with_charges(band, charges_by_element(FORMAL, "by hand"), hop.initial)
    assert found.dipoles_e_A == pytest.approx(np.array(want), abs=1e-12)
    assert found.dipole_source == "Born charges"
    assert "3 e were missing" in found.dipole_note


def test_tensor_of_the_mover_turns_its_dipole(hop):
    band = made_up_band(hop)
    z = np.array([FORMAL[s.specie.symbol] * np.eye(3) for s in hop.initial])
    z[hop.mover] = [[2.0, 0.3, 0.0], [0.0, 2.2, -0.1], [0.0, 0.0, 1.9]]
    found = band_with_charges(band, charges_by_site(z, "by hand"), hop.initial)
    used, missing = charges_by_site(z, "by hand").tensors_for(hop.initial, hop.mover, hop.initial)
    assert np.abs(used.sum(axis=0)).max() < 1e-12
    assert missing == pytest.approx(np.abs(z.sum(axis=0)).max())
    assert used[hop.mover] == pytest.approx(z[hop.mover])
    want = z[hop.mover] @ np.array(hop.displacement_A) + used[3] @ np.array([0.1, 0.0, -0.2])
    assert found.dipoles_e_A[-1] == pytest.approx(want, abs=1e-9)


def test_charges_of_the_ordered_cell_find_their_ions_in_the_supercell():
    host = get_host("cofe2o4")
    cell = host.structure()
    big = shortest_hop(cell, (2, 1, 1), host.hops[0])
    marks = np.linspace(1.0, 2.0, len(cell))
    # Other site order, other lattice constant, shifted by whole cells: as another code would hand it over.
    order = np.random.default_rng(0).permutation(len(cell))
    other = type(cell).from_sites([cell[i] for i in order])
    other.scale_lattice(cell.volume * 1.03)
    z = marks[order][:, None, None] * np.eye(3)
    found = Polarisation(name="Born", structure=other, born_charges_e=z.tolist(), provenance=SOURCE)
    charges = charges_of_polarisation(found)
    raw = charges._raw(big.initial, cell)[:, 0, 0]
    for ion, mark in zip(big.initial, raw, strict=True):
        near = [cell.lattice.get_distance_and_image(s.frac_coords, ion.frac_coords * [2, 1, 1])[0] for s in cell]
        assert mark == pytest.approx(marks[int(np.argmin(near))])
    assert charges_by_site(marks, "plain")._raw(big.initial, cell)[:, 0, 0] == pytest.approx(raw)
    stretched, lithium = cell.copy(), cell.copy()
    stretched.scale_lattice(cell.volume * 1.5)
    lithium.replace_species({"Co": "Li"})
    for wrong, message in ((stretched, "no whole multiple"), (lithium, "from any site of its element")):
        strange = charges_by_site(marks, "wrong", wrong)
        with pytest.raises(ValueError, match=message):
            strange.tensors_for(big.initial, big.mover, cell)


def test_files_of_charges(tmp_path):
    host = get_host("cofe2o4")
    cell = host.structure()
    per_site = np.array([FORMAL[s.specie.symbol] for s in cell])
    tensors = per_site[:, None, None] * np.eye(3)
    np.save(tmp_path / "n.npy", per_site)
    np.save(tmp_path / "t.npy", tensors)
    (tmp_path / "l.json").write_text(json.dumps(per_site.tolist()))
    document = Polarisation(name="Born", structure=cell, born_charges_e=tensors.tolist(), provenance=SOURCE)
    (tmp_path / "p.json").write_text(document.model_dump_json())
    for name in ("n.npy", "t.npy", "l.json", "p.json"):
        assert np.array(read_site_charges(tmp_path / name).by_site_e) == pytest.approx(tensors)
    (tmp_path / "e.json").write_text(json.dumps(FORMAL))
    read_site_charges(tmp_path / "e.json").check(cell, 55)
    (tmp_path / "few.json").write_text('{"Co": 2, "O": -2}')
    with pytest.raises(ValueError, match="no charge for Fe"):
        read_site_charges(tmp_path / "few.json").check(cell, 55)
    np.save(tmp_path / "short.npy", per_site[:7])
    with pytest.raises(ValueError, match="has 7 charges; the ordered cell has 56 sites"):
        read_site_charges(tmp_path / "short.npy").check(cell, 447)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"Co": "much"}', "Co"),
        ("b.json", "[[1, 2], [3, 4]]", "has shape"),
        ("c.json", '{"@module": "os", "@class": "system"}', "no known kind of result"),
        ("d.json", "[1, NaN]", "not finite"),
        ("e.txt", "1 2 3", "neither .json nor .npy"),
        ("f.npy", "no array", "f.npy"),
        ("g.json", "{}", "is empty"),
    ],
)
def test_bad_files_of_charges_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_site_charges(tmp_path / name)


def test_pickled_array_is_not_opened(tmp_path):
    np.save(tmp_path / "p.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"p\.npy|allow_pickle"):
        read_site_charges(tmp_path / "p.npy")


def test_forces_of_tensor_charges_are_the_derivative_of_the_energy():
    rng = np.random.default_rng(1)
    atoms = bulk("Cu", cubic=True).repeat((2, 1, 1))
    z = rng.normal(size=(len(atoms), 3, 3))
    z -= z.mean(axis=0)
    reference = atoms.positions.copy()
    atoms.rattle(0.05, seed=2)
    atoms.calc = UniformFieldCalculator(EMT(), [0.01, -0.02, 0.03], z, reference)
    forces, h = atoms.get_forces(), 1e-4
    for ion, axis in ((0, 0), (3, 1), (7, 2)):
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.calc = UniformFieldCalculator(EMT(), [0.01, -0.02, 0.03], z, reference)
            moved.positions[ion, axis] += sign * h
            ends.append(moved.get_potential_energy())
        assert forces[ion, axis] == pytest.approx((ends[1] - ends[0]) / (2 * h), abs=1e-6)
    with pytest.raises(ValueError, match="add up to"):
        UniformFieldCalculator(EMT(), [0, 0, 1], z + np.eye(3), reference)


def test_directions_and_magnitudes():
    request = FieldRequest(magnitudes_V_per_m=[1e8, -5e8], statements=["4 V over 60 nm along [0 0 1]", "1 MV/cm"])
    found = {along.words: sizes for along, sizes in request.by_direction([7.0]).items()}
    assert found["hop"] == [-0.05, -0.01, 0.0, 0.01, 0.05]
    assert found["[0 0 1]"] == pytest.approx([-4 / 600, 0.0, 4 / 600])
    hop, diagonal = Direction.from_text("hop"), Direction.from_text("[1 1 0]")
    assert FieldRequest().by_direction([0.0, 0.01]) == {hop: [-0.01, 0.0, 0.01]}
    assert FieldRequest(along="[1 1 0]").by_direction([0.02]) == {diagonal: [-0.02, 0.0, 0.02]}
    ((along, sizes),) = FieldRequest(statements=["0, 3e7, 4e7 V/m"]).by_direction([]).items()
    assert sizes == pytest.approx([-0.005, 0.0, 0.005])
    assert along.words == "0, 0.6, 0.8"
    assert along.unit() == pytest.approx([0, 0.6, 0.8])


@pytest.mark.parametrize("size", [0.0, float("nan"), float("inf"), 1e300, 6e11])
def test_no_field_is_larger_than_that_inside_an_atom(size):
    # CODATA 2018: the atomic unit of the electric field.
    assert pytest.approx(5.14220674763e11, rel=1e-8) == LARGEST_V_PER_A * 1e10
    with pytest.raises(ValueError, match=r"is no magnitude; .* at most 5\.14e\+11"):
        FieldRequest(magnitudes_V_per_m=(1e8, size)).by_direction(())
    with pytest.raises(ValueError, match=r"breakdown field .* must be positive, and at most 5\.14e\+11"):
        FieldRequest(breakdown_V_per_m=size).limit_V_per_A(1.0, None)


def test_vector_that_is_stated_keeps_its_digits():
    size, along = read_field("1, 2, 3 V/m")
    assert size * along.unit() == pytest.approx(1e-10 * np.array([1.0, 2.0, 3.0]), rel=1e-14, abs=0)
    assert field_from_text("-2 V/nm along -hop", hop_A=[0, 0, 3.0]) == pytest.approx([0, 0, 0.2])


def test_exchange_holds_only_where_the_operation_turns_the_field_over(hop):
    mirror = np.eye(3) - 2 * np.outer(hop.displacement_A, hop.displacement_A) / hop.distance_A**2
    exchanged = type(hop).from_dict(hop.as_dict() | {"relation_matrices": [mirror.tolist()]})
    along = field_direction.original(exchanged, "hop", hop.initial)
    assert along["exchanged"]
    assert along["unit"] == pytest.approx(np.array(hop.displacement_A) / hop.distance_A)
    across = np.cross(hop.displacement_A, [1.0, 0.0, 0.0])
    assert not field_direction.original(exchanged, ", ".join(map(str, across)), hop.initial)["exchanged"]
    assert not field_direction.original(hop, "hop", hop.initial)["exchanged"]


@pytest.mark.parametrize("repeats", [(1, 1, 1), (1, 1, 2), (3, 1, 1)])
def test_crystal_direction_is_one_of_the_ordered_cell_whatever_the_repeats(repeats):
    host = get_host("cofe2o4")
    cell = host.structure()
    cell.scale_lattice(1.05 * cell.volume)
    wide = shortest_hop(cell, repeats, host.hops[0])
    for along, expected in (("[1 1 1]", [1, 1, 1]), ("[1 0 -2]", [1, 0, -2])):
        unit = field_direction.original(wide, along, cell)["unit"]
        assert unit == pytest.approx(np.array(expected) / np.linalg.norm(expected), abs=1e-12)


@dataclass
class Fieldless:
    name = "fieldless"
    with_field = Engine.with_field


def test_migration_in_python_takes_the_same_request():
    cell = get_engine("local").relax(get_host("cofe2o4").structure(), name="bulk", cell=True)
    request = FieldRequest(magnitudes_V_per_m=[1e8], statements=["1e8 V/m along [0 0 1]"], relaxed=True)
    flow = MigrationMaker(engine=get_engine("local"), repeats=(1, 1, 1), fields=request).make(cell.output, "cofe2o4")
    names = [j.name for j, _ in flow.iterflow()]
    # Two directions, two signs; at zero field the band itself is the relaxed one.
    assert names.count("band in field") == 4
    assert names.count("collect field") == names.count("field direction") == 2
    assert len(flow.output["fields"]) == 2
    with pytest.raises(CannotDoError, match=r"relaxes no band in a field; leave out --relax-in-field"):
        request.checked(Fieldless(), get_host("cofe2o4").structure(), 1.5, [], (1, 1, 1))


def test_what_is_submitted_has_the_fields_too():
    options = StudyOptions(fields=FieldOptions(sizes_V_per_m="1e8,2e8", relaxed=True))
    flow = build_flow("cofe2o4", "local", quick=True, stages=["migration"], options=options)
    jobs = [j for j, _ in flow.iterflow()]
    assert [j.name for j in jobs].count("band in field") == 4
    # On a cluster these are bands of the engine, not small jobs that collect.
    assert {kind_in(j.metadata) for j in jobs if j.name == "band in field"} == {"neb"}
    assert {kind_in(j.metadata) for j in jobs if j.name in ("field direction", "collect field")} == {"local"}


@pytest.mark.parametrize("command", ["run", "hops"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--field-V-per-m", "1e10"], "beyond the breakdown field of 1.79e+09"),
        (["--field-V-per-m", "1e8", "--breakdown-V-per-m", "5e7"], "beyond the breakdown field of 5e+07"),
        (["--field-V-per-m", "strong"], "no list of numbers"),
        (["--field-V-per-m", "0"], "no magnitude"),
        (["--field-along", "up"], "no readable number"),
        (["--field", "4 V along hop"], "a voltage needs 'over'"),
        (["--born-charges", "nowhere.json"], "no file nowhere.json"),
        (["--band-start", "no_such"], "unknown engine"),
    ],
)
def test_bad_fields_are_refused_before_anything_is_written(tmp_path, command, arguments, message):
    folder = tmp_path / "out"
    done = CliRunner().invoke(app, [command, "cofe2o4", "--quick", *arguments, "--output", str(folder)])
    assert done.exit_code != 0
    assert message in " ".join((done.output + str(done.exception)).split())
    assert not folder.exists()


def test_vibrating_ions_on_the_command_line(tmp_path):
    study = MagnetoionicStudyMaker.quick(get_engine("local"))
    radii = {
        said: StudyOptions(of_stages={"vibrating_A": said}).applied(study).vibrating_radius_A for said in ("all", "4.5")
    }
    assert radii == {"all": None, "4.5": 4.5}
    assert StudyOptions().applied(study).vibrating_radius_A == study.vibrating_radius_A
    done = CliRunner().invoke(app, ["run", "cofe2o4", "--vibrating-A", "-2", "--output", str(tmp_path / "x")])
    assert "neither a radius in Angstrom" in " ".join((done.output + str(done.exception)).split())
    assert not (tmp_path / "x").exists()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    (folder / "z.json").write_text(json.dumps(FORMAL))
    arguments = ["--stages", "migration,vibrations", "--field-V-per-m", "2e8", "--relax-in-field"]
    arguments += ["--born-charges", str(folder / "z.json"), "--output", str(folder / "s")]
    done = CliRunner().invoke(app, ["run", "cofe2o4", "--quick", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder / "s"


def test_study_with_a_band_relaxed_in_the_field(study):
    found = Study.model_validate_json((study / "results.json").read_text())
    (migration,) = found.migration
    (fields,) = migration.field_studies
    assert [round(p.field_V_per_m) for p in fields.of_treatment(RELAXED)] == [-2e8, 0, 2e8]
    low, zero, high = fields.of_treatment(RELAXED)
    path = fields.of_treatment(PATH)
    assert zero.forward_eV == pytest.approx(migration.forward_eV, abs=1e-12)
    # First order in the field is the dipole's; what relaxation adds is second order and small.
    for point, other in zip((low, high), (path[0], path[2]), strict=True):
        assert point.forward_eV == pytest.approx(other.forward_eV, abs=3e-3)
        assert point.forward_eV != other.forward_eV
    assert (high.delta_eV - low.delta_eV) / 0.04 == pytest.approx(zero.slope_delta_e_A, rel=5e-3)
    assert fields.largest_residual_eV(PATH) < 1e-12
    assert fields.largest_residual_eV(LINEAR) < 1e-12
    assert fields.largest_residual_eV(RELAXED) < 1e-3
    # The computed prefactors are in the rates, both ways.
    assert fields.attempt_source == "Vineyard"
    ratio = zero.forward_per_s / zero.backward_per_s
    # Those of quantum oscillators, as every rate of a hop whose modes are known.
    forward_Hz, backward_Hz = found.vibrations.attempts_Hz(300.0)
    prefactors = forward_Hz / backward_Hz
    assert prefactors != pytest.approx(found.vibrations.forward_Hz / found.vibrations.backward_Hz, rel=0.01)
    assert ratio == pytest.approx(prefactors * np.exp(-zero.delta_eV / (8.617333262e-5 * 300)), rel=1e-6)
    # Formal charges by element from the file are the local engine's own.
    assert "charges of z.json" in fields.dipole_source
    assert [f.forward_eV for f in migration.field] == pytest.approx([p.forward_eV for p in path], abs=1e-12)
    assert len(found.to_dataframe("field_treatments")) == 9
    assert "band relaxed in the field" in (study / "report.html").read_text()
