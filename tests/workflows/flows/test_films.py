"""Hosts with layers: a film of nickel on copper by ASE's EMT, and what a film cannot have."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import fcc100
from ase.calculators.emt import EMT
from ase.io import write
from ase.optimize import BFGS
from magnetoionics.analysis.kinetics.applied_field import Direction, field_from_text
from magnetoionics.hpc.study_options import StudyOptions
from magnetoionics.structures.host import get_host, portable_host
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.layers import Layer, check_layers, layer_places, repeats_in_plane, vacuum_A
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from undrawn_studies import run

A_A = 3.55
EMT_OF_ASE = "ase.calculators.emt:EMT"
LAYERS = [
    {"name": "back", "role": "electrode", "sublattices": ["copper"]},
    {"name": "nickel", "role": "film", "sublattices": ["inner", "top"]},
]
ENTRIES = {
    "formula": "CuNi2",
    "structures": {"pseudomorphic": "film.vasp"},
    "roles": [
        {"element": "Cu", "sublattice": "copper", "valence": 0},
        {"element": "Ni", "indices": [2], "sublattice": "top", "valence": 0, "spin": 0.6},
        {"element": "Ni", "sublattice": "inner", "valence": 0, "spin": 0.6},
    ],
    "spin_sense": {"inner": 1, "top": 1},
    "moment_per_formula_muB": 1.2,
    "anion": "Cu",
    "anions_per_formula": 1,
    "vacancies": [["Ni", "top"], ["Ni", "inner"]],
    "hops": [
        {"ion": "Ni", "from_sublattice": "inner", "vacancy_element": "Ni", "vacancy_sublattice": "top", "cutoff_A": 3.0}
    ],
    "gap_eV": 0,
    "layers": LAYERS,
}


def slab(across: int = 1) -> Atoms:
    """One plane of copper under two of nickel, with 12 A of vacuum."""
    made = fcc100("Cu", (across, across, 3), a=A_A)
    made.set_tags(None)
    made.symbols[made.positions[:, 2] > 0.1] = "Ni"
    made.center(vacuum=6.0, axis=2)
    made.pbc = True
    return made


@pytest.fixture(scope="module")
def host_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    write(folder / "film.vasp", slab(), direct=True, sort=False)
    (folder / "ni_on_cu.yaml").write_text(yaml.safe_dump(ENTRIES))
    return folder / "ni_on_cu.yaml"


@pytest.fixture(scope="module")
def study(host_file):
    engine = get_engine("ase", calculator=EMT_OF_ASE)
    return run(host_file, engine=engine, quick=True, output=host_file.parent / "study", quiet=True)


def relaxed_eV(atoms: Atoms) -> float:
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.01, steps=300)
    return float(atoms.get_potential_energy())


def test_vacancies_of_layers_are_those_of_a_plain_slab_calculation(study):
    """ASE alone: its slab, its EMT, its BFGS; the study's supercell is 3x3x1 and its cell is held too."""
    assert study.engine.supercell_repeats == [3, 3, 1]
    whole = slab(3)
    bare_eV = relaxed_eV(whole)
    found = {v.label: v.energy_minus_host_eV for v in study.vacancies}
    for label, height in (("V_Ni(top)", -1), ("V_Ni(inner)", len(whole) // 2)):
        left = whole.copy()
        del left[np.argsort(whole.positions[:, 2])[height]]
        assert found[label] == pytest.approx(relaxed_eV(left) - bare_eV, abs=2e-3)
    # Fewer bonds are broken at the surface.
    assert found["V_Ni(top)"] < found["V_Ni(inner)"] - 0.5


def test_hop_into_the_top_layer_ends_with_its_two_states(study):
    (hop,) = study.migration
    assert hop.why_no_result == []
    up = {v.label: v.energy_minus_host_eV for v in study.vacancies}
    # The vacancy goes down into the film: the reaction energy is that of the two vacancies.
    assert hop.forward_eV - hop.backward_eV == pytest.approx(up["V_Ni(inner)"] - up["V_Ni(top)"], abs=5e-3)
    assert hop.field == [] or {f.field_V_per_m for f in hop.field} == {0.0}


def test_a_film_keeps_its_cell_and_says_where_its_layers_are(study, host_file):
    start = get_host(host_file).structure()
    assert study.host.structure.lattice == start.lattice
    assert [(x.name, x.role, x.composition) for x in study.host.layers] == [
        ("back", "electrode", "Cu1"),
        ("nickel", "film", "Ni2"),
    ]
    planes = np.sort(study.host.structure.cart_coords[:, 2])
    assert [x.high_A - x.low_A for x in study.host.layers] == pytest.approx([0.0, planes[2] - planes[1]])
    assert study.host.vacuum_A == pytest.approx(start.lattice.c - (planes[2] - planes[0]))
    report = (host_file.parent / "study" / "report.html").read_text()
    assert "Layers of the film" in report
    assert "phases of the bulk bound no potential of it" in report


def test_what_means_nothing_for_a_film_is_left_out_with_its_reason(study):
    reasons = {s.stage: s.reason for s in study.stages}
    for stage in ("competing phases", "chemical potentials", "transport"):
        assert reasons[stage].startswith("ni_on_cu is a film: ")
    assert study.competing_phases is None


def test_asked_for_it_is_refused(host_file):
    maker = MagnetoionicStudyMaker.quick(get_engine("ase", calculator=EMT_OF_ASE), ["transport", "migration"])
    maker = replace(maker, repeats=(3, 3, 1))
    with pytest.raises(ValueError, match="is a film: its hops are not repeated in three directions"):
        maker.plan(host_file)


def test_repeats_lie_in_the_plane(host_file):
    assert StudyOptions(image_distance_A=12.0).repeats(host_file, None, True) == (5, 5, 1)
    assert StudyOptions().repeats(host_file, None, False) == (4, 4, 1)
    assert repeats_in_plane(get_host(host_file).structure(), 7.4) == (3, 3, 1)


def test_normal_is_across_the_plane_whatever_the_third_axis(host_file):
    cell = get_host(host_file).structure()
    tilted = cell.lattice.matrix.copy()
    tilted[2] += tilted[0]
    leaning = type(cell.lattice)(tilted)
    assert Direction.from_text("normal").unit(leaning) == pytest.approx([0, 0, 1])
    assert field_from_text("4 V over 60 nm along -normal", lattice=leaning) == pytest.approx([0, 0, -4 / 600])
    with pytest.raises(ValueError, match="no lattice was given"):
        Direction.from_text("normal").unit()


def test_layers_travel_with_the_host_and_a_crystal_keeps_its_content(host_file):
    host = get_host(host_file)
    assert get_host(portable_host(replace(host))).layers == host.layers
    crystal = portable_host(replace(get_host("coo")))
    assert "layers" not in json.dumps(crystal.as_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": [{**LAYERS[0], "role": "gate"}, LAYERS[1]]}, "no role 'gate' of layer back; a layer is one of sub"),
        ({"layers": [LAYERS[0]]}, "sublattices inner, top are in the cell or in the layers, and not in both"),
        ({"layers": LAYERS[::-1]}, "layer back .* does not stand above nickel"),
        ({"layers": [LAYERS[0], {**LAYERS[1], "sublattices": ["inner", "top", "copper"]}]}, "copper: a layer has"),
        ({"layers": [{"name": "back"}]}, "must hold name, role, sublattices"),
        ({"cubic_parent": True}, "has layers, so its parent is not cubic"),
    ],
)
def test_layers_that_cannot_be_are_refused(host_file, change, message):
    wrong = host_file.with_name("wrong.yaml")
    wrong.write_text(yaml.safe_dump({**ENTRIES, **change}))
    with pytest.raises(HostFileError, match=message):
        get_host(wrong)


def test_heights_do_not_depend_on_the_image_of_an_atom(host_file):
    cell, layers = get_host(host_file).structure(), get_host(host_file).layers
    moved = cell.copy()
    moved.translate_sites([0], [0, 0, 1], to_unit_cell=False)
    assert layer_places(moved, layers) == layer_places(cell, layers)
    assert vacuum_A(moved) == pytest.approx(12.0)
    check_layers([Layer("all", "film", ("copper", "inner", "top"))], cell)
