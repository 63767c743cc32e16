"""Hosts drafted from structures alone: valences, sublattices and spins as chemists write them, hops that are there."""

from pathlib import Path

import pytest
import yaml
from magnetoionics.hpc.cli import main
from magnetoionics.structures.competing_phases import competing_phase
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.files import drafted_reference, write_host_file
from magnetoionics.structures.drafting.text import draft_text
from magnetoionics.structures.drafting.valences import _is_ionic
from magnetoionics.structures.host import UnknownHostError, get_host
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.similar import did_you_mean
from pymatgen.core import Lattice, Structure


def bare(cell):
    return Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)


def roles(cell, name="cell.cif"):
    return {(r["element"], r["sublattice"]): r for r in draft_host(cell, name).entries["roles"]}


def group(symbol, lattice, species, coords):
    return Structure.from_spacegroup(symbol, lattice, species, coords)


@pytest.mark.parametrize(
    ("key", "order", "moment"),
    [("cofe2o4", "Imma", 3.0), ("cofe2o4", "normal", 7.0), ("life5o8", None, 5.0), ("gamma_fe2o3", None, 2.5)],
)
def test_spinels_are_what_their_own_files_say(key, order, moment):
    """Valence, sublattice and spin of every site as the built-in host has them."""
    host = get_host(key)
    cell = host.structure(order)
    made = draft_host(bare(cell), "x.cif")
    assert made.entries["moment_per_formula_muB"] == pytest.approx(moment)
    assert made.entries["spin_sense"] == {"A": -1, "B": 1}
    of = {(r["element"], r["sublattice"]): r["valence"] for r in made.entries["roles"]}
    assert of == {(s.specie.symbol, s.properties["sublattice"]): s.properties["valence"] for s in cell}
    assert {tuple(v) for v in made.entries["vacancies"]} == set(of)


def test_coordination_tells_mixed_valence_apart():
    """Co3O4 has longer bonds in its tetrahedra than magnetite: A 2+, B 3+ of low spin; A is antiferromagnetic."""
    host = get_host("co3o4")
    cobalt = bare(host.structure("normal"))
    found = roles(cobalt)
    assert (found["Co", "A"]["valence"], found["Co", "B"]["valence"]) == (2.0, 3.0)
    assert found["Co", "B"]["spin"] == "low"
    assert abs(found["Co", "A"]["spin"]) == 3.0
    drafted = draft_host(cobalt, "x.cif").entries["moment_per_formula_muB"]
    assert drafted == pytest.approx(host.moment_per_formula_muB) == pytest.approx(0.0)


def test_equal_sites_keep_a_mean_valence():
    """Mn of La2SrMn3O9 has equal bonds in all layers: 3.33, not 3 and 4."""
    cell = group("Pm-3m", Lattice.cubic(3.87), ["La", "Mn", "O"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]])
    cell.make_supercell((1, 1, 3))
    cell.replace(next(i for i, s in enumerate(cell) if s.specie.symbol == "La"), "Sr")
    made = draft_host(cell, "lsmo.vasp")
    found = {r["element"]: r for r in made.entries["roles"]}
    assert found["Mn"]["valence"] == pytest.approx(10 / 3, abs=1e-3)
    assert found["Mn"]["spin"] == pytest.approx(11 / 3, abs=1e-3)
    assert {found[el]["sublattice"] for el in ("La", "Sr")} == {"A"}
    assert "mixed valence: Mn 3.33+" in made.reasons["roles"]
    assert made.entries["gap_eV"] == 0.0


def test_a_mean_valence_of_low_spin_ions_is_low_spin():
    """Na0.8CoO2: Co3+ without and Co4+ with one unpaired electron, 0.2 on the mean; manganese keeps Hund's rule."""
    cell = group("R-3m", Lattice.hexagonal(2.83, 15.6), ["Na", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.271]])
    cell.make_supercell((5, 1, 1))
    sodium = [i for i, site in enumerate(cell) if site.specie.symbol == "Na"]
    cell.remove_sites(sodium[::5])
    found = {r["element"]: r for r in draft_host(cell, "x.cif").entries["roles"]}
    assert found["Co"]["valence"] == pytest.approx(3.2)
    assert found["Co"]["spin"] == pytest.approx(0.2)


def test_anions_in_pairs_have_one_charge_each():
    """Pyrites and peroxides: Co2+ in CoS2 and Fe2+ in FeS2, whose sulfur is S2 2-, not Co4+; rutile keeps O2-."""
    for metal, edge, x in (("Co", 5.535, 0.389), ("Fe", 5.418, 0.385)):
        cell = group("Pa-3", Lattice.cubic(edge), [metal, "S"], [[0, 0, 0], [x, x, x]])
        made = draft_host(cell, "x.cif")
        of = {r["element"]: r["valence"] for r in made.entries["roles"]}
        assert of == {metal: 2.0, "S": -1.0}
        assert "S bonded to each other" in made.reasons["roles"]
    peroxide = bare(competing_phase("Li2O2").build())
    assert {el: r["valence"] for (el, _), r in roles(peroxide).items()} == {"Li": 1.0, "O": -1.0}
    assert {el: r["valence"] for (el, _), r in roles(bare(get_host("tio2").structure())).items()}["O"] == -2.0


def test_an_antiperovskite_nitride_is_a_metal():
    cell = group("Pm-3m", Lattice.cubic(3.795), ["Fe", "Fe", "N"], [[0, 0, 0], [0.5, 0.5, 0], [0.5] * 3])
    made = draft_host(cell, "fe4n.cif")
    assert made.entries["gap_eV"] == 0.0
    assert made.entries["anion"] == "N"
    assert sorted(r["valence"] for r in made.entries["roles"]) == [-3.0, 0.0, 1.0]
    assert made.entries["moment_per_formula_muB"] == pytest.approx(4 * 2.2)
    assert made.entries["hubbard_U_eV"] == {}


@pytest.mark.parametrize(
    ("cell", "valences", "moment"),
    [
        (
            group("Fm-3m", Lattice.cubic(5.14), ["Eu", "O"], [[0, 0, 0], [0.5] * 3]),
            {"Eu": 2, "O": -2},
            7.0,
        ),
        (
            group("Pm-3m", Lattice.cubic(4.01), ["K", "Ni", "F"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]]),
            {"K": 1, "Ni": 2, "F": -1},
            2.0,
        ),
        (
            group("R-3m", Lattice.hexagonal(2.816, 14.05), ["Li", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]]),
            {"Li": 1, "Co": 3, "O": -2},
            0.0,
        ),
        (
            group("P6_3mc", Lattice.hexagonal(3.97, 6.44), ["Mn", "S"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.375]]),
            {"Mn": 2, "S": -2},
            5.0,
        ),
    ],
)
def test_oxides_fluorides_and_sulphides(cell, valences, moment):
    made = draft_host(cell, "x.cif")
    assert {r["element"]: r["valence"] for r in made.entries["roles"]} == valences
    assert made.entries["moment_per_formula_muB"] == pytest.approx(moment)
    assert made.entries["hops"]
    if "Li" in valences:
        assert made.entries["hops"][0]["ion"] == "Li"


def test_only_metals_of_d_and_f_shells_have_mean_valences():
    """S of a sulphate is 6+ and Mn 2+, although 2.67+ and 7+ would add up as well."""
    assert _is_ionic({"Ca": 2.0, "Mn": 2.0, "S": 6.0, "O": -2.0})
    assert not _is_ionic({"Ca": 2.0, "Mn": 7.0, "S": 8 / 3, "O": -2.0})
    assert _is_ionic({"La": 3.0, "Sr": 2.0, "Mn": 10 / 3, "O": -2.0})
    assert not _is_ionic({"Ni": 4.0, "H": 0.0, "O": -2.0})


def test_an_olivine_is_no_spinel():
    cell = bare(get_host("lifepo4").structure())
    assert {r["sublattice"] for r in draft_host(cell, "x.cif").entries["roles"]} == {"Li", "Fe", "P", "O"}


def test_a_metal_alone_has_neutral_atoms_that_hop():
    """L1_0 FePt: no anion, no field inside, both kinds move; bcc iron alone too."""
    lattice = Lattice.tetragonal(2.73, 3.72)
    made = draft_host(Structure(lattice, ["Fe", "Pt"], [[0, 0, 0], [0.5, 0.5, 0.5]]), "fept.cif")
    assert [(r["element"], r["valence"], r.get("spin")) for r in made.entries["roles"]] == [
        ("Fe", 0.0, 2.2),
        ("Pt", 0.0, None),
    ]
    assert made.entries["gap_eV"] == 0
    assert made.entries["references"] == []
    assert {h["ion"] for h in made.entries["hops"]} == {"Fe", "Pt"}
    assert "counted by it" in made.reasons["anion"]
    for rare_earth, moment in (("Gd", 7), ("Eu", 7), ("Yb", 0)):
        alone = draft_host(group("Im-3m", Lattice.cubic(4.5), [rare_earth], [[0, 0, 0]]), "x.cif")
        assert alone.entries["moment_per_formula_muB"] == moment
    iron = draft_host(group("Im-3m", Lattice.cubic(2.87), ["Fe"], [[0, 0, 0]]), "fe.cif").entries
    assert iron["moment_per_formula_muB"] == 2.2
    assert iron["hops"][0]["cutoff_A"] > 2.87 * 0.75**0.5


@pytest.mark.parametrize(
    ("metal", "a", "u", "moment"), [("Fe", 5.418, 0.385, 0), ("Co", 5.524, 0.389, 1), ("Mn", 6.102, 0.401, 5)]
)
def test_pyrites_are_low_spin_but_for_manganese(metal, a, u, moment):
    """FeS2 has no moment, CoS2 is a ferromagnet of 0.85 muB, MnS2 has S = 5/2 (general literature)."""
    cell = group("Pa-3", Lattice.cubic(a), [metal, "S"], [[0, 0, 0], [u, u, u]])
    assert draft_host(cell, "x.cif").entries["moment_per_formula_muB"] == moment


def test_a_metallic_phosphide_starts_from_the_metals_moment():
    """Fe2P: 2.9 muB measured; ions of 1.5+ would have 7."""
    cell = group(
        "P-62m",
        Lattice.hexagonal(5.868, 3.458),
        ["Fe", "Fe", "P", "P"],
        [[0.257, 0, 0], [0.594, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0.5]],
    )
    assert draft_host(cell, "x.cif").entries["moment_per_formula_muB"] == pytest.approx(4.4)


def test_the_written_file_loads_and_says_why(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells").mkdir()
    bare(get_host("cofe2o4").structure("Imma")).to(filename=str(tmp_path / "cells" / "mine.cif"))
    assert main(["host", "new", "cells/mine.cif"]) == 0
    said = capsys.readouterr().out
    assert "mine.yaml" in said
    assert "Fe +3" in said
    text = (tmp_path / "mine.yaml").read_text()
    assert yaml.safe_load(text)["structures"] == {"measured": "cells/mine.cif"}
    assert "# the 3d metals that are oxidised first give the electrons" in text
    assert "# a guess for open shells: put the measured gap here" in text
    assert get_host("mine.yaml").structure() == drafted_reference("cells/mine.cif").host().structure()
    assert main(["host", "new", "cells/mine.cif"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["host", "new", "cells/none.cif"]) == 2
    with pytest.raises(HostFileError, match="ends in"):
        write_host_file("cells/mine.cif", "host.txt")


@pytest.mark.parametrize(
    "case",
    [
        "h01-reversed-hops/bifeo3.cif",
        "h04-latin1-mcif/nio.mcif",
        "h05-mixed-valence/lsmo.vasp",
        "h06-metal-atoms/co_o.vasp",
        "h06-metal-atoms/fe4n.cif",
        "h07-hydrogen/nioh2b.cif",
        "h08-f-spin/gd2o3.cif",
        "h09-anion-role/hfo2.cif",
        "h10-zero-gap/con_rs.cif",
    ],
)
def test_public_cells_become_hosts(real, case):
    """The file's host as the public host file has it: moment per formula unit."""
    host = get_host(str(real / "structures" / case))
    assert host.hops
    right = {"bifeo3": 5, "lsmo": 11, "nioh2b": 2, "gd2o3": 14, "fe4n": 8.8, "nio": 0, "hfo2": 0}
    if host.key in right:
        assert host.moment_per_formula(host.structure()) == pytest.approx(right[host.key], abs=1e-3)


def test_text_keeps_every_note_of_the_reader():
    made = draft_host(bare(get_host("cofe2o4").structure("normal")), "x.cif", ["a byte was odd"])
    assert "# note of the reader: a byte was odd" in draft_text(made)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["run", "cofe204"], "did you mean cofe2o4"),
        (["run", "hematite"], "did you mean alpha_fe2o3?"),
        (["run", "cobalt ferite"], "did you mean cofe2o4 "),
        (["run", "Fe2O3"], "did you mean alpha_fe2o3 or gamma_fe2o3?"),
        (["run", "cofe2o4", "--engine", "locl"], "did you mean local?"),
        (["run", "cofe2o4", "--order", "Ima"], "did you mean Imma?"),
        (["run", "cofe2o4", "--stages", "vacancy"], "did you mean vacancies?"),
        (["run", "cofe2o4", "--protocol", "balancd"], "did you mean balanced?"),
        (["run", "cofe2o4", "--starts", "ratled"], "did you mean rattled?"),
    ],
)
def test_a_typo_is_met_with_what_was_meant(arguments, meant, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert meant in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("rutil.cif", "there is no file rutil.cif (did you mean rutile.cif"),
        ("rutile.ciff", "there is no file rutile.ciff (did you mean rutile.cif"),
        ("rutile.dat", "rutile.dat has no known structure format; use CIF"),
        ("rutile.cif.gz", "rutile.cif.gz is packed: unpack it first"),
        ("vasprun.xml", "give the structure beside it"),
    ],
)
def test_a_file_that_is_not_there_or_no_structure_is_met_with_what_is(typed, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("rutile.cif", "rutile.cif.gz", "vasprun.xml"):
        Path(name).write_text("any")
    if typed == "rutile.dat":
        Path(typed).write_text("any")
    assert main(["run", typed]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_not_there_is_no_unknown_format(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rutile.cif").write_text("any")
    assert main(["host", "new", "rutile.cfi"]) == 2
    assert "error: there is no file rutile.cfi (did you mean rutile.cif" in " ".join(capsys.readouterr().err.split())


def test_a_file_of_phonopy_is_no_host_file(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("phonopy_disp.yaml").write_text("phonopy:\n  version: 2.0\nunit_cell:\n  lattice: [[4, 0, 0]]\n")
    assert main(["run", "phonopy_disp.yaml"]) == 2
    assert "is a file of phonopy: give the structure" in " ".join(capsys.readouterr().err.split())


def test_nothing_is_meant_where_nothing_is_alike():
    assert did_you_mean("xyz", ["cofe2o4"]) == ""
    assert did_you_mean("NiFe2O4 ", ["nife2o4", "q"]) == " (did you mean nife2o4?)"
    with pytest.raises(UnknownHostError, match="known hosts"):
        get_host("xyz")
