"""Ends as people hand them over: wrapped, shifted, renumbered, half fixed; the barrier is one and the same."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from band_cases import vacancy
from magnetoionics.workflows.band.driver import BandDriver, BandInputError, BandSettings
from magnetoionics.workflows.band.elastic import bond_model
from magnetoionics.workflows.band.ends import continuous_ends, minima_in_words
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver

# EMT's own barrier of 31 Cu atoms; the large cell of the driver's tests has 0.79 eV.
SETTINGS = BandSettings(fmax_eV_per_A=0.02)


@pytest.fixture(scope="module")
def hop():
    initial, final, mover, _ = vacancy("Cu", 2)
    return initial, final, mover


@pytest.fixture(scope="module")
def barrier(hop):
    return barrier_of(*hop)[0]


def barrier_of(initial, final, mover, driver=BandDriver, trials=()):
    result = driver(EMT, SETTINGS).run(initial, final, list(trials), mover)
    assert all(c.passed for c in result.checks)
    return result.forward_eV, result.notes


def neighbour_of_nobody(atoms, mover):
    """Two atoms far from each other that are not the mover."""
    far = [i for i in range(len(atoms)) if i != mover]
    return far[0], far[-1]


def wrapped(final, mover):
    out = final.copy()
    out.wrap(pretty_translation=False)
    out.positions[0] += out.cell[0]
    return out


def exchanged(final, mover):
    out = final.copy()
    i, j = neighbour_of_nobody(final, mover)
    out.positions[[i, j]] = out.positions[[j, i]]
    return out


def exchanged_with_mover(final, mover):
    out = final.copy()
    i = neighbour_of_nobody(final, mover)[0]
    out.positions[[i, mover]] = out.positions[[mover, i]]
    return out


def test_vectors_of_spins_tell_atoms_apart(hop):
    """Ends of a non-collinear cell: equal atoms get their numbers back only if their moments point the same way."""
    initial, final, mover = hop
    turned = neighbour_of_nobody(final, mover)[1]
    moments = np.tile([0.0, 0.0, 1.0], (len(initial), 1))
    first, last = initial.copy(), exchanged(final, mover)
    for atoms in (first, last):
        atoms.set_array("magmom", moments.copy())
    assert any("changed numbers" in said for said in continuous_ends(first, last, [], mover, 0.5).notes)
    for atoms in (first, last):
        atoms.arrays["magmom"][turned] = [0.0, 1.0, 0.0]
    with pytest.raises(BandInputError):
        continuous_ends(first, last, [], mover, 0.5)


def shifted(final, mover):
    out = final.copy()
    out.positions += [0.4, -0.3, 1.2]
    return out


def all_of_it(final, mover):
    return shifted(exchanged(wrapped(final, mover), mover), mover)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (wrapped, "another cell"),
        (exchanged, "equal atoms had changed numbers"),
        (exchanged_with_mover, "equal atoms had changed numbers"),
        (shifted, "shift of the whole by (0.400, -0.300, 1.200) A"),
        (all_of_it, "equal atoms had changed numbers"),
    ],
)
def test_a_spoiled_end_has_the_barrier_of_the_clean_one_and_the_notes_say_what_was_done(hop, barrier, spoil, said):
    """Taken as they come, such ends give 13.87 or 1.19 eV where the hop costs 0.79 eV."""
    initial, final, mover = hop
    found, notes = barrier_of(initial, spoil(final, mover), mover)
    assert found == pytest.approx(barrier, abs=0.002)
    assert 0.6 < barrier < 0.9
    assert any(said in note for note in notes)


@pytest.mark.parametrize("spoil", [wrapped, exchanged, exchanged_with_mover, shifted, all_of_it])
def test_in_107_atoms_every_spoiled_end_becomes_the_clean_one(spoil):
    """The cell of the reported cases, whose clean barrier is 0.79 eV (`test_driver`).

    Half-way along the straight line wrapped ends cost 51 eV, exchanged ones 29 to 1480 eV, clean ones 1.4 eV.
    """
    initial, final, mover, _ = vacancy("Cu", 3)
    assert len(initial) == 107
    ends = continuous_ends(initial, spoil(final, mover), [], mover, 0.35)
    assert ends.final.positions == pytest.approx(final.positions, abs=1e-9)
    assert ends.notes
    above = []
    for other in (final, ends.final, spoil(final, mover)):
        between = initial.copy()
        between.positions = (initial.positions + other.positions) / 2
        between.calc = EMT()
        with np.errstate(all="ignore"):
            above.append(between.get_potential_energy())
    assert above[1] == pytest.approx(above[0], abs=1e-6)
    assert spoil is shifted or above[2] > above[0] + 20


def test_clean_ends_stay_as_they_are(hop):
    initial, final, mover = hop
    ends = continuous_ends(initial, final, [], mover, 0.35)
    assert np.array_equal(ends.final.positions, final.positions)
    assert ends.notes == []


def test_trials_are_brought_to_the_ends_as_well(hop):
    initial, final, mover = hop
    middle = initial.copy()
    middle.positions = (initial.positions + final.positions) / 2
    trial = all_of_it(middle, mover)
    ends = continuous_ends(initial, final, [trial], mover, 0.35)
    assert ends.intermediates[0].positions == pytest.approx(middle.positions, abs=1e-9)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(wrapped, "another cell"), (exchanged, "changed numbers"), (all_of_it, "shift of the whole")],
)
def test_the_surrogate_takes_the_same_ends(hop, barrier, spoil, said):
    initial, final, mover = hop
    found, notes = barrier_of(initial, spoil(final, mover), mover, SurrogateBandDriver)
    assert found == pytest.approx(barrier, abs=0.004)
    assert any(said in note for note in notes)


def test_two_atoms_that_hop_are_refused_by_name(hop):
    initial, final, mover = hop
    other = next(i for i in range(len(final)) if i != mover)
    moved = final.copy()
    moved.positions[other] += [0.9, 0.9, 0.9]
    moved.positions[other + (1 if other + 1 != mover else 2)] += [0.8, -0.8, 0.8]
    with pytest.raises(BandInputError, match=rf"atom {other} \(Cu at .* is 1\.56 A away .* one mover"):
        continuous_ends(initial, moved, [], mover, 0.35)


def test_another_order_of_elements_is_matched_by_place_and_other_atoms_are_refused():
    initial = Atoms("LiOMgFO", [[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2], [2, 2, 0]], cell=[9, 9, 9], pbc=True)
    final = initial.copy()
    final.positions[0] += [3, 3, 0]
    there = final[[4, 2, 0, 1, 3]]
    ends = continuous_ends(initial, there, [], 0, 0.35)
    assert ends.final.get_chemical_symbols() == initial.get_chemical_symbols()
    assert ends.final.positions == pytest.approx(final.positions)
    there.symbols[0] = "F"
    with pytest.raises(BandInputError, match=r"same atoms, not F\S* and F\S*|same atoms"):
        continuous_ends(initial, there, [], 0, 0.35)


def test_spins_and_valences_go_with_their_atoms():
    """Equal elements of two valences are two kinds: they never take each other's number."""
    initial = Atoms("FeFeFeFeO", np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3], [1.5, 1.5, 1.5]]), cell=[9] * 3)
    initial.pbc = True
    initial.set_array("valence", np.array([2.0, 3.0, 3.0, 2.0, -2.0]))
    final = initial.copy()
    final.positions[0] += [-2.5, 0, 0]
    swapped = final[[0, 2, 1, 3, 4]]
    assert continuous_ends(initial, swapped, [], 0, 0.35).final.positions == pytest.approx(final.positions)
    wrong = final.copy()
    wrong.positions[[1, 3]] = final.positions[[3, 1]]
    with pytest.raises(BandInputError, match="no equal atom took its place"):
        continuous_ends(initial, wrong, [], 0, 0.35)


def slab():
    atoms = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(atoms, "Au", 1.7, "hollow")
    atoms.center(axis=2, vacuum=4.0)
    atoms.set_constraint(FixAtoms(mask=[tag > 1 for tag in atoms.get_tags()]))
    final = atoms.copy()
    final[-1].x += final.cell[0, 0] / 2
    return atoms, final, len(atoms) - 1


def test_constraints_on_the_mover_or_on_one_end_are_refused():
    initial, final, mover = slab()
    held = [a.copy() for a in (initial, final)]
    for one in held:
        one.set_constraint(FixAtoms([mover]))
    with pytest.raises(BandInputError, match=rf"the mover, atom {mover} \(Au .* is fixed"):
        continuous_ends(*held, [], mover, 0.35)
    free = final.copy()
    free.set_constraint()
    with pytest.raises(BandInputError, match=r"atom 0 \(Al .* is fixed in one end only \(8 such atoms\)"):
        continuous_ends(initial, free, [], mover, 0.35)
    away = final.copy()
    away.set_constraint()
    away.positions[0] += [0.1, 0, 0]
    away.set_constraint(final.constraints)
    with pytest.raises(BandInputError, match=r"atom 0 .* is fixed but stands 0\.100 A away"):
        continuous_ends(initial, away, [], mover, 0.35)


def test_a_slab_needs_no_third_cell_vector():
    """Neighbours across the repeating directions count, those across the vacuum do not."""
    initial, final, mover = slab()
    flat = [a.copy() for a in (initial, final)]
    for one in flat:
        cell = one.cell.array.copy()
        cell[2] = 0
        one.set_cell(cell)
    assert not initial.pbc[2]
    models = [bond_model(pair, mover) for pair in ([initial, final], flat)]
    assert models[1] == pytest.approx(models[0], abs=1e-12)
    alone = [a.copy() for a in (initial, final)]
    for one in alone:
        one.pbc = False
    assert not np.allclose(bond_model(alone, mover), models[0])
    found = [barrier_of(*pair, mover)[0] for pair in ((initial, final), tuple(flat))]
    assert found[1] == pytest.approx(found[0], abs=1e-6)
    assert found[0] == pytest.approx(0.374, abs=0.01)  # ASE's own example of gold on aluminium
    torn = [a.copy() for a in flat]
    for one in torn:
        one.pbc = True
    with pytest.raises(ValueError, match="cell vector 3 is zero"):
        bond_model(torn, mover)


def test_positions_that_are_no_numbers_are_refused(hop):
    initial, final, mover = hop
    lost = final.copy()
    lost.positions[5, 1] = np.nan
    with pytest.raises(BandInputError, match="atom 5 of an end is nowhere"):
        continuous_ends(initial, lost, [], mover, 0.35)


def test_minima_of_one_energy_are_one_finding():
    said = minima_in_words({1: 0.73012, 3: 0.61, 2: 0.72999})
    assert said == [
        "trial intermediates 1 and 2 are minima at +0.730 eV above the initial state",
        "trial intermediate 3 is a minimum at +0.610 eV above the initial state",
    ]
    assert minima_in_words({}) == []
