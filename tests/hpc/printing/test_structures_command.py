"""`magnetoionics structures`: every vacancy and hop in tables that add up, and cells that come back from disk."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import yaml
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.printing.structures import headline
from magnetoionics.structures.cells.binary_oxides import wurtzite
from magnetoionics.structures.cells.film_cells import Film
from magnetoionics.structures.defects.collinear_pairs import count_in_line
from magnetoionics.structures.defects.inventory import take_inventory
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.host import HopKind, get_host
from magnetoionics.structures.io.files import read_structure
from magnetoionics.structures.spins import total_moment
from magnetoionics.structures.symmetry import space_group_symbol
from pymatgen.core import Structure


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_tables_and_cells_of_the_twofold_order(tmp_path, capsys):
    out = tmp_path / "cells"
    words = ["structures", "cofe2o4", "--order", "P4_122", "--output", str(out), "--field", "0,0,1"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "order P4_122" in printed
    vacancies, hops = rows(out / "vacancies.csv"), rows(out / "hops.csv")
    assert sum(int(v["sites"]) for v in vacancies) == 56
    assert {v["vacancy"]: v["relation of the pair"] for v in vacancies}["V_Fe(B)"] == "1 x twofold axis"
    assert [int(h["ways"]) for h in hops] == [2, 2]
    host = get_host("cofe2o4")
    cell = host.structure("P4_122")
    for vacancy in vacancies:
        for ending in (".vasp", ".cif", ".extxyz"):
            again = read_structure(out / "vacancies" / f"{vacancy['vacancy'].replace(',', '-')}{ending}")
            assert len(again) == 55
    missing_iron = read_structure(out / "vacancies" / "V_Fe(B).vasp")
    assert total_moment(missing_iron) == pytest.approx(total_moment(cell) - 5)
    assert (out / "vacancies" / "V_Fe(B).magmom").read_text().startswith("MAGMOM = ")
    for hop in hops:
        assert abs(float(hop["length (A)"]) - 8.392 * np.sqrt(2) / 4) < 2e-3
        assert 0 <= float(hop["angle to field (deg)"]) <= 180
    for folder in (out / "hops").iterdir():
        first, last = (read_structure(folder / f"{end}.extxyz") for end in ("initial", "final"))
        moved = np.linalg.norm(first.cart_coords - last.cart_coords, axis=1)
        assert np.count_nonzero(moved > 0.01) == 1


def test_inserted_lithium(tmp_path):
    """16c splits into 4a and 12d of P4_332: 48 neighbour pairs in two kinds of hops, and one that pushes Li on."""
    out = tmp_path / "cells"
    assert main(["structures", "life5o8", "--insert", "Li+", "--output", str(out)]) == 0
    assert sum(int(v["places"]) for v in rows(out / "interstitial_sites.csv")) == 72
    insertions = rows(out / "insertions.csv")
    assert sum(int(h["ways"]) for h in insertions if "pushing" not in h["hop"]) == 48
    assert [h["ways"] for h in insertions if "pushing" in h["hop"]] == ["4"]
    for folder in (out / "insertions").iterdir():
        state = read_structure(folder / "initial.cif")
        assert state.composition["Li"] == 5
        assert sum(state.site_properties["valence"]) == pytest.approx(1)


def test_inventory_is_built_in_cells_of_the_wanted_size():
    found = take_inventory(get_host("cofe2o4"), image_distance_A=12.0)
    assert found.repeats == (2, 2, 2)
    assert sum(v.multiplicity for v in found.vacancies) == 56
    assert {len(h.initial) for h in found.hops} == {447}
    assert [h.multiplicity for h in found.hops] == [4]


@pytest.mark.parametrize(("key", "order"), [("cofe2o4", "normal"), ("life5o8", None)])
def test_every_site_belongs_to_one_vacancy(key, order):
    found = take_inventory(get_host(key), order)
    assert sum(v.multiplicity for v in found.vacancies) == len(found.cell)
    names = [name for name, _ in found.structures()]
    assert len(set(names)) == len(names)


def test_cobalt_beside_a_zinc_vacancy_is_counted():
    """Two Co, each with twelve cation neighbours at 3.21 and 3.25 A, that are neighbours of each other: 22 on Zn."""
    cell = get_host("zn095co005o").structure("near")
    assert sum(v.multiplicity * v.near_cations.get("Co", 0) for v in distinct_vacancies(cell, "Zn", "T")) == 22


def test_an_anion_is_in_no_pair_of_a_cation_vacancy():
    """Oxygen moves in zinc oxide: it has pairs where oxygen is missing, and none where zinc is."""
    zinc_oxide = wurtzite("Zn", 3.2495, 5.2069, 0.382)
    labels = ["O" if s.specie.symbol == "O" else "T" for s in zinc_oxide]
    zinc_oxide.add_site_property("sublattice", labels)
    zinc_oxide.add_site_property("valence", [-2.0 if label == "O" else 2.0 for label in labels])
    found = take_inventory(replace(get_host("zn095co005o"), build_cell=lambda order: zinc_oxide))
    in_line = {v.label: pairs for v, pairs in zip(found.vacancies, found.collinear_pairs, strict=True)}
    assert in_line["V_Zn(T)"] == []
    assert {p.ion for p in in_line["V_O"]} == {"O"}


def test_pairs_are_those_of_every_mover():
    """Six Fe(12d) around a Li vacancy: three lines, each turned over by a twofold axis of its site, 32."""
    found = take_inventory(get_host("life5o8"))
    in_line = {v.label: pairs for v, pairs in zip(found.vacancies, found.collinear_pairs, strict=True)}
    assert [(p.ion, p.multiplicity, p.relation) for p in in_line["V_Li(B)"]] == [("Fe", 3, "twofold axis")]
    assert in_line["V_Fe(B)"] == []


def test_hops_that_an_order_lacks_are_named(capsys):
    """The normal order has no Co on B."""
    assert main(["structures", "cofe2o4", "--order", "normal"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "not possible: Co(B) into V_Fe(B): no Co(B) within 3.3 A" in printed


def test_a_user_host_is_listed_like_a_built_in_one(tmp_path, capsys):
    cell = get_host("cofe2o4").structure("Imma")
    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    (tmp_path / "Mine.cif").write_text(str(bare.to(fmt="cif", significant_figures=12)))
    entries = {
        "formula": "CoFe2O4",
        "structures": {"measured": "Mine.cif"},
        "roles": [
            {"element": "Fe", "coordination": 4, "sublattice": "A", "valence": 3},
            {"element": "Fe", "sublattice": "B", "valence": 3},
            {"element": "Co", "sublattice": "B", "valence": 2},
            {"element": "O", "sublattice": "O", "valence": -2},
        ],
        "spin_sense": {"A": -1, "B": 1},
        "moment_per_formula_muB": 3.0,
        "anions_per_formula": 4,
        "vacancies": [["Fe", "A"], ["Fe", "B"], ["Co", "B"], ["O", "O"]],
        "hops": [
            {"ion": "Co", "from_sublattice": "B", "vacancy_element": "Fe", "vacancy_sublattice": "B", "cutoff_A": 3.3}
        ],
        "gap_eV": 1.5,
        "references": [],
    }
    path = tmp_path / "Mine.yaml"
    path.write_text(yaml.safe_dump(entries))
    assert main(["structures", str(path), "--output", str(tmp_path / "mine")]) == 0
    assert main(["structures", "cofe2o4", "--output", str(tmp_path / "built-in")]) == 0
    capsys.readouterr()
    for table in ("vacancies.csv", "hops.csv"):
        ours, theirs = (rows(tmp_path / folder / table) for folder in ("mine", "built-in"))
        for row in (*ours, *theirs):
            # Which of the equivalent hops stands for all is free.
            row.pop("displacement (A)", None)
        assert ours == theirs


def test_a_strained_film_has_the_symmetry_that_its_plane_leaves(tmp_path, capsys):
    """(001) makes Fd-3m tetragonal, I4_1/amd: six B-B hops become two in the plane, shorter, and four out of it."""
    host = get_host("nife2o4")
    into_b = HopKind("Fe", "B", "Fe", "B", cutoff_A=3.3)
    film = Film.from_entries({"plane": [0, 0, 1], "substrate": "SrTiO3"})
    found = take_inventory(replace(host, hops=(into_b,)), "normal", 7.0, film=film)
    assert space_group_symbol(found.cell) == "I4_1/amd"
    assert [v.multiplicity for v in found.vacancies] == [16, 32, 8]
    assert {h.multiplicity: h.distance_A for h in found.hops} == {
        2: pytest.approx(2 * 3.905 * np.sqrt(2) / 4, abs=1e-6),
        4: pytest.approx(np.hypot(2 * 3.905, found.cell.lattice.c) / 4, abs=1e-6),
    }
    # Strain brings A within 3.3 A of B; it is no neighbour in line for all that.
    nickel = distinct_vacancies(found.cell, "Fe", "B")[0]
    assert min(d for d in found.cell.distance_matrix[nickel.index] if d > 3.0) < 3.3
    assert count_in_line(found.cell, nickel.index, "Ni") == 0


def test_film_slabs_and_the_angle_of_its_field(tmp_path):
    out = tmp_path / "cells"
    film = "plane: [0, 0, 1], substrate: MgO, miscut_deg: 10, towards: [1, 1, 0], slab_A: 7, top: FeO2"
    assert main(["structures", "cofe2o4", "--order", "normal", "--film", film, "--output", str(out)]) == 0
    (slab,) = rows(out / "slabs.csv")
    assert slab["terminations"].startswith("top FeO2")
    assert np.allclose(read_structure(out / "slabs" / "01.vasp").lattice.abc[:2], 2 * 4.212)
    mirrored = "plane: [0, 0, 1], strain: 0.01, miscut_deg: 10, towards: [1, 1, 0]"
    assert main(["structures", "cofe2o4", "--film", mirrored, "--output", str(tmp_path / "tilted")]) == 0
    (hop, *_) = rows(tmp_path / "tilted" / "hops.csv")
    displacement = np.array([float(x) for x in hop["displacement (A)"].split()])
    normal = np.array([np.sin(np.radians(10)) / np.sqrt(2)] * 2 + [np.cos(np.radians(10))])
    angle = np.degrees(np.arccos(displacement @ normal / np.linalg.norm(displacement)))
    assert float(hop["angle to field (deg)"]) == pytest.approx(angle, abs=0.1)


def test_complexes_and_charges(tmp_path):
    """Six O around each of eight Fe(B) are the 48 nearest pairs; moments are Neel's."""
    out = tmp_path / "cells"
    words = ["structures", "cofe2o4", "--charges", "--output", str(out)]
    assert main([*words, "--complex", "V_Fe(B)+V_O within 2.5", "--complex", "V_Fe(B)+Co_Fe(A) within 3.9"]) == 0
    pairs = rows(out / "complexes.csv")
    assert [int(c["places"]) for c in pairs if c["complex"] == "V_Fe(B)+V_O"] == [32, 16]
    assert {c["complex"]: c["charge if ionised (e)"] for c in pairs} == {"V_Fe(B)+V_O": "-1", "V_Fe(B)+Co_Fe(A)": "-4"}
    antisite = read_structure(next((out / "complexes").glob("*Co_Fe(A).extxyz")))
    assert antisite.composition.as_dict() == {"Co": 9, "Fe": 14, "O": 32}
    # 24 muB less the 5 up that left; on A a 3d7 ion with 3 down in place of 3d5 with 5 down.
    assert total_moment(antisite) == pytest.approx(24 - 5 + 5 - 3)
    charges = rows(out / "charges.csv")
    ours = {(c["charge (e)"], c["made up for by"]): c["total moment (muB)"] for c in charges if "Fe(B)" in c["vacancy"]}
    assert (ours["-3", "none"], ours["0", "3 Co3+(B) low spin"], ours["0", "3 Fe4+(B)"]) == ("19", "10", "16")
    low_spin = read_structure(out / "charges" / "V_Fe(B)" / "+0-3-Co3+(B)-low-spin.vasp")
    assert total_moment(low_spin) == pytest.approx(10)
    assert sum(low_spin.site_properties["valence"]) == pytest.approx(0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["unobtainium"], "known hosts"),
        (["cofe2o4", "--order", "Pnma"], "known: Imma"),
        (["cofe2o4", "--insert", "Li"], "Li+ or Mg2+"),
        (["cofe2o4", "--insert", "xyz"], "Li+ or Mg2+"),
        (["cofe2o4", "--field", "up"], "three numbers"),
        (["cofe2o4", "--field", "0,0,0"], "points nowhere"),
        (["cofe2o4", "--image-distance", "-1"], "must be positive"),
        (["cofe2o4", "--complex", "V_Fe(B)"], "2 or 3 members"),
        (["cofe2o4", "--complex", "Fe(B)+V_O"], "is no point defect"),
        (["cofe2o4", "--complex", "V_Fe(C)+V_O"], "no Fe on sublattice C"),
        (["cofe2o4", "--complex", "V_Fe(B)+Mn_Fe(A)"], "write it, e.g. Mn2+_Fe"),
        (["cofe2o4", "--complex", "V_Fe(B)+V_O within 9"], "larger image distance"),
        (["cofe2o4", "--complex", "V_Fe(B)+V_O within reach"], "distance in Angstrom"),
        (["cofe2o4", "--film", "substrate: MgO"], "plane: [h, k, l]"),
        (["cofe2o4", "--film", "plane: [0, 0, 0], strain: 0.01"], "no plane"),
        (["cofe2o4", "--film", "plane: 001"], "three whole numbers"),
        (["cofe2o4", "--film", "plane: [0, 0, 1], substrate: glass"], "SrTiO3, SrRuO3, MgO"),
        (["cofe2o4", "--film", "plane: [0, 0, 1], strain: 0.5"], "not coherent"),
        (["cofe2o4", "--film", "plane: [0, 0, 1], miscut_deg: 5"], "needs its direction"),
        (["cofe2o4", "--film", "plane: [0, 0, 1], slab_A: 7, top: MgO"], "known: CoO2, Fe, FeO2"),
        (["zn095co005o", "--film", "plane: [0, 0, 1], substrate: MgO"], "give the strain instead"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(words, said, tmp_path, capsys):
    out = tmp_path / "cells"
    assert main(["structures", *words, "--output", str(out)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_full_folder_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["structures", "cofe2o4", "--output", str(tmp_path)]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_moments_that_cancel_are_zero_in_the_headline():
    """0.1 + 0.2 - 0.3 is 6e-17 for a computer."""
    found = take_inventory(get_host("nio"))
    cell = found.cell.copy()
    cell.add_site_property("magmom", [0.1, 0.2, -0.3] + [0.0] * (len(cell) - 3))
    assert get_host("nio").moment_per_formula(cell) != 0
    assert ", 0 muB per formula unit" in headline(replace(found, cell=cell))
