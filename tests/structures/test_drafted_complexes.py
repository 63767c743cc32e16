"""Drafts of double perovskites, dumbbells, oxyhydrides, metals that look ionic, alloys of rare earths, complexes."""

import numpy as np
import pytest
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.redox import by_balance
from magnetoionics.structures.io.host_files import HostReference
from pymatgen.core import Lattice, Structure

group = Structure.from_spacegroup


def drafted(cell):
    """Valences by element, moment per formula unit, gap; the draft loads as a host."""
    made = draft_host(cell, "x.cif")
    entries = {name: value for name, value in made.entries.items() if name != "structures"}
    HostReference(entries, dict.fromkeys(made.entries["structures"], made.cell)).check()
    valences = {}
    for role in made.entries["roles"]:
        valences.setdefault(role["element"], set()).add(role["valence"])
    return valences, made.entries["moment_per_formula_muB"], made.entries["gap_eV"]


@pytest.mark.parametrize(
    ("elements", "a_A", "valences", "moment"),
    [
        # Vasala and Karppinen, Prog. Solid State Chem. 43, 1 (2015): valences; totals of the ferrimagnets.
        (("Sr", "Fe", "Mo"), 7.89, (3, 5), 4),
        (("Sr", "Cr", "W"), 7.82, (3, 5), 2),
        (("Ca", "Fe", "Os"), 7.70, (3, 5), 2),
        (("Sr", "Fe", "W"), 7.94, (2, 6), 4),
        (("Ba", "Mn", "Re"), 8.18, (2, 6), 4),
        (("Sr", "Co", "Os"), 7.86, (2, 6), None),
        (("Sr", "Co", "Ir"), 7.85, (3, 5), None),
        (("Sr", "Ni", "Ir"), 7.82, (2, 6), None),
        (("La", "Ni", "Ir"), 7.88, (2, 4), None),
    ],
)
def test_the_more_easily_oxidised_metal_of_a_double_perovskite_gives_first(elements, a_A, valences, moment):
    places = [[0.25] * 3, [0] * 3, [0.5] * 3, [0.255, 0, 0]]
    found, total, _ = drafted(group("Fm-3m", Lattice.cubic(a_A), [*elements, "O"], places))
    assert [found[el] for el in elements[1:]] == [{valences[0]}, {valences[1]}]
    if moment is not None:
        assert total == pytest.approx(moment)


def test_dumbbells_of_germanium_leave_chromium_trivalent():
    """Cr2Ge2Te6: 3 muB per Cr (Carteaux et al., 10.1088/0953-8984/7/1/008)."""
    places = [[0, 0, 0.3302], [0, 0, 0.0590], [0.663, -0.033, 0.2482]]
    found, moment, gap = drafted(group("R-3", Lattice.hexagonal(6.828, 20.56), ["Cr", "Ge", "Te"], places))
    assert (found["Cr"], moment, gap > 0) == ({3}, 3, True)


def test_hydrogen_between_metals_is_a_hydride():
    """SrVO2H holds V3+ (Denis Romero et al., 10.1002/anie.201403536), BaTiO2.5H0.5 Ti of 3.5+ (10.1038/nmat3302)."""
    vanadate = Structure(
        Lattice.tetragonal(3.93, 3.67),
        ["Sr", "V", "O", "O", "H"],
        [[0.5] * 3, [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]],
    )
    found, _, _ = drafted(vanadate)
    assert (found["V"], found["H"]) == ({3}, {-1})
    titanate = Structure(
        Lattice.tetragonal(4.02, 8.04),
        ["Ba", "Ba", "Ti", "Ti", *["O"] * 5, "H"],
        [
            *([0.5, 0.5, 0.25], [0.5, 0.5, 0.75], [0, 0, 0], [0, 0, 0.5]),
            *([0.5, 0, 0], [0, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 0.25], [0, 0, 0.75]),
        ],
    )
    found, _, _ = drafted(titanate)
    assert (found["Ti"], found["H"]) == ({3.5}, {-1})


def rutile(metal, anion, a_A, c_A, x):
    return group("P4_2/mnm", Lattice.tetragonal(a_A, c_A), [metal, anion], [[0] * 3, [x, x, 0]])


@pytest.mark.parametrize(
    ("cell", "moment", "conducts"),
    [
        # RuO2 and ReO3 conduct without moments of ions; CrO2 has 2 muB (general literature).
        (rutile("Ru", "O", 4.49, 3.11, 0.306), 0, True),
        (group("Pm-3m", Lattice.cubic(3.75), ["Re", "O"], [[0] * 3, [0.5, 0, 0]]), 0, True),
        (rutile("Cr", "O", 4.421, 2.917, 0.301), 2, False),
        # FeSe and CrTe conduct; MnTe is a semiconductor of Mn2+.
        (group("P4/nmm", Lattice.tetragonal(3.77, 5.52), ["Fe", "Se"], [[0, 0, 0], [0, 0.5, 0.267]]), 2.2, True),
        (group("P6_3/mmc", Lattice.hexagonal(3.98, 6.21), ["Cr", "Te"], [[0] * 3, [1 / 3, 2 / 3, 0.25]]), 4, True),
        (group("P6_3/mmc", Lattice.hexagonal(4.15, 6.71), ["Mn", "Te"], [[0] * 3, [1 / 3, 2 / 3, 0.25]]), 5, False),
    ],
)
def test_metals_that_look_ionic_conduct(cell, moment, conducts):
    _, total, gap = drafted(cell)
    assert total == pytest.approx(moment)
    assert (gap == 0) == conducts


def test_trivalent_cobalt_keeps_its_spin_in_weak_fields():
    """CoF3 and SrCoO2.5 are high spin and antiferromagnetic, LaCoO3 and LiCoO2 low spin (general literature)."""
    fluoride = group("R-3c", Lattice.hexagonal(5.035, 13.22), ["Co", "F"], [[0] * 3, [0.58, 0, 0.25]])
    made = draft_host(fluoride, "x.cif").entries
    assert {abs(r["spin"]) for r in made["roles"] if r["element"] == "Co"} == {4.0}
    brownmillerite = group(
        "Ima2",
        Lattice.orthorhombic(15.745, 5.574, 5.470),
        ["Sr", "Co", "Co", "O", "O", "O"],
        [
            *([0.1103, 0.0092, 0.5], [0, 0, 0], [0.25, 0.9316, 0.0375]),
            *([0.9929, 0.25, 0.25], [0.1404, 0.0424, 0.0151], [0.25, 0.8716, 0.6244]),
        ],
    )
    made = draft_host(brownmillerite, "x.cif").entries
    assert {abs(r["spin"]) for r in made["roles"] if r["element"] == "Co"} == {4.0}
    assert made["moment_per_formula_muB"] == pytest.approx(0)
    cobaltate = group(
        "R-3c", Lattice.hexagonal(5.44, 13.1), ["La", "Co", "O"], [[0, 0, 0.25], [0] * 3, [0.55, 0, 0.25]]
    )
    assert drafted(cobaltate)[1] == 0


def test_rare_earths_and_spinels_of_one_sublattice():
    """GdCo5: 1.4 muB measured (general literature), 5 x 1.7 - 7 here. Co3O4: no net moment."""
    alloy = group(
        "P6/mmm", Lattice.hexagonal(4.97, 3.97), ["Gd", "Co", "Co"], [[0] * 3, [1 / 3, 2 / 3, 0], [0.5, 0, 0.5]]
    )
    assert drafted(alloy)[1] == pytest.approx(1.4, abs=0.3)
    oxide = group("Fd-3m", Lattice.cubic(8.084), ["Co", "Co", "O"], [[0] * 3, [0.625] * 3, [0.3885] * 3])
    assert drafted(oxide)[1] == pytest.approx(0)


AXES = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]


def cobalt_with(ligands, chlorines):
    """A complex of one Co in a cube of 12 A; lengths in A."""
    atoms, places = ["Co"], [np.zeros(3)]
    for axis, ligand in zip(np.array(AXES, dtype=float), ligands, strict=True):
        side = np.roll(axis, 1)
        turns = [np.cos(t) * side + np.sin(t) * np.cross(axis, side) for t in np.arange(3) * 2 * np.pi / 3]
        own = {
            "NH3": [("N", 1.96 * axis), *(("H", 2.30 * axis + 0.95 * turn) for turn in turns)],
            "NO2": [("N", 1.93 * axis), *(("O", 2.53 * axis + sign * 1.07 * side) for sign in (1, -1))],
            "NO": [("N", 1.75 * axis), ("O", 2.90 * axis)],
        }[ligand]
        atoms += [el for el, _ in own]
        places += [place for _, place in own]
    free = [(0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5)][:chlorines]
    atoms += ["Cl"] * chlorines
    places += [12.0 * np.array(place) for place in free]
    return Structure(Lattice.cubic(12.0), atoms, places, coords_are_cartesian=True)


def test_nitro_complexes():
    """[Co(NH3)5NO2]Cl2, [Co(NH3)6]Cl3, K3Co(NO2)6: diamagnetic Co3+; K2PbNi(NO2)6 has 2 muB (general literature)."""
    found, moment, gap = drafted(cobalt_with(["NH3"] * 5 + ["NO2"], 2))
    assert (found["Co"], found["N"], moment, gap > 0) == ({3}, {3, -3}, 0, True)
    found, moment, _ = drafted(cobalt_with(["NH3"] * 6, 3))
    assert (found["Co"], moment) == ({3}, 0)
    places = [[0.25] * 3, [0.5] * 3, [0] * 3, [0.187, 0, 0], [0.247, 0.1, 0]]
    found, moment, _ = drafted(group("Fm-3", Lattice.cubic(10.46), ["K", "K", "Co", "N", "O"], places))
    assert (found["Co"], found["N"], moment) == ({3}, {3}, 0)
    found, moment, _ = drafted(group("Fm-3", Lattice.cubic(10.57), ["K", "Pb", "Ni", "N", "O"], places))
    assert (found["Ni"], moment) == ({2}, 2)
    # Caesium keeps the groups far from each other: Cu2+ has no oxygen nearer than 3 A, and one unpaired spin.
    places = [[0.25] * 3, [0.5] * 3, [0] * 3, [0.197, 0, 0], [0.25, 0.1, 0]]
    found, moment, _ = drafted(group("Fm-3", Lattice.cubic(11.2), ["Cs", "Pb", "Cu", "N", "O"], places))
    assert (found["Cu"], moment) == ({2}, 1)


def test_a_nitrosyl_is_refused_by_name():
    with pytest.raises(StructureError, match=r"atom \d+ \(N\) is bonded to O1.*host file by hand"):
        draft_host(cobalt_with(["NH3"] * 5 + ["NO"], 2), "x.cif")


def test_only_ions_whose_electrons_hop_have_a_mean_valence():
    """A leucite whose rounded occupancies leave one charge too many is not one of Si 3.97+; Mn of LSMO is 3.33+."""
    assert by_balance({"K": 15, "Na": 1, "Al": 15, "Si": 33, "O": 96}, ()) is None
    assert by_balance({"La": 2, "Sr": 1, "Mn": 3, "O": 9}, ())["Mn"] == pytest.approx(10 / 3)
