"""A frozen reference as a user assumes it: which ions, which coupling, what u, which loop, and what is refused."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobflow import JobStore, job, run_locally
from maggma.stores import MemoryStore
from magnetoionics.analysis.builder.post_processing import HopEnds, engine_couplings, with_assumptions
from magnetoionics.analysis.device.assumptions import Assumptions
from magnetoionics.analysis.device.film import FilmAssumptions
from magnetoionics.analysis.magnetism.exchange import bonds_from_table, heisenberg_energy_meV
from magnetoionics.analysis.magnetism.frozen_reference import FrozenReference, frozen_coupling, frozen_sites
from magnetoionics.analysis.magnetism.thermal_anisotropy import brillouin_order
from magnetoionics.analysis.magnetism.unidirectional import keffer_sum, u_model
from magnetoionics.analysis.results.calculation import Calculation, Check, InvalidResultError
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.hpc.api import load
from magnetoionics.hpc.assumptions import read_assumptions
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.study_run import study_under
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.flows.frozen_exchange import FrozenExchangeMaker, read_coupling, turn_frozen
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from undrawn_studies import run_study

CELL = get_host("cofe2o4").structure("Imma")
TABLE = {"Fe(A)-Fe(B)": -2.2, "Fe(A)-Co(B)": -1.9}


def reference(**changes):
    return FrozenReference.model_validate({"sublattice": "A", "p": [1, 1, 0], "h_meV": 5.0, **changes})


def coupled(ref, cell=CELL, **more):
    return frozen_coupling(cell, ref, state="before", mover=0, **more)


# M(T)/M(0) of the film that is assumed, 300 K, by the measured T_C of CoFe2O4.
ORDER = brillouin_order(300.0, 793.0, 2.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return run_study(
        "cofe2o4", quick=True, stages=["migration", "anisotropy"], output=tmp_path_factory.mktemp("frozen") / "cfo"
    )


def under(folder, **fields):
    return study_under(folder, Assumptions(reference=reference(**fields) if fields else None))[0]


def test_exchange_of_a_sublattice_is_the_sum_of_its_bonds():
    found = coupled(reference(h_meV=None, J_meV=TABLE))
    # Each of the 8 A ions has 12 B neighbours, 6 Co and 6 Fe, all antiparallel.
    assert found.h_meV == pytest.approx(8 * 6 * (2.2 + 1.9))
    assert (found.frozen_ions, found.turning_ions) == (8, 16)
    assert found.turning_moment_muB == pytest.approx(8 * 5 + 8 * 3)
    bonds = bonds_from_table(CELL, {("Fe(A)", "Fe(B)"): -2.2, ("Fe(A)", "Co(B)"): -1.9})
    signs = np.array([np.sign(CELL[i].properties["magmom"]) for i in bonds.sites])
    turned = np.where([CELL[i].properties["sublattice"] == "A" for i in bonds.sites], -signs, signs)
    cost = heisenberg_energy_meV(bonds, turned) - heisenberg_energy_meV(bonds, signs)
    assert found.h_meV == pytest.approx(cost / 2)


def test_coupling_is_extensive_and_mutual():
    doubled = supercell(CELL, (2, 1, 1))
    free = reference(h_meV=None, J_meV=TABLE, d0_meV_per_A2=0.3)
    assert coupled(free, doubled).h_meV == pytest.approx(2 * coupled(free).h_meV)
    other = reference(sublattice="B", h_meV=None, J_meV=TABLE)
    assert coupled(other).h_meV == pytest.approx(coupled(free).h_meV)
    assert coupled(other).turning_moment_muB == pytest.approx(-40)


@pytest.mark.parametrize("anion", ["O", "S"])
def test_chiral_sum_of_one_ion_is_keffers(anion):
    """One frozen ion in a thin layer: its pairs are those of `keffer_sum`, with the signs of the order; any anion."""
    ref = reference(sublattice=None, layer=[0.0, 1.0], h_meV=5.0, d0_meV_per_A2=1.0)
    rng = np.random.default_rng(3)
    cell = CELL.copy()
    cell.replace_species({"O": anion})
    cell.perturb(0.1)
    site = next(i for i, s in enumerate(cell) if s.properties["sublattice"] == "A")
    height = float(cell.frac_coords[site][2] % 1.0)
    cell.translate_sites([site], [0, 0, 1e-3 * rng.random()], to_unit_cell=True)
    height = float(cell.frac_coords[site][2] % 1.0)
    ref = ref.model_copy(update={"layer": [height - 1e-9, height + 1e-9]})
    assert frozen_sites(cell, ref, 0) == [site]
    found = coupled(ref, cell)
    total = np.zeros(3)
    around = cell.get_neighbors(cell[site], 5.5)
    anions = [n.coords for n in around if n.specie.symbol == anion]
    for n in around:
        if n.specie.symbol != anion:
            sign = np.sign(n.properties["magmom"]) * np.sign(cell[site].properties["magmom"])
            total -= sign * keffer_sum(cell[site].coords, [n.coords], anions)
    assert np.linalg.norm(total) > 0.01
    assert np.allclose(found.keffer_A2, total, atol=1e-9)
    assert np.allclose(found.D_meV, total, atol=1e-9)


def test_chiral_sum_vanishes_for_whole_sublattices_of_a_crystal_with_inversion():
    assert np.allclose(coupled(reference(d0_meV_per_A2=1.0)).D_meV, 0, atol=1e-9)


def test_moments_that_are_vectors_are_refused():
    cell = CELL.copy()
    cell.add_site_property("magmom", [[0.0, 0.0, float(m)] for m in CELL.site_properties["magmom"]])
    with pytest.raises(ValueError, match="vectors"):
        coupled(reference(), cell)


def test_strength_by_pair():
    cell = CELL.copy()
    cell.perturb(0.1)
    both = coupled(reference(d0_meV_per_A2={"Fe(A)-Co(B)": 0.4, "Fe(B)-Fe(A)": 0.4}), cell).D_meV
    one = coupled(reference(d0_meV_per_A2=0.4), cell).D_meV
    half = coupled(reference(d0_meV_per_A2={"Fe(A)-Co(B)": 0.4}), cell).D_meV
    assert np.allclose(both, one)
    assert not np.allclose(half, one)


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 1000))
def test_u_of_a_study_is_the_closed_form_and_reverses_with_the_reference(folder, seed):
    rng = np.random.default_rng(seed)
    g = rng.normal(size=(3, 3))
    fields = {
        "h_meV": float(rng.normal()),
        "d0_meV_per_A2": float(rng.normal()),
        "Gamma_meV": (g + g.T).tolist(),
        "p": rng.normal(size=3).tolist(),
    }
    made = {s.state: s for s in under(folder, **fields).unidirectional.states}
    turned = under(folder, **{**fields, "p": (-np.array(fields["p"])).tolist()})
    back = {s.state: s for s in turned.unidirectional.states}
    for state in ("before", "after"):
        c = made[state].coupling
        p = np.array(fields["p"]) / np.linalg.norm(fields["p"])
        # The film is at 300 K: linear in M(T) of the ions that turn.
        assert np.allclose(made[state].u_meV, ORDER * u_model(c.h_meV, c.D_meV, c.Gamma_meV, p), atol=1e-9)
        assert np.allclose(made[state].u_meV, made[state].u_model_meV, atol=1e-9)
        assert np.allclose(back[state].u_meV, -np.array(made[state].u_meV), atol=1e-9)
        assert made[state].loop_shift_T == pytest.approx(back[state].loop_shift_T, rel=1e-9)
    # The host has no hop and no reference.
    assert made["pristine"].verdict in ("uniaxial", "multiaxial")


def test_without_a_reference_there_is_an_axis_only(folder):
    study = load(folder)
    result = study.unidirectional
    assert result.reference is None
    assert result.pair.verdict in ("an axis", "nothing")
    assert all(s.coupling is None and s.loop is None and s.u_norm_meV < 1e-9 for s in result.states)
    assert "unidirectional" not in result.verdict
    assert study.switching.verdict.startswith("axes only")
    assert all(np.linalg.norm(s.u_meV) < 1e-9 for s in study.switching.steps)


def test_a_reference_changes_the_verdict_the_loops_and_the_audit(folder):
    study = load(folder, reference={"sublattice": "A", "p": [0, 1, -1], "h_meV": 20, "d0_meV_per_A2": 0.5})
    result = study.unidirectional
    assert result.verdict == "unidirectional (pinned reference: sublattice A)"
    for s in (x for x in result.states if x.state != "pristine"):
        assert s.odd_max_meV == pytest.approx(s.u_norm_meV, rel=0.05)
        along = float(np.dot(s.u_meV, s.loop.axis))
        assert along == pytest.approx(s.u_norm_meV)
        # Meiklejohn and Bean's shift is that of a moment which reverses along u; u off an axis bends it.
        assert s.loop.shift_T == pytest.approx(-s.loop_shift_T, rel=0.1)
        assert float(np.dot(s.favoured, s.u_meV)) > 0
    c7 = next(c for c in study.claims if c.id == "C7")
    assert c7.verdict == "undecided"
    assert "sublattice A" in c7.reason
    # Nothing in the folder changed.
    assert load(folder).unidirectional.reference is None


def test_half_of_a_ferrimagnet_feels_the_field_along_minus_n(folder):
    study = load(folder, reference={"sublattice": "B", "p": [0, 1, -1], "h_meV": 20})
    for s in (x for x in study.unidirectional.states if x.coupling):
        assert s.coupling.turning_moment_muB == pytest.approx(-40)
        assert s.loop.shift_T > 0


def test_shell_and_layer_and_outside(folder):
    band = study_under(folder, None)[1]["hop-1"]
    before = band.images[0].structure
    near = reference(sublattice=None, shell_A=4.0)
    frozen = frozen_sites(before, near, band.mover)
    assert all(before.get_distance(i, band.mover) > 4.0 for i in frozen)
    assert 0 < len(frozen) < 23
    # The mover changes its place, the shell keeps its ions.
    counted = load(folder, reference={"shell_A": 4.0, "p": [0, 0, 1], "h_meV": 3}).unidirectional.states
    assert [s.coupling.frozen_ions for s in counted if s.coupling] == [len(frozen)] * 2
    turning = [set(s.coupling.turning_sites) for s in counted if s.coupling]
    assert turning[0] == turning[1]
    assert band.mover in turning[0]
    study = load(folder, reference={"outside": "IrMn", "p": [0, 0, 1], "h_meV": 3})
    for s in (x for x in study.unidirectional.states if x.coupling):
        assert s.coupling.frozen_ions == 0
        assert np.allclose(s.u_meV, [0, 0, 3 * ORDER], atol=1e-9)
    assert study.unidirectional.pair.verdict in ("an axis", "nothing")


def test_a_warm_film_has_a_smaller_u_and_the_same_shift(folder):
    """Both u and the moment are linear in M(T), so that |u|/M stays; above T_C neither is there."""
    asked = reference(outside="IrMn", sublattice=None, p=[0, 0, 1], h_meV=3)

    def at(temperature_K):
        film = FilmAssumptions(temperature_K=temperature_K)
        return study_under(folder, Assumptions(reference=asked, film=film))[0].unidirectional

    cool, warm, beyond = at(300.0), at(600.0), at(800.0)
    u = [r.states[-1].u_norm_meV for r in (cool, warm)]
    assert u[1] / u[0] == pytest.approx(brillouin_order(600.0, 793.0, 2.5) / ORDER)
    assert warm.states[-1].loop_shift_T == pytest.approx(cool.states[-1].loop_shift_T)
    assert warm.states[-1].hard_minus_easy_meV < cool.states[-1].hard_minus_easy_meV
    assert beyond.states[-1].u_norm_meV == pytest.approx(0.0, abs=1e-9)
    assert beyond.states[-1].loop is None
    assert "pinned reference" not in beyond.verdict
    assert "above the measured T_C of 793 K" in beyond.temperature_note


def test_even_part_is_that_of_the_turning_ions(folder):
    study = load(folder, reference={"sublattice": "B", "p": [0, 1, -1], "h_meV": 1})
    whole = {s.state: s for s in load(folder).unidirectional.states}
    for s in (x for x in study.unidirectional.states if x.coupling):
        # Eight Fe3+ on A are nearly isotropic, Co on B is not.
        assert s.temperature_K == whole[s.state].temperature_K == 300
        assert s.hard_minus_easy_meV < 0.05 * whole[s.state].hard_minus_easy_meV
    maps = {m.state: m for m in load(folder).anisotropy.maps}
    everyone = maps["after"].of_ions(maps["after"].ion_sites)
    assert np.allclose(everyone.energies, maps["after"].energies, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sublattice: Q, p: [1, 0, 0], h_meV: 1", "freezes 0 of"),
        ("sublattice: A, p: [0, 0, 0], h_meV: 1", "no direction"),
        ("sublattice: A, shell_A: 3, p: [1, 0, 0], h_meV: 1", "exactly one"),
        ("p: [1, 0, 0], h_meV: 1", "exactly one"),
        ("sublattice: A, p: [1, 0, 0]", "no coupling"),
        ("sublattice: A, p: [1, 0, 0], h_meV: 1, J_meV: {Fe(A)-Fe(B): 1}", "not both"),
        ("sublattice: A, p: [1, 0, 0], J_meV: {Fe: 1}", "must read like"),
        ("outside: IrMn, p: [1, 0, 0]", "needs h_meV"),
        ("sublattice: A, p: [1, 0, 0], h: 1", "Extra inputs"),
        ("no list", "Field required"),
        ("missing.yaml", "cannot be read"),
    ],
)
def test_what_is_refused(folder, text, message):
    with pytest.raises(UserError, match=message):
        study_under(folder, read_assumptions(reference=text))


def test_assumptions_from_a_file_and_from_a_line_agree(tmp_path):
    line = "sublattice: A, p: [1, 1, 0], h_meV: 2e1"
    file = tmp_path / "reference.yaml"
    file.write_text(line.replace(", p", "\np").replace(", h", "\nh"))
    assert read_assumptions(reference=line) == read_assumptions(reference=str(file))
    assert read_assumptions(reference="none") == Assumptions()


def test_a_spinless_engine_refuses_to_supply_the_coupling():
    maker = MagnetoionicStudyMaker.quick(get_engine("local"))
    maker.assumptions = Assumptions(reference=reference(h_meV=None))
    with pytest.raises(ValueError, match="state h_meV"):
        maker.make("cofe2o4")
    maker.assumptions = Assumptions(reference=reference())
    maker.stages = ["vacancies"]
    with pytest.raises(ValueError, match="migration and anisotropy"):
        maker.make("cofe2o4")
    with pytest.raises(ValueError, match="does not depend on given spins"):
        FrozenExchangeMaker(engine=get_engine("local"), reference=reference()).make(CELL, CELL, 0)


def known(cell, site_moments=None, checks=()):
    """Heisenberg energy of the moments that a structure carries, as an engine with spins would give it."""
    bonds = bonds_from_table(cell, {("Fe(A)", "Fe(B)"): -2.2, ("Fe(A)", "Co(B)"): -1.9})
    moments = [cell[i].properties["magmom"] for i in bonds.sites]
    return Calculation(
        name="known",
        structure=cell,
        energy_eV=1e-3 * heisenberg_energy_meV(bonds, np.sign(moments)),
        max_force_eV_per_A=0.0,
        force_calls=1,
        total_moment_muB=0.0,
        site_moments_muB=site_moments,
        checks=list(checks),
        provenance=Provenance(engine="known", level_of_theory="VASP"),
    )


def test_engine_supplies_h_by_turning_the_reference_over():
    free = reference(h_meV=None)
    turned = turn_frozen.original(CELL, free, 0, CELL)
    moments = [float(m) for m in turned.site_properties["magmom"]]
    assert sum(moments) == pytest.approx(8 * 5 + 8 * 5 + 8 * 3)
    made = {"before": {"kept": known(CELL), "over": known(turned, moments), "set": turned}}
    h = read_coupling.original(made)["before"]
    assert h == pytest.approx(8 * 6 * (2.2 + 1.9))
    assert coupled(free, engine_h_meV=h, engine="engine known").h_meV == h
    fallen = [float(m) for m in CELL.site_properties["magmom"]]
    made["before"]["over"] = known(turned, fallen)
    with pytest.raises(ValueError, match="did not stay turned over"):
        read_coupling.original(made)
    bad = Check(name="electrons converged", passed=False, invalidates=True)
    made["before"]["over"] = known(turned, moments, [bad])
    with pytest.raises(InvalidResultError):
        read_coupling.original(made)


@job
def known_static(structure):
    """A static of the known engine."""
    return known(structure)


@dataclass
class WithSpins(LocalEngine):
    """The embedded engine with an energy that knows its spins."""

    name: ClassVar[str] = "with spins"
    level_of_theory: ClassVar[str] = "VASP"

    def static(self, structure, *, name, mover=None):
        made = known_static(structure)
        made.name = name
        return made


def test_flow_of_an_engine_with_spins_gives_h_of_both_states():
    free = reference(h_meV=None)
    opened = CELL.copy()
    moved = next(i for i, s in enumerate(opened) if s.properties["sublattice"] == "A")
    opened.replace(moved, "Fe", properties={**opened[moved].properties, "magmom": -4.0})
    flow = FrozenExchangeMaker(engine=WithSpins(), reference=free).make(CELL, opened, 0)
    found = run_locally(flow, store=JobStore(MemoryStore()), log=False, raise_immediately=True)
    h = found[flow.jobs[-1].uuid][1].output
    assert h == pytest.approx({"before": 8 * 6 * 4.1, "after": 8 * 6 * 4.1})
    maker = MagnetoionicStudyMaker.quick(WithSpins(), ["migration", "anisotropy"])
    names = [j.name for j, _ in maker.make("cofe2o4").iterflow()]
    assert "reference turned over" not in " ".join(names)
    maker.assumptions = Assumptions(reference=free)
    names = [j.name for j, _ in maker.make("cofe2o4").iterflow()]
    assert {"before, reference turned over", "after, reference turned over"} <= set(names)


def test_h_of_an_engine_survives_new_assumptions(folder):
    study, bands = study_under(folder, None)
    band = bands["hop-1"]
    ends = HopEnds(band.images[0].structure, band.images[-1].structure, band.mover, {"before": 7.0, "after": 6.0})
    free = reference(h_meV=None)
    made = with_assumptions(study, ends, Assumptions(reference=free))
    assert engine_couplings(made, free) == {"before": 7.0, "after": 6.0}
    assert engine_couplings(made, reference(sublattice="B")) is None
    assert engine_couplings(study, free) is None
    assert re.search("engine local", made.unidirectional.assumptions[1])
