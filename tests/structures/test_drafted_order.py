"""Orders of drafts whose files have no moments, against the ones that neutrons and magnetometers found."""

import pytest
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.files import drafted_reference
from magnetoionics.structures.host import get_host
from pymatgen.core import Lattice, Structure

group = Structure.from_spacegroup


def ferrite_magnet():
    """BaFe12O19 after Obradors et al., J. Solid State Chem. 56, 171 (1985), with 2b on its mirror plane."""
    return group(
        "P6_3/mmc",
        Lattice.hexagonal(5.893, 23.194),
        ["Ba", *["Fe"] * 5, *["O"] * 5],
        [
            [1 / 3, 2 / 3, 0.75],
            [0, 0, 0],
            [0, 0, 0.25],
            [1 / 3, 2 / 3, 0.0272],
            [1 / 3, 2 / 3, 0.1903],
            [0.1683, 0.3366, 0.8917],
            [0, 0, 0.1508],
            [1 / 3, 2 / 3, 0.9449],
            [0.1818, 0.3636, 0.25],
            [0.1567, 0.3134, 0.0524],
            [0.5018, 0.0036, 0.1496],
        ],
    )


def garnet(cage, a_A):
    places = [[0.125, 0, 0.25], [0, 0, 0], [0.375, 0, 0.25], [-0.0274, 0.0572, 0.1495]]
    return group("Ia-3d", Lattice.cubic(a_A), [cage, "Fe", "Fe", "O"], places)


def elpasolite(large, small, heavy, a_A):
    places = [[0.25] * 3, [0] * 3, [0.5] * 3, [0.255, 0, 0]]
    return group("Fm-3m", Lattice.cubic(a_A), [large, small, heavy, "O"], places)


def corundum(metal, a_A, c_A, z, x):
    return group("R-3c", Lattice.hexagonal(a_A, c_A), [metal, "O"], [[0, 0, z], [x, 0, 0.25]])


def orthoferrite(cage, metal, edges_A):
    places = [[0.029, 0.25, -0.007], [0, 0, 0.5], [0.487, 0.25, 0.075], [0.2815, 0.039, -0.281]]
    return group("Pnma", Lattice.orthorhombic(*edges_A), [cage, metal, "O", "O"], places)


def bismuth_ferrite():
    places = [[0] * 3, [0, 0, 0.2208], [0.443, 0.012, 0.9543]]
    return group("R3c", Lattice.hexagonal(5.579, 13.869), ["Bi", "Fe", "O"], places)


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        # Gorter's order; 20 muB per formula unit measured at 4 K (general literature).
        (ferrite_magnet(), 20),
        # 5 and 16 muB measured (general literature): a against d, and Gd against d.
        (garnet("Y", 12.376), 5),
        (garnet("Gd", 12.471), 16),
        # Ferrimagnetic double perovskites, and the ferromagnet La2NiMnO6 with 5 muB (general literature).
        (elpasolite("Sr", "Fe", "Re", 7.88), 3),
        (elpasolite("Sr", "Cr", "Re", 7.81), 1),
        (elpasolite("La", "Ni", "Mn", 7.76), 5),
        # Type G.
        (orthoferrite("La", "Fe", (5.565, 7.854, 5.557)), 0),
        (orthoferrite("La", "Cr", (5.479, 7.759, 5.516)), 0),
        (bismuth_ferrite(), 0),
        # Rutile fluorides: corners against the centre.
        (group("P4_2/mnm", Lattice.tetragonal(4.695, 3.18), ["Co", "F"], [[0] * 3, [0.306, 0.306, 0]]), 0),
    ],
)
def test_total_moments_are_the_measured_ones(cell, moment):
    made = draft_host(cell, "x.cif").entries
    assert made["moment_per_formula_muB"] == pytest.approx(moment)


def signs_along_c(cell, element):
    """Signs of the drafted moments by height in the cell, from one column to the next."""
    made = draft_host(cell, "x.cif")
    of = {}
    for role in made.entries["roles"]:
        if role["element"] == element:
            of |= dict.fromkeys(role["indices"], 1 if role["spin"] > 0 else -1)
    column = [i for i in of if abs(made.cell[i].frac_coords[:2] % 1).max() < 1e-3]
    return [of[i] for i in sorted(column, key=lambda i: made.cell[i].frac_coords[2] % 1)]


def test_hematite_and_eskolaite_differ():
    """+ - - + along c in Fe2O3 and + - + - in Cr2O3 (neutrons, Shull 1951, Brockhouse 1953): corners against faces."""
    iron = signs_along_c(corundum("Fe", 5.038, 13.772, 0.3553, 0.3059), "Fe")
    chromium = signs_along_c(corundum("Cr", 4.957, 13.592, 0.3475, 0.3056), "Cr")
    assert [one * iron[0] for one in iron] == [1, -1, -1, 1]
    assert [one * chromium[0] for one in chromium] == [1, -1, 1, -1]


def test_drafts_have_the_order_of_the_packages_own_hosts(tmp_path):
    """Hematite, LaFeO3, BiFeO3 and LiFePO4 without their moments: each spin as the host has it after neutrons."""
    for key in ("alpha_fe2o3", "lafeo3", "bifeo3", "lifepo4"):
        host = get_host(key)
        cell = host.structure()
        bare = Structure(cell.lattice, cell.species, cell.frac_coords)
        bare.to(filename=str(tmp_path / f"{key}.cif"))
        found = drafted_reference(tmp_path / f"{key}.cif").host().structure()
        expected = {}
        for i, site in enumerate(cell):
            image = min(
                range(len(found)),
                key=lambda j: float(found.lattice.get_distance_and_image(found[j].frac_coords, site.frac_coords)[0]),
            )
            expected[image] = host.structure().site_properties["magmom"][i]
        signs = {moment * found.site_properties["magmom"][i] > 0 for i, moment in expected.items() if abs(moment) > 0.1}
        assert len(signs) == 1, key


def test_what_cannot_be_told_is_parallel_and_says_so():
    """NiO's planes alternate along [111], which one cube cannot hold; TbMnO3 has orbital order; FePt is a metal."""
    nickel = draft_host(group("Fm-3m", Lattice.cubic(4.18), ["Ni", "O"], [[0] * 3, [0.5] * 3]), "x.cif")
    assert nickel.entries["moment_per_formula_muB"] == 2
    assert "assumed" in nickel.entries["sources"]["order"]
    assert "its own neighbour" in nickel.reasons["spin_sense"]
    doubled = nickel.cell.copy()
    doubled.make_supercell(2)
    assert draft_host(doubled, "x.cif").entries["moment_per_formula_muB"] == pytest.approx(0)
    manganite = draft_host(orthoferrite("Tb", "Mn", (5.838, 7.403, 5.293)), "x.cif")
    assert manganite.entries["moment_per_formula_muB"] == 10
    assert "no rule" in manganite.reasons["spin_sense"]
    alloy = draft_host(group("P4/mmm", Lattice.tetragonal(2.72, 3.72), ["Fe", "Pt"], [[0] * 3, [0.5] * 3]), "x.cif")
    assert "metal's order is not guessed" in alloy.reasons["spin_sense"]


def test_a_ferrite_that_nature_has_inverse_is_named():
    """COD lists NiFe2O4 with Ni in the tetrahedra; measured are 2 muB, of the inverse order (general literature)."""
    made = {}
    for metal in ("Ni", "Mn"):
        cell = group("Fd-3m", Lattice.cubic(8.34), [metal, "Fe", "O"], [[0] * 3, [0.625] * 3, [0.381] * 3])
        made[metal] = draft_host(cell, "x.cif").reasons["spin_sense"]
    assert "NiFe2O4 is found inverse instead, with 2 muB" in made["Ni"]
    assert "inverse" not in made["Mn"]


def test_a_rule_for_some_of_the_bonds_decides_nothing():
    """CaCu3Mn4O12 is a ferrimagnet whose Mn are parallel, as Cu-O-Mn is the stronger (general literature)."""
    places = [[0] * 3, [0, 0.5, 0.5], [0.25] * 3, [0.3033, 0.1822, 0]]
    cell = group("Im-3", Lattice.cubic(7.241), ["Ca", "Cu", "Mn", "O"], places)
    made = draft_host(cell, "x.cif")
    assert "bonds of Cu without a rule" in made.reasons["spin_sense"]
    assert len({tuple(r.get("indices", ())) for r in made.entries["roles"] if r["element"] == "Mn"}) == 1


def test_copper_oxide_has_antiparallel_chains():
    """Tenorite: spins alternate along the chains of 146 degrees, as neutrons found (general literature)."""
    lattice = Lattice.monoclinic(4.6837, 3.4226, 5.1288, 99.54)
    made = draft_host(group("C2/c", lattice, ["Cu", "O"], [[0.25, 0.25, 0], [0, 0.4184, 0.25]]), "x.cif")
    assert made.entries["moment_per_formula_muB"] == pytest.approx(0)
    assert "Cu2+-O-Cu2+ (146 degrees)" in made.reasons["spin_sense"]


def test_corners_of_tetrahedra_have_no_collinear_order():
    """Pyrochlore FeF3: four spins of a tetrahedron cannot all be antiparallel, they are not collinear (neutrons)."""
    pyrochlore = group("Fd-3m:2", Lattice.cubic(10.33), ["Fe", "F"], [[0] * 3, [0.3125, 0.125, 0.125]])
    made = draft_host(pyrochlore, "x.cif")
    assert made.entries["moment_per_formula_muB"] == pytest.approx(5)
    assert "frustrated" in made.reasons["spin_sense"]
