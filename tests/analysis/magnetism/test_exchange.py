"""Heisenberg energies, mean field and Monte Carlo against closed forms; four-state mapping against a known model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from jobflow import Flow, job
from magnetoionics.analysis.magnetism.exchange import (
    ExchangeBonds,
    FourStateResult,
    bonds_from_table,
    coupling_matrix,
    heisenberg_energy_meV,
    mean_field_curie_K,
)
from magnetoionics.analysis.magnetism.monte_carlo import monte_carlo
from magnetoionics.analysis.magnetism.ordering import ordering_temperature
from magnetoionics.analysis.results.calculation import Calculation, Check, InvalidResultError
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.hpc.errors import UserError
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import CannotDoError, get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.exchange import FourStateMaker, map_exchange
from magnetoionics.workflows.flows.ordering import couplings_from
from pymatgen.core import Lattice, Structure
from undrawn_studies import run

K = 8.617333262e-5
FERRITE = {("Fe(A)", "Fe(B)"): -26.0, ("Fe(A)", "Co(B)"): -22.7}


def simple_cubic(n, j=10.0):
    cell = Structure(Lattice.cubic(2.5), ["Fe"], [[0, 0, 0]], site_properties={"magmom": [2.0], "sublattice": ["A"]})
    cell.make_supercell((n, n, n))
    return cell, bonds_from_table(cell, {("Fe(A)", "Fe(A)"): j}, cutoff_A=2.6)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_spin_of_a_simple_cubic_lattice_has_six_bonds(n):
    _, bonds = simple_cubic(n)
    assert heisenberg_energy_meV(bonds, np.ones(n**3)) == pytest.approx(-3 * 10 * n**3)
    assert np.allclose(coupling_matrix(bonds).sum(axis=1), 60)


def test_mean_field_of_the_simple_cubic_lattice_is_6j_over_3():
    assert mean_field_curie_K(simple_cubic(3)[1]) == pytest.approx(6 * 0.010 / (3 * K))


def test_neel_order_is_the_ground_state_of_the_ferrite_and_its_energy_is_counted():
    cell = get_host("cofe2o4").structure("Imma")
    bonds = bonds_from_table(cell, FERRITE)
    signs = np.sign([cell[i].properties["magmom"] for i in bonds.sites])
    # Each of the 8 A sites has 12 B neighbours, half Co and half Fe.
    assert heisenberg_energy_meV(bonds, signs) == pytest.approx(-8 * 6 * (26.0 + 22.7))
    assert heisenberg_energy_meV(bonds, np.ones(24)) == pytest.approx(8 * 6 * (26.0 + 22.7))
    rng = np.random.default_rng(0)
    assert all(heisenberg_energy_meV(bonds, rng.normal(size=(24, 3))) > -8 * 6 * 48.7 for _ in range(20))


def test_mean_field_of_two_sublattices():
    """Only A-B bonds: kT = sqrt(z_AB z_BA) |J| / 3 with 12 and 6 neighbours of equal coupling."""
    cell = get_host("gamma_fe2o3").structure()
    full = get_host("fe3o4").structure()
    bonds = bonds_from_table(full, {("Fe(A)", "Fe(B)"): -10.0})
    assert mean_field_curie_K(bonds) == pytest.approx(np.sqrt(72) * 0.010 / (3 * K), rel=1e-9)
    assert mean_field_curie_K(bonds_from_table(cell, {("Fe(A)", "Fe(B)"): -10.0})) < mean_field_curie_K(bonds)


def test_monte_carlo_of_a_pair_is_langevin():
    """Two spins: <e1.e2> = coth x - 1/x with x = J / kT, and |e1 + e2|^2 = 2 + 2 <e1.e2>."""
    bonds = ExchangeBonds(sites=[0, 1], pairs=[(0, 1)], J_meV=[20.0])
    t = 0.020 / K / 2
    curve = monte_carlo(bonds, [1.0, 1.0], [t], sweeps=2500, seed=1)
    x = 2.0
    # Distribution of c = e1.e2 is exp(x c) on [-1, 1]; the order parameter is sqrt((1 + c)/2).
    c = np.linspace(-1, 1, 20001)
    weight = np.exp(x * c)
    expected = np.trapezoid(np.sqrt((1 + c) / 2) * weight, c) / np.trapezoid(weight, c)
    assert abs(curve.order_parameter[0] - expected) < 4 * curve.standard_error[0] + 1e-3
    assert curve.standard_error[0] < 0.02


def test_monte_carlo_orders_below_and_disorders_above_the_transition():
    """Simple cubic classical Heisenberg model: kT_C = 1.443 J (mean field: 2 J)."""
    cell, bonds = simple_cubic(4)
    t_c = 1.443 * 0.010 / K
    curve = monte_carlo(bonds, cell.site_properties["magmom"], [0.3 * t_c, 2.5 * t_c], sweeps=36, seed=2)
    assert curve.order_parameter[0] > 0.85
    assert curve.order_parameter[1] < 0.4
    assert curve.moment_muB[0] == pytest.approx(2 * 64 * curve.order_parameter[0], rel=1e-9)


GAMMA = np.array([[0.004, 0.0013, -0.0009], [0.0013, -0.001, 0.0021], [-0.0009, 0.0021, 0.0]])


@job
def known(structure, j, d, gamma=None):
    m = np.array([np.atleast_1d(x) for x in structure.site_properties["magmom"]], dtype=float)
    if m.shape[1] == 1:
        m = m * np.array([[0.0, 0.0, 1.0]])
    e = m / np.linalg.norm(m, axis=1)[:, None]
    rest = 0.007 * e[0] @ e[2] + 0.003 * np.cross(e[1], e[2])[0] + 0.011 * e[0][2] ** 2 + 0.002 * e[1] @ e[2]
    energy = -j * e[0] @ e[1] - np.dot(d, np.cross(e[0], e[1])) + rest - 5.0
    energy += 0.0 if gamma is None else e[0] @ np.array(gamma) @ e[1]
    return Calculation(
        name="known",
        structure=structure,
        energy_eV=float(energy),
        max_force_eV_per_A=0.0,
        force_calls=1,
        total_moment_muB=0.0,
        provenance=Provenance(engine="known", level_of_theory="VASP"),
    )


@dataclass
class KnownPairs(LocalEngine):
    name: ClassVar[str] = "known"
    level_of_theory: ClassVar[str] = "VASP"
    gamma: bool = False

    def static(self, structure, *, name, mover=None):
        made = known(structure, 0.012, [0.001, -0.002, 0.003], GAMMA.tolist() if self.gamma else None)
        made.name = name
        return made


def mapped(vector_d, symmetric=False, gamma=False):
    from jobflow import JobStore
    from jobflow.managers.local import run_locally
    from maggma.stores import MemoryStore

    cell = Structure(
        Lattice.cubic(9),
        ["Fe"] * 3,
        [[0, 0, 0], [0.3, 0, 0], [0, 0.3, 0.1]],
        site_properties={"magmom": [4.0, -4.0, 4.0]},
    )
    flow = FourStateMaker(engine=KnownPairs(gamma=gamma), vector_D=vector_d, symmetric=symmetric).make(cell, 0, 1)
    assert isinstance(flow, Flow)
    found = run_locally(flow, store=JobStore(MemoryStore()), log=False)
    return FourStateResult.model_validate(found[flow.jobs[-1].uuid][1].output)


def test_four_states_give_the_known_j_and_d():
    result = mapped(True)
    assert result.J_meV == pytest.approx(12.0, abs=1e-9)
    assert np.allclose(result.D_meV, [1.0, -2.0, 3.0], atol=1e-9)
    assert result.images == 1
    assert result.distance_A == pytest.approx(2.7)


def test_exchanged_axes_tell_d_from_the_symmetric_part():
    """Without them D_x comes out as D_x - Gamma_yz, and the result says so."""
    mixed, apart = mapped(True, gamma=True), mapped(True, symmetric=True, gamma=True)
    off = 1000 * np.array([GAMMA[1, 2], GAMMA[2, 0], GAMMA[0, 1]])
    assert np.allclose(mixed.D_meV, np.array([1.0, -2.0, 3.0]) - off, atol=1e-9)
    assert "symmetric=True" in mixed.assumptions[0]
    assert np.allclose(apart.D_meV, [1.0, -2.0, 3.0], atol=1e-9)
    assert np.allclose(apart.Gamma_meV, off, atol=1e-9)
    assert apart.assumptions == []
    with pytest.raises(ValueError, match="needs vector_D"):
        mapped(False, symmetric=True)


def test_bond_to_its_own_image_turns_no_spin():
    """One spin in a periodic cell is free: its order is random, not held by itself."""
    pair = ExchangeBonds(sites=[0, 1], pairs=[(0, 0), (1, 1), (0, 1)], J_meV=[500.0, 500.0, 20.0])
    plain = ExchangeBonds(sites=[0, 1], pairs=[(0, 1)], J_meV=[20.0])
    t = 0.020 / K / 2
    curves = [monte_carlo(b, [1.0, 1.0], [t], sweeps=300, seed=3) for b in (pair, plain)]
    assert curves[0].order_parameter == curves[1].order_parameter


def test_collinear_states_give_the_known_j():
    result = mapped(False)
    assert result.J_meV == pytest.approx(12.0, abs=1e-9)
    assert result.D_meV is None


def test_a_state_whose_spin_turned_back_gives_no_coupling():
    cell = simple_cubic(2)[0]
    turned = Check(name="moments kept", passed=False, note="site 1 turned back", invalidates=True)

    def state(number, checks=()):
        return Calculation(
            name=f"J state {number}",
            structure=cell,
            energy_eV=0.01 * number,
            max_force_eV_per_A=0.0,
            force_calls=1,
            total_moment_muB=0.0,
            checks=list(checks),
            provenance=get_engine("local").provenance(),
        )

    fine = [state(n) for n in range(1, 5)]
    assert np.isfinite(map_exchange.original(cell, 0, 1, {"J": fine}).J_meV)
    with pytest.raises(InvalidResultError, match=r"J state 2 is invalid.*turned back"):
        map_exchange.original(cell, 0, 1, {"J": [fine[0], state(2, [turned]), *fine[2:]]})


def test_refusals():
    cell = get_host("cofe2o4").structure("Imma")
    with pytest.raises(CannotDoError, match="does not depend on given spins"):
        FourStateMaker(engine=get_engine("local")).make(cell, 0, 1)
    oxygen = next(i for i, s in enumerate(cell) if s.specie.symbol == "O")
    with pytest.raises(ValueError, match="no moment"):
        FourStateMaker(engine=KnownPairs()).make(cell, 0, oxygen)
    with pytest.raises(ValueError, match="exchange table"):
        bonds_from_table(cell, {("Ni(B)", "Ni(B)"): 1.0})
    with pytest.raises(ValueError, match="nothing orders"):
        mean_field_curie_K(ExchangeBonds(sites=[0, 1], pairs=[(0, 0), (1, 1)], J_meV=[-1.0, -1.0]))


def test_ordering_of_the_ferrite_by_the_closed_form_of_three_sublattices():
    """Each A has six Fe and six Co of B around it, each B six A: kT = 6 sqrt(J_FeFe^2 + J_FeCo^2) / 3."""
    cell = get_host("cofe2o4").structure("Imma")
    tag = get_engine("local").provenance()
    found = ordering_temperature(cell, FERRITE, tag, source="made up", sweeps=600)
    assert found.mean_field_K == pytest.approx(2e-3 * np.hypot(26.0, 22.7) / K)
    assert {p.pair: p.bonds_per_cell for p in found.pairs} == {"Co(B)-Fe(A)": 48, "Fe(A)-Fe(B)": 48}
    assert found.quantum_factor == pytest.approx(
        np.hypot(26.0 * 1.4, 22.7 * np.sqrt(1.4 * 5 / 3)) / np.hypot(26.0, 22.7)
    )
    # Fluctuations take a tenth to a third of it in three dimensions.
    assert 0.6 < found.ordering_K / found.mean_field_K < 0.95
    frame = found.to_dataframe()
    # Neel's moment of 3 muB per formula unit, 64 of them, less what spin waves take at a twentieth of T.
    assert frame["moment_muB"][0] == pytest.approx(3.0 * 64, rel=0.06)
    assert frame["order_parameter"].is_monotonic_decreasing
    with pytest.raises(InvalidResultError, match="order stable against turning one spin"):
        ordering_temperature(cell, {k: -v for k, v in FERRITE.items()}, tag, source="wrong sign", sweeps=60)


def test_the_stage_takes_stated_couplings_and_says_who_can_compute_them(tmp_path):
    said = {"Fe(A)-Fe(B)": -26.0, "Fe(A)-Co(B)": -22.7, "source": "made up"}
    study = run("cofe2o4", quick=True, stages=["exchange"], exchange_meV=said, output=tmp_path / "s", quiet=True)
    assert study.observables["exchange"].mean_field_K == pytest.approx(2e-3 * np.hypot(26.0, 22.7) / K)
    assert "made up" in study.observables["exchange"].assumptions
    assert "Exchange" in (tmp_path / "s" / "report.html").read_text()
    with pytest.raises(UserError, match="FourStateMaker and an engine with electrons"):
        run("nife2o4", stages=["exchange"], output=tmp_path / "x")
    for wrong, message in (
        ("Fe(A)-Fe(B): -26.0", "need pairs in meV and a source"),
        ("Fe: 1, source: x", r"a pair reads like Fe\(A\)-Co\(B\)"),
    ):
        with pytest.raises(UserError, match=message):
            run("cofe2o4", stages=["exchange"], exchange_meV=wrong, output=tmp_path / "x")


@pytest.mark.parametrize("lattice_A", [2.5, 3.9, 5.8])
def test_first_shell_is_found_in_any_crystal(lattice_A):
    """Six neighbours in a simple cubic lattice, whatever its size; the next twelve are left out."""
    cell = Structure(
        Lattice.cubic(lattice_A), ["Fe"], [[0, 0, 0]], site_properties={"magmom": [5.0], "sublattice": ["A"]}
    )
    cell.make_supercell([3, 3, 3])
    bonds = bonds_from_table(cell, {("Fe(A)", "Fe(A)"): 1.0})
    assert len(bonds.pairs) == 27 * 6 / 2


def test_each_pair_has_a_first_shell_of_its_own():
    """Of a spinel: A-B 3.48 A, B-B 2.97 A, A-A 3.63 A; per A site 12, 0 and 4 ends of them."""
    cell = get_host("cofe2o4").structure("normal")
    table = {("Co(A)", "Fe(B)"): -1.0, ("Co(A)", "Co(A)"): -1.0, ("Fe(B)", "Fe(B)"): -1.0}
    by_default, in_reach = bonds_from_table(cell, table), bonds_from_table(cell, table, cutoff_A=3.7)
    assert sorted(by_default.pairs) == sorted(in_reach.pairs)
    a_sites = sum(s.specie.symbol == "Co" for s in cell)
    assert len(by_default.pairs) == a_sites * 12 + a_sites * 4 / 2 + 2 * a_sites * 6 / 2


@pytest.mark.parametrize("value", [".nan", ".inf", "1e9"])
def test_couplings_are_finite_and_bounded(value):
    with pytest.raises(ValueError, match="must be numbers from -1000 to 1000 meV"):
        couplings_from(f"Fe(A)-Fe(B): {value}, source: a paper")
