"""Valences and spins of drafts: paired anions, lone pairs, mean valences, metals among N and As, measured moments."""

import numpy as np
import pytest
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.files import drafted_reference
from pymatgen.core import Lattice, Structure


def group(symbol, lattice, species, coords):
    return Structure.from_spacegroup(symbol, lattice, species, coords)


def spinel(a, metals, anion, u, edge=8.4):
    """In the origin of the tetrahedra, `u` from the other one."""
    return group("Fd-3m", Lattice.cubic(edge * a), [*metals, anion], [[0.0] * 3, [0.625] * 3, [u + 0.125] * 3])


def found(cell, name="x.cif"):
    made = draft_host(cell, name)
    return {r["element"]: r for r in made.entries["roles"]}, made.entries["moment_per_formula_muB"], made


@pytest.mark.parametrize(
    ("cell", "valences", "moment"),
    [
        # Loellingite, no moment; skutterudite, Co3+ of S = 0; general literature.
        (
            group("Pnnm", Lattice.orthorhombic(5.30, 5.98, 2.88), ["Fe", "As"], [[0, 0, 0], [0.176, 0.362, 0]]),
            {"Fe": 4, "As": -2},
            0,
        ),
        (group("Im-3", Lattice.cubic(8.205), ["Co", "As"], [[0.25] * 3, [0, 0.344, 0.151]]), {"Co": 3, "As": -1}, 0),
        # Cobaltite in the symmetry of ullmannite: AsS 3-.
        (
            group("P2_13", Lattice.cubic(5.58), ["Co", "As", "S"], [[0.0] * 3, [0.385] * 3, [0.615] * 3]),
            {"Co": 3, "As": -2, "S": -1},
            0,
        ),
    ],
)
def test_each_bond_between_anions_saves_one_charge(cell, valences, moment):
    of, total, made = found(cell)
    assert {el: r["valence"] for el, r in of.items()} == valences
    assert total == moment
    assert "bonded to each other" in made.reasons["roles"]


def test_single_anions_keep_their_charge():
    """NiAs has no As-As bond: Ni takes part in a metal, and starts from nickel's moment."""
    of, total, made = found(
        group("P6_3/mmc", Lattice.hexagonal(3.62, 5.03), ["Ni", "As"], [[0, 0, 0], [1 / 3, 2 / 3, 0.25]])
    )
    assert of["As"]["valence"] == -3
    assert total == pytest.approx(0.6)
    assert made.entries["gap_eV"] == 0


def test_red_lead_has_two_kinds_of_lead():
    """Pb3O4: Pb4+ in the octahedra, Pb2+ with its lone pair elsewhere, and not a metal of Pb 2.67+."""
    cell = group(
        "P4_2/mbc",
        Lattice.tetragonal(8.811, 6.563),
        ["Pb", "Pb", "O", "O"],
        [[0, 0.5, 0.25], [0.1395, 0.1633, 0], [0.6719, 0.1719, 0.25], [0.0975, 0.6350, 0]],
    )
    made = draft_host(cell, "x.cif")
    lead = {r["coordination"]: (r["valence"], len(cell)) for r in made.entries["roles"] if r["element"] == "Pb"}
    assert lead[6][0] == 4
    assert {v for v, _ in lead.values()} == {2, 4}
    assert made.entries["gap_eV"] > 0
    of, _, _ = found(group("P4_2/mnm", Lattice.tetragonal(4.955, 3.383), ["Pb", "O"], [[0, 0, 0], [0.307, 0.307, 0]]))
    assert of["Pb"]["valence"] == 4


def test_copper_of_chalcogenides_is_monovalent():
    """CuCr2Se4 has 5 muB, as Cu+ beside Cr3.5+ has (Lotgering 1964); as an oxide CuCr2O4 holds Cu2+."""
    of, total, _ = found(spinel(1.23, ("Cu", "Cr"), "Se", 0.258))
    assert (of["Cu"]["valence"], of["Cr"]["valence"]) == (1, 3.5)
    assert total == pytest.approx(5.0)
    of, _, _ = found(spinel(1.0, ("Cu", "Cr"), "O", 0.262))
    assert (of["Cu"]["valence"], of["Cr"]["valence"]) == (2, 3)


def test_a_mean_moment_lies_between_those_of_its_ions():
    """La3Ni2O7: Ni2+ has 2 muB in its octahedra and low-spin Ni3+ has 1; YBa2Cu3O7: Cu3+ of planes has none."""
    nickel = group(
        "I4/mmm",
        Lattice.tetragonal(3.83, 20.5),
        ["La", "La", "Ni", "O", "O", "O"],
        [[0, 0, 0.5], [0, 0, 0.32], [0, 0, 0.0965], [0, 0, 0], [0, 0, 0.2], [0, 0.5, 0.095]],
    )
    of, _, _ = found(nickel)
    assert of["Ni"]["valence"] == 2.5
    assert of["Ni"]["spin"] == pytest.approx(1.5)
    copper = group(
        "Pmmm",
        Lattice.orthorhombic(3.82, 3.886, 11.68),
        ["Y", "Ba", "Cu", "Cu", "O", "O", "O", "O"],
        [
            [0.5, 0.5, 0.5],
            [0.5, 0.5, 0.184],
            [0, 0, 0],
            [0, 0, 0.3555],
            [0, 0.5, 0],
            [0.5, 0, 0.3785],
            [0, 0.5, 0.378],
            [0, 0, 0.159],
        ],
    )
    made = draft_host(copper, "x.cif")
    for role in made.entries["roles"]:
        if role["element"] == "Cu":
            assert role["spin"] == pytest.approx(1 - (role["valence"] - 2), abs=1e-5)


@pytest.mark.parametrize(
    ("cell", "element", "moment"),
    [
        # Measured: none in TiN; 3.3 muB in MnN (tetragonal, taken as cubic here); general literature.
        (group("Fm-3m", Lattice.cubic(4.24), ["Ti", "N"], [[0, 0, 0], [0.5] * 3]), "Ti", 0.0),
        (group("Fm-3m", Lattice.cubic(4.22), ["Mn", "N"], [[0, 0, 0], [0.5] * 3]), "Mn", 3.0),
        # Fe of LaFeAsO stands among As alone and has a tenth of Hund's 4 muB; oxygen is elsewhere.
        (
            group(
                "P4/nmm",
                Lattice.tetragonal(4.035, 8.74),
                ["La", "Fe", "As", "O"],
                [[0.25, 0.25, 0.1415], [0.75, 0.25, 0.5], [0.25, 0.25, 0.6512], [0.75, 0.25, 0]],
            ),
            "Fe",
            2.2,
        ),
    ],
)
def test_among_nitrogen_and_arsenic_moments_are_those_of_metals(cell, element, moment):
    of, _, made = found(cell)
    assert (of[element].get("spin") or 0.0) == pytest.approx(moment)
    assert made.entries["gap_eV"] == 0


def test_a_network_of_silicon_and_nitrogen_insulates():
    """MnSiN2: Si4+ takes part, and Mn2+ keeps Hund's moment."""
    cell = group(
        "Pna2_1",
        Lattice.orthorhombic(5.27, 6.52, 5.07),
        ["Mn", "Si", "N", "N"],
        [[0.076, 0.622, 0.988], [0.070, 0.126, 0.0], [0.049, 0.094, 0.348], [0.109, 0.655, 0.409]],
    )
    of, total, made = found(cell)
    assert of["Mn"]["valence"] == 2
    assert total == pytest.approx(5)
    assert made.entries["gap_eV"] > 0


def test_osmium_of_a_pyrochlore_takes_the_rest():
    """Cd2Os2O7: Os5+ of three electrons, and no metal of neutral shares."""
    cell = group(
        "Fd-3m",
        Lattice.cubic(10.17),
        ["Cd", "Os", "O", "O"],
        [[0.625] * 3, [0.125] * 3, [0.444, 0.25, 0.25], [0.5] * 3],
    )
    of, total, _ = found(cell)
    assert of["Os"]["valence"] == 5
    assert total == pytest.approx(6)


def test_a_subvalent_sulfide_is_a_metal():
    """Ni3S2 conducts and has no moment of ions: nickel's own is the start."""
    cell = group("R32", Lattice.hexagonal(5.74, 7.14), ["Ni", "S"], [[0.362, 0.362, 0.5], [0, 0, 0.256]])
    of, _, made = found(cell)
    assert made.entries["gap_eV"] == 0
    assert of["Ni"]["spin"] == pytest.approx(0.6)


def test_the_net_moment_is_positive():
    """Fe2+ of FeNi2S4's tetrahedra outweighs two low-spin Ni3+: its sublattice is the one along z."""
    _, total, made = found(spinel(1.127, ("Fe", "Ni"), "S", 0.258))
    assert total == pytest.approx(2.0)
    assert made.entries["spin_sense"] == {"A": 1, "B": -1}


TRIANGLE = {"Mn1": (6.83, 0.0), "Mn2": (-3.415, 5.915), "Mn3": (-3.415, -5.915)}


def test_moments_of_a_metal_keep_the_files_directions(tmp_path):
    """Mn3Ge: three moments at 120 degrees, which add up to nothing; the draft loads."""
    cell = Structure(
        Lattice.hexagonal(5.35, 4.32),
        ["Mn"] * 3 + ["Ge"],
        [[0.5, 0, 0], [0, 0.5, 0], [0.5, 0.5, 0], [0, 0, 0.5]],
        site_properties={"magmom": [[x / 2, y / 2, 0.0] for x, y in TRIANGLE.values()] + [[0.0] * 3]},
    )
    of, total, made = found(cell, "Mn3Ge.json")
    assert total == pytest.approx(0.0, abs=1e-3)
    assert made.entries["spins"] == "file"
    assert of["Mn"]["spin"] == pytest.approx(6.83 / 2, abs=1e-3)
    cell.to(filename=str(tmp_path / "Mn3Ge.json"))
    moments = np.array(
        drafted_reference(tmp_path / "Mn3Ge.json").host().structure().site_properties["magmom"], dtype=float
    )
    assert np.linalg.norm(moments[:3], axis=1) == pytest.approx(np.full(3, 6.83 / 2), abs=1e-3)
    assert moments[:3].sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-3)
    assert float(moments[0] @ moments[1]) < 0


def test_a_measured_moment_says_which_spin_state(tmp_path):
    """Co3+ is guessed low spin in octahedra; one with 3 muB in the file is not."""
    lattice, places = Lattice.cubic(3.83), [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    spins = {}
    for moment in (3.1, 0.4):
        cell = Structure(lattice, ["La", "Co", "O", "O", "O"], places, site_properties={"magmom": [0, moment, 0, 0, 0]})
        of, total, _ = found(cell)
        spins[moment] = (of["Co"].get("spin"), total)
    assert spins[3.1] == (None, 4)
    assert spins[0.4] == ("low", 0)


def test_lengths_in_bohr_are_named_as_a_cause():
    cell = group("Fm-3m", Lattice.cubic(4.17 / 0.529), ["Ni", "O"], [[0, 0, 0], [0.5] * 3])
    with pytest.raises(StructureError, match=r"nearest to Ni stands at 3\.94 A.*Bohr"):
        draft_host(cell, "x.cif")


def test_hydrogen_of_a_borohydride_is_bonded():
    cell = group("Fm-3m", Lattice.cubic(7.03), ["Rb", "B", "H"], [[0.5] * 3, [0, 0, 0], [0.094, 0.094, 0.094]])
    cell.remove_sites(
        [
            i
            for i, s in enumerate(cell)
            if s.specie.symbol == "H" and np.prod(np.sign((cell.frac_coords[i] * 2 + 0.5) % 1 - 0.5)) < 0
        ]
    )
    of, _, _ = found(cell)
    assert of["H"]["valence"] == -1
