"""Hops of ions that are put in: the jobs of every engine, what is computed and what is only named, and one band."""

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.hop_set import HopSet
from magnetoionics.analysis.results.calculation import Calculation
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.jobs import converge_band
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.flows.hops import read_numbered
from magnetoionics.workflows.flows.interstitial_hops import (
    InsertedHopsMaker,
    build_interstitial_hop,
    collect_interstitial_hops,
    inserted_hops,
)
from magnetoionics.workflows.jobs.outputs import function_of

TAG = Provenance(engine="local", level_of_theory="local", functional="rigid ion, pedone")


def as_calculation(cell):
    return Calculation(
        name="bulk", structure=cell, energy_eV=0.0, max_force_eV_per_A=0.0, force_calls=1, total_moment_muB=0.0,
        provenance=TAG,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cobalt_oxide():
    return get_host("coo").structure()


@pytest.mark.parametrize(("host", "ion", "pushing"), [("coo", "Co2+", 3), ("srcoo3", "H+", 0), ("hfo2", "O2-", 3)])
def test_vasp_gets_a_band_for_each(host, ion, pushing):
    pytest.importorskip("atomate2")
    flow = InsertedHopsMaker(engine=get_engine("vasp"), repeats=(2, 2, 2) if host == "hfo2" else (1, 1, 1)).make(
        host, ion
    )
    names = [job.name for job, _ in flow.iterflow()]
    bands = [n for n in names if n.startswith("band ") and ":" not in n]
    assert sum("pushing" in n for n in bands) == pushing
    assert names.count("interstitial hop") == len(bands) >= max(pushing, 1)
    assert names[-1] == "collect interstitial hops"


def test_rigid_ions_have_no_hydrogen():
    with pytest.raises(CannotDoError, match="has no H;"):
        InsertedHopsMaker(engine=get_engine("local"), repeats=(1, 1, 1)).make("coo", "H+")
    with pytest.raises(ValueError, match=r"e\.g\. Li\+"):
        InsertedHopsMaker(engine=get_engine("local")).make("coo", "Co")


def test_what_is_not_computed_is_named(cobalt_oxide):
    kept, rest = inserted_hops(cobalt_oxide, "Co", 2.0)
    alone = [h for h in kept if h.pushed is None]
    assert len(alone) <= 6
    assert len(kept) - len(alone) == 3
    assert rest
    assert all("more than 6 bands" in line for line in rest)


def test_a_pushing_hop_is_found_again_in_a_relaxed_cell_and_goes_straight_on(cobalt_oxide):
    """Both ends are one state in CoO: no reaction energy; the charge of one Co2+ goes from place to place."""
    kept, _ = inserted_hops(cobalt_oxide, "Co", 2.0)
    hop = max((h for h in kept if h.pushed is not None), key=lambda h: h.distance_A)
    relaxed = cobalt_oxide.copy()
    relaxed.scale_lattice(1.01 * cobalt_oxide.volume)
    step = np.linalg.solve(cobalt_oxide.lattice.matrix.T, hop.displacement_A)
    built = function_of(build_interstitial_hop)(
        as_calculation(relaxed), [1, 1, 1], "Co", 2.0, hop.initial[hop.mover].frac_coords.tolist(), step.tolist(),
        [hop.from_sublattice, hop.vacancy], hop.multiplicity, pushed=hop.pushed,
    )  # fmt: skip
    assert built.label == hop.label
    assert built.distance_A == pytest.approx(hop.distance_A * 1.01 ** (1 / 3))
    band = function_of(converge_band)(
        get_engine("local"), built.initial, built.final, [], mover=[built.mover, built.pushed]
    )
    read = function_of(read_numbered)(built, band, [0.0], [], None, relaxed)
    assert not read.why_no_result
    assert read.delta_eV == pytest.approx(0, abs=2e-3)
    assert 0.1 < read.forward_eV < 2
    assert "pushing Co(M)" in read.label
    assert read.images[-1].dipole_along_hop_e_A == pytest.approx(2 * built.distance_A, rel=0.1)
    found = function_of(collect_interstitial_hops)("coo", "AFM-II", "local", [read], [], [read.label], relaxed)
    assert isinstance(found, HopSet)
    (network,) = found.networks
    assert len(network.hops) == built.multiplicity
    middle = relaxed.lattice.get_all_distances(
        relaxed.lattice.get_fractional_coords(read.pushed_A), relaxed[hop.pushed].frac_coords
    )
    assert middle[0, 0] == pytest.approx(0, abs=1e-6)


def test_hydrogen_begins_at_its_bond_length_in_a_relaxed_cell():
    cell = supercell(get_host("srcoo3").structure(), (1, 1, 1))
    kept, _ = inserted_hops(cell, "H", 1.0)
    relaxed = cell.copy()
    relaxed.scale_lattice(1.06 * cell.volume)
    for hop in kept:
        step = np.linalg.solve(cell.lattice.matrix.T, hop.displacement_A)
        built = function_of(build_interstitial_hop)(
            as_calculation(relaxed), [1, 1, 1], "H", 1.0, hop.initial[hop.mover].frac_coords.tolist(), step.tolist(),
            [hop.from_sublattice, hop.vacancy], hop.multiplicity,
        )  # fmt: skip
        for state in (built.initial, built.final):
            assert min(n.nn_distance for n in state.get_neighbors(state[built.mover], 1.5)) == pytest.approx(0.98)
