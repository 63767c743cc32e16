"""Charges that a missing ion leaves spread over a cell: pymatgen's Ewald, exact size laws, and cells of four sizes."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.size_correction import size_correction
from magnetoionics.calculators.spread_charge import (
    sharing_excess_eV,
    spread_interaction_eV,
    static_permittivity,
)
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.vacancies import distinct_vacancies, same_site_in
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import from_atoms, to_atoms
from magnetoionics.workflows.ase.jobs import relax, relax_cell
from magnetoionics.workflows.engine import get_engine
from pymatgen.analysis.ewald import EwaldSummation

ENGINE = get_engine("local")
SITES = {"V_Fe(B)": ("Fe", "B"), "V_Co(B)": ("Co", "B"), "V_O": ("O", "O")}


@pytest.fixture(scope="module")
def bulk():
    cell = get_host("cofe2o4").structure()
    atoms = to_atoms(cell)
    atoms.calc = ENGINE.make_cell_calculator(atoms)
    relax_cell(ENGINE, atoms)
    return from_atoms(atoms, cell)


@pytest.fixture(scope="module")
def permittivity(bulk):
    atoms = to_atoms(bulk)
    atoms.calc = ENGINE.make_calculator(atoms, None)
    return static_permittivity(atoms, ENGINE.bare_charges(atoms))


def case(bulk, kind, repeats):
    """Supercell, index of the site, charge of the ion, indices of the carriers."""
    big = supercell(bulk, (repeats,) * 3)
    index = same_site_in(big, bulk, distinct_vacancies(bulk, *kind)[0].index)
    charges = ENGINE.bare_charges(to_atoms(big))
    cations = np.flatnonzero(np.array(big.site_properties["valence"]) > 0)
    return big, index, charges, cations


def sums(bulk, kind, repeats):
    big, index, charges, cations = case(bulk, kind, repeats)
    carriers = cations[cations != index]
    lattice, places = big.lattice.matrix, big.cart_coords
    return (
        spread_interaction_eV(lattice, places, index, charges[index], carriers),
        sharing_excess_eV(lattice, places, charges, index, cations, len(carriers)),
    )


def energies(bulk, kind, repeats):
    """Vacancy minus host in the engine's own energies, ions held and ions relaxed."""
    big, index, _, _ = case(bulk, kind, repeats)
    whole = to_atoms(big)
    whole.calc = ENGINE.make_calculator(whole, None)
    left = big.copy()
    left.remove_sites([index])
    atoms = to_atoms(left)
    atoms.calc = ENGINE.make_calculator(atoms, None)
    start = whole.get_potential_energy()
    held = atoms.get_potential_energy() - start
    relax(atoms, ENGINE.fmax_eV_per_A, 2000)
    return held, atoms.get_potential_energy() - start


def correction(bulk, kind, repeats, permittivity):
    big, index, charges, _ = case(bulk, kind, repeats)
    interaction, excess = sums(bulk, kind, repeats)
    return size_correction(
        float(charges[index]), big.lattice.matrix.tolist(), permittivity.tolist(),
        interaction_eV=interaction, excess_eV=excess,
    )  # fmt: skip


@pytest.mark.parametrize("kind", SITES.values(), ids=SITES)
def test_interaction_is_pymatgens_ewald_sum(bulk, kind):
    big, index, charges, cations = case(bulk, kind, 1)
    carriers = cations[cations != index]
    bare = big.copy(site_properties={})
    spread = np.zeros(len(big))
    spread[carriers], spread[index] = charges[index] / len(carriers), -charges[index]
    bare.add_oxidation_state_by_site(spread.tolist())
    theirs = EwaldSummation(bare, acc_factor=14).total_energy
    assert sums(bulk, kind, 1)[0] == pytest.approx(theirs, abs=2e-4)


@pytest.mark.parametrize("kind", SITES.values(), ids=SITES)
def test_cells_of_any_size_agree_exactly_while_the_ions_are_held(bulk, kind):
    """The engine's own energies in 56 and 448 atoms differ by eV; less the two sums they are one number."""
    held = [energies(bulk, kind, n)[0] - sum(sums(bulk, kind, n)) for n in (1, 2)]
    raw = [energies(bulk, kind, n)[0] for n in (1, 2)]
    assert abs(raw[0] - raw[1]) > 1.5
    assert held[0] == pytest.approx(held[1], abs=3e-4)


def test_permittivity_is_the_one_that_a_field_finds(bulk, permittivity):
    """Ions relaxed in a small field, with the charges of the model: polarisation over the field."""
    from magnetoionics.calculators.field import UniformFieldCalculator
    from magnetoionics.structures.units import COULOMB_eV_A

    assert np.linalg.eigvalsh(permittivity) == pytest.approx([3.58, 3.62, 3.93], abs=0.02)
    atoms = to_atoms(bulk)
    charges, field = ENGINE.bare_charges(atoms), np.array([0.0, 0.0, 0.004])
    start = atoms.positions.copy()
    atoms.calc = UniformFieldCalculator(ENGINE.make_calculator(atoms, None), tuple(field), charges, start)
    relax(atoms, 1e-4, 2000)
    dipole = charges @ (atoms.positions - start)
    response = 1 + 4 * np.pi * COULOMB_eV_A * dipole[2] / (atoms.get_volume() * field[2])
    assert response == pytest.approx(permittivity[2, 2], rel=0.02)
    with pytest.raises(ValueError, match="needs a neutral cell"):
        static_permittivity(atoms, charges + 0.1)


def test_permittivity_follows_the_charges_that_a_field_acts_on(bulk, permittivity):
    """8.5 with formal charges, which a field acts on unless others are given, 3.7 with the model's own.

    The model's charges are 0.6 of the formal ones, so that its electronic screening is in the short-ranged part; in a
    field an ion carries its formal charge, the charge that a hop transports.
    """
    atoms = to_atoms(bulk)
    atoms.calc = ENGINE.make_calculator(atoms, None)
    own = ENGINE.bare_charges(atoms)
    formal = np.array([{"Co": 2.0, "Fe": 3.0, "O": -2.0}[s] for s in atoms.get_chemical_symbols()])
    assert own == pytest.approx(0.6 * formal)
    assert np.trace(permittivity) / 3 == pytest.approx(3.7, abs=0.05)
    wide = static_permittivity(atoms, formal)
    assert np.trace(wide) / 3 == pytest.approx(8.5, abs=0.1)
    assert wide - np.eye(3) == pytest.approx((permittivity - np.eye(3)) / 0.36, abs=1e-3)


# The embedded engine's V_Fe(B) in 55, 447, 1511 and 3583 atoms, and the 1/L law through them.
SERIES_eV = {1: -8.081, 2: -6.671, 3: -6.300, 4: -6.118}
LIMIT_eV = -5.564


def test_corrected_cells_of_four_sizes_have_one_limit(bulk, permittivity):
    for n, raw in SERIES_eV.items():
        if n < 3:
            assert energies(bulk, SITES["V_Fe(B)"], n)[1] == pytest.approx(raw, abs=2e-3)
        lattice = (n * bulk.lattice.matrix).tolist()
        made = size_correction(1.8, lattice, permittivity.tolist(), interaction_eV=-1.0)
        left = raw + made.energy_eV - LIMIT_eV
        assert abs(left) < {1: 0.40, 2: 0.05, 3: 0.03, 4: 0.02}[n]
        if n > 1:
            assert abs(left) < 0.02 * abs(raw - LIMIT_eV) + 0.015


@pytest.mark.parametrize("kind", SITES.values(), ids=SITES)
def test_error_that_is_left_covers_what_larger_cells_say(bulk, permittivity, kind):
    small, large = (correction(bulk, kind, n, permittivity) for n in (1, 2))
    limit = energies(bulk, kind, 2)[1] + large.energy_eV
    left = abs(energies(bulk, kind, 1)[1] + small.energy_eV - limit)
    assert left < 1.5 * small.error_eV
    assert 4 < small.error_eV / large.error_eV < 9
    assert small.energy_eV == pytest.approx(2 * large.energy_eV, rel=1e-6)
    assert large.error_eV < 0.25 * large.energy_eV


def test_a_background_has_the_same_limit_and_a_share_as_error(permittivity):
    made = size_correction(1.2, (8.25 * np.eye(3)).tolist(), permittivity.tolist())
    spread = size_correction(1.2, (8.25 * np.eye(3)).tolist(), permittivity.tolist(), interaction_eV=-3.44)
    assert made.neutralised_by == "background"
    assert spread.neutralised_by == "spread charge"
    assert made.energy_eV == spread.energy_eV > 0
    assert made.error_eV == pytest.approx(0.1 * made.energy_eV)


def test_sites_that_share_with_themselves_are_refused(bulk):
    with pytest.raises(ValueError, match="must not be among them"):
        spread_interaction_eV(bulk.lattice.matrix, bulk.cart_coords, 3, 1.8, [3, 4])
    with pytest.raises(ValueError, match="0 ions share"):
        spread_interaction_eV(bulk.lattice.matrix, bulk.cart_coords, 3, 1.8, [])
