"""Vibrations: harmonic closed forms, finite differences, phonopy against a plain Hessian, a Cu vacancy hop."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.optimize import BFGS
from ase.thermochemistry import HarmonicThermo
from ase.vibrations import Vibrations
from golden import kept
from jobflow import run_locally
from magnetoionics.analysis.kinetics.attempt_frequency import (
    AttemptFrequency,
    Modes,
    frequencies_THz,
    judge_modes,
    vibrational_free_energy_eV,
    vineyard_Hz,
    without_translations,
)
from magnetoionics.analysis.kinetics.rates import rate_per_s
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K, PLANCK_eV_S
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import CannotDoError, Engine, get_engine
from magnetoionics.workflows.flows.vibrations import VibrationsMaker, modes_of_statics
from magnetoionics.workflows.vibrations.hessian import full_hessian, partial_hessian
from magnetoionics.workflows.vibrations.states import VibratingHop
from pymatgen.core import Lattice, Structure

KT_300 = 8.617333262e-5 * 300


def run(flow, job_name="vibrations"):
    done = run_locally(flow, log=False, raise_immediately=True)
    job = next(j for j, _ in flow.iterflow() if j.name == job_name) if hasattr(flow, "iterflow") else flow
    return done[job.uuid][1].output


def test_one_oscillator():
    # omega = sqrt(k/m): 1 eV/A^2 and 1 u give 15.6333 THz.
    found = frequencies_THz(np.diag([1.0, 4.0, -1.0]), [1.0])
    assert found == pytest.approx([-15.6333, 15.6333, 31.2666], rel=1e-5)


def test_chain_of_two():
    # Two masses on one spring along x: reduced mass mu, two translations at zero.
    k, masses = 3.0, np.array([2.0, 6.0])
    hessian = np.zeros((6, 6))
    hessian[np.ix_([0, 3], [0, 3])] = [[k, -k], [-k, k]]
    found = frequencies_THz(hessian, masses)
    assert found[-1] == pytest.approx(15.6333 * np.sqrt(k / 1.5), rel=1e-5)
    assert np.abs(without_translations(np.append(found[-1], [0.0, 0.0, 0.0]))) == pytest.approx([found[-1]])


def test_vineyard_of_separable_states():
    assert vineyard_Hz([3.0, 4.0, 5.0], [-2.0, 6.0, 5.0]) == pytest.approx(1e12 * 60 / 30)
    with pytest.raises(ValueError, match="no minimum"):
        vineyard_Hz([-1.0, 2.0], [-1.0, 2.0])
    with pytest.raises(ValueError, match="exactly one"):
        vineyard_Hz([1.0, 2.0], [-1.0, -2.0])
    with pytest.raises(ValueError, match="same atoms"):
        vineyard_Hz([1.0, 2.0], [-1.0])


def test_free_energy_limits():
    modes = [5.0, 9.0]
    assert vibrational_free_energy_eV(modes, 0) == pytest.approx(0.5 * PLANCK_eV_S * 14e12)
    hot = 20000.0
    classical = sum(8.617333262e-5 * hot * np.log(PLANCK_eV_S * 1e12 * f / (8.617333262e-5 * hot)) for f in modes)
    assert vibrational_free_energy_eV(modes, hot) == pytest.approx(classical, rel=1e-4)
    low, high = (vibrational_free_energy_eV(modes, t) for t in (299, 301))
    # F falls with the temperature: the entropy is positive.
    assert high < low
    with pytest.raises(ValueError, match="negative"):
        vibrational_free_energy_eV(modes, -1.0)


def attempt(initial, saddle, final, barrier=0.6):
    modes = [
        Modes(state=s, frequencies_THz=f, largest_translation_THz=None, largest_force_eV_per_A=0, asymmetry_eV_per_A2=0)
        for s, f in (("initial", initial), ("saddle", saddle), ("final", final))
    ]
    return AttemptFrequency(
        label="hop",
        method="partial Hessian",
        radius_A=3.0,
        atoms=1,
        forward_Hz=vineyard_Hz(initial, saddle),
        backward_Hz=vineyard_Hz(final, saddle),
        shells=[],
        relative_error=None,
        modes=modes,
        forward_eV=barrier,
        backward_eV=barrier + 0.1,
        displacement_A=0.01,
        force_calls=0,
        checks=judge_modes(modes, 0.01),
        provenance=Provenance(engine="test", level_of_theory="arithmetic"),
    )


def test_quantum_rate_becomes_vineyards():
    hop = attempt([2.0, 3.0, 4.0], [-1.0, 3.0, 5.0], [2.0, 2.0, 3.0])
    for backward, barrier, prefactor in ((False, 0.6, hop.forward_Hz), (True, 0.7, hop.backward_Hz)):
        quantum = hop.rate_per_s(3000, backward=backward)
        assert quantum == pytest.approx(rate_per_s(barrier, 3000, prefactor), rel=1e-3)


def ase_rate_per_s(hop, temperature_K, backward=False):
    """Rate by ASE's harmonic thermochemistry: another code's free energies of the real modes."""
    quantum_eV = [
        [PLANCK_eV_S * 1e12 * f for f in hop.state(s).frequencies_THz if f > 0]
        for s in ("final" if backward else "initial", "saddle")
    ]
    minimum, saddle = (
        HarmonicThermo(np.array(q)).get_helmholtz_energy(temperature_K, verbose=False) for q in quantum_eV
    )
    thermal = BOLTZMANN_eV_PER_K * temperature_K
    barrier = hop.backward_eV if backward else hop.forward_eV
    return thermal / PLANCK_eV_S * np.exp(-(barrier + saddle - minimum) / thermal)


def lithium():
    """The hop of Li in lithium ferrite that the small study keeps: 22 ions, the last mode of the saddle at 31 THz."""
    return AttemptFrequency.model_validate(kept("life5o8-local")["vibrations"])


@pytest.mark.parametrize("temperature", [77.0, 150.0, 300.0, 1000.0])
@pytest.mark.parametrize("backward", [False, True])
def test_quantum_rate_is_that_of_another_code(temperature, backward):
    for hop in (attempt([2.0, 3.0, 4.0], [-1.0, 3.0, 5.0], [2.0, 2.0, 3.0]), lithium()):
        expected = ase_rate_per_s(hop, temperature, backward)
        assert hop.rate_per_s(temperature, backward=backward) == pytest.approx(expected, rel=1e-5, abs=0)
        rates = hop.attempts_Hz(temperature)[int(backward)]
        barrier = hop.backward_eV if backward else hop.forward_eV
        assert rate_per_s(barrier, temperature, rates) == pytest.approx(expected, rel=1e-5, abs=0)


def test_lithium_at_150_K_is_eleven_times_slower_than_by_classical_rates():
    """Its saddle is a narrow face of oxygen: stiffer than the minimum, so that quantum oscillators cost more there."""
    hop = lithium()
    classical = rate_per_s(hop.backward_eV, 150.0, hop.backward_Hz)
    assert classical / ase_rate_per_s(hop, 150.0, backward=True) == pytest.approx(11.0, rel=0.02)
    assert hop.quantum_factor(150.0, backward=True) == pytest.approx(1 / 11.0, rel=0.02)


@pytest.mark.parametrize("backward", [False, True])
def test_sign_of_the_quantum_correction_is_wigners(backward):
    """To first order -(h/kT)^2/24 times the excess of squared frequencies at the saddle (10.1103/PhysRev.40.749).

    Isotopes of one lattice differ by it: in Pd, whose saddle is stiff, D outruns H below some 770 K; in alpha-Ti both
    cross near 425 K (arXiv 1302.3002).
    """
    soft = attempt([4.0, 4.0, 4.0], [-1.0, 2.0, 3.0], [5.0, 5.0, 6.0])
    stiff = attempt([4.0, 4.0, 4.0], [-1.0, 9.0, 8.0], [5.0, 5.0, 6.0])
    temperature = 1500.0
    for hop, faster in ((soft, True), (stiff, False), (lithium(), False)):
        squares = [
            sum(f * f for f in hop.state(s).frequencies_THz if f > 0)
            for s in ("final" if backward else "initial", "saddle")
        ]
        reach = PLANCK_eV_S * 1e12 / (BOLTZMANN_eV_PER_K * temperature)
        first_order = -(reach**2) / 24 * (squares[1] - squares[0])
        found = np.log(hop.quantum_factor(temperature, backward=backward))
        assert found == pytest.approx(first_order, rel=0.03)
        assert bool(found > 0) is faster


def test_a_heavier_isotope_loses_less_at_a_stiff_saddle():
    """Classically D is slower than H by sqrt 2; a stiff saddle turns that round when it is cold, as in palladium."""
    light = attempt([17.0, 17.0, 17.0], [-15.0, 30.0, 30.0], [17.0, 17.0, 17.0])
    heavy = attempt(*([f / np.sqrt(2) for f in m] for m in ([17.0] * 3, [-15.0, 30.0, 30.0], [17.0] * 3)))
    assert heavy.rate_per_s(2000.0) / light.rate_per_s(2000.0) == pytest.approx(1 / np.sqrt(2), rel=0.05)
    assert heavy.rate_per_s(200.0) > light.rate_per_s(200.0)


def test_retention_uses_the_computed_prefactor():
    hop = attempt([2.0, 3.0, 4.0], [-1.0, 3.0, 5.0], [2.0, 2.0, 3.0])
    kept = hop.retention()
    assert kept.attempt_frequency_source == "Vineyard"
    assert kept.attempt_frequency_Hz == hop.backward_Hz == pytest.approx(0.8e12)
    assert kept.at(300) == pytest.approx(
        np.exp(0.7 / KT_300) / 0.8e12 / hop.quantum_factor(300, backward=True), rel=1e-6
    )
    assert kept.at(300) == pytest.approx(1 / hop.rate_per_s(300, backward=True), rel=1e-6)
    assert AttemptFrequency.model_validate_json(hop.model_dump_json()) == hop
    with pytest.raises(ValueError, match="no prefactor"):
        hop.model_copy(update={"backward_Hz": None}).retention()


def test_second_imaginary_mode_is_a_failed_check():
    hop = attempt([2.0, 3.0, 4.0], [-1.0, 3.0, 5.0], [2.0, 2.0, 3.0])
    spoiled = [
        m.model_copy(update={"frequencies_THz": [-2.0, -1.0, 3.0]}) if m.state == "saddle" else m for m in hop.modes
    ]
    failed = [c.name for c in judge_modes(spoiled, 0.01) if c.passed is False]
    assert failed == ["saddle state has exactly one imaginary mode"]


def copper(cells=2):
    """Relaxed ends of a nearest-neighbour vacancy hop in EMT copper and the mover's index."""
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.5902), ["Cu"], [[0, 0, 0]])
    cell.make_supercell([cells] * 3)
    cell.add_site_property("magmom", [0.0] * len(cell))
    hole = cell[0].coords
    neighbour = min(cell.get_neighbors(cell[0], 2.7), key=lambda n: n.index)
    mover = neighbour.index - 1
    cell.remove_sites([0])
    ends = []
    for place in (neighbour.coords, hole):
        end = cell.copy()
        end.replace(mover, "Cu", coords=place, coords_are_cartesian=True, properties={"magmom": 0.0})
        ends.append(end)
    return ends, mover


def emt_forces(atoms):
    atoms.calc = EMT()
    return atoms.get_forces()


def small_cluster():
    atoms = Atoms(
        "Cu4", positions=[[0, 0, 0], [2.5, 0.1, 0], [0.2, 2.6, 0], [1.1, 1.2, 2.0]], cell=[8, 8.5, 9], pbc=True
    )
    return atoms


def test_hessian_is_the_second_difference_of_the_energy():
    atoms, h = small_cluster(), 0.01
    hessian = partial_hessian(atoms, [0, 2], emt_forces, h)
    assert np.abs(hessian - hessian.T).max() < 1e-2 * np.abs(hessian).max()

    def energy(shift):
        moved = atoms.copy()
        moved.positions[0, 1] += shift
        moved.calc = EMT()
        return moved.get_potential_energy()

    second = (energy(h) - 2 * energy(0) + energy(-h)) / h**2
    assert hessian[1, 1] == pytest.approx(second, rel=1e-3)


def test_phonopy_agrees_with_the_plain_hessian():
    pytest.importorskip("phonopy")
    atoms = small_cluster()
    plain = frequencies_THz(partial_hessian(atoms, range(4), emt_forces, 0.01), atoms.get_masses())
    hessian, gamma = full_hessian(atoms, 0, emt_forces, 0.01)
    assert frequencies_THz(hessian, atoms.get_masses()) == pytest.approx(np.sort(gamma), abs=2e-3)
    assert gamma == pytest.approx(plain, abs=5e-3)


def converged_band(cells):
    engine = get_engine("ase:ase.calculators.emt:EMT", fmax_eV_per_A=0.001)
    engine.band_settings = type(engine.band_settings)(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.001)
    ends, mover = copper(cells)
    return engine, run(engine.band(*ends, [], mover=mover, name="band"), "band")


@pytest.fixture(scope="module")
def band31():
    return converged_band(2)


def test_copper_hop_with_a_sphere(band31):
    engine, band = band31
    found = run(VibrationsMaker(engine=engine, radius_A=4.0).make(band, "Cu -> V_Cu"))
    assert found.state("saddle").imaginary == 1
    assert all(c.passed for c in found.checks), found.checks
    # 107 atoms with all modes give 5.8 THz.
    assert 2e12 < found.forward_Hz < 2e13
    assert found.forward_Hz == pytest.approx(found.backward_Hz, rel=0.02)
    assert found.relative_error is not None
    assert found.force_calls == 3 * (1 + 6 * found.atoms)
    assert found.atoms < 31


def test_ends_are_one_defect_by_structure_and_energy(band31):
    """A vacancy of copper that moved on is the same vacancy; a strained neighbour or another energy is none."""
    band = band31[1]
    assert VibratingHop(band, 3.2).equal_ends()
    other = band.model_copy(deep=True)
    other.images[-1].energy_eV += 0.01
    assert not VibratingHop(other, 3.2).equal_ends()
    other = band.model_copy(deep=True)
    other.images[-1].structure.translate_sites([5], [0.0, 0.0, 0.4], frac_coords=False)
    assert not VibratingHop(other, 3.2).equal_ends()


def test_all_modes_and_the_error_of_the_sphere(band31):
    pytest.importorskip("phonopy")
    engine, band = band31
    full = run(VibrationsMaker(engine=engine, radius_A=None).make(band, "Cu -> V_Cu"))
    assert all(c.passed for c in full.checks), full.checks
    assert len(full.state("initial").frequencies_THz) == 3 * 31 - 3
    part = run(VibrationsMaker(engine=engine, radius_A=4.0).make(band, "Cu -> V_Cu"))
    assert part.force_calls < 3 * (1 + 6 * 31)
    assert part.forward_Hz == pytest.approx(full.forward_Hz, rel=0.5)
    same = [s for s in full.shells if s.atoms == part.atoms]
    for shell in same:
        assert shell.forward_Hz == pytest.approx(part.forward_Hz, rel=0.02)


def by_symmetry(atoms, mover, place):
    """Modes of a state that a mirror holds in place, relaxed tightly, with ASE's own Vibrations."""
    atoms = atoms.copy()
    atoms.positions[mover] = place
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=1e-4, steps=300)
    modes = Vibrations(atoms, name="modes", delta=0.01)
    modes.run()
    energies = modes.get_energies() / (PLANCK_eV_S * 1e12)
    modes.clean()
    return without_translations(energies.real - energies.imag), atoms.get_potential_energy()


def test_prefactor_of_copper_against_the_vibrations_of_ase(band31, tmp_path, monkeypatch):
    pytest.importorskip("phonopy")
    monkeypatch.chdir(tmp_path)
    engine, band = band31
    ends, mover = copper(2)
    atoms = to_atoms(ends[0])
    start, end = (e[mover].coords for e in ends)
    minimum, low = by_symmetry(atoms, mover, start)
    saddle, high = by_symmetry(atoms, mover, 0.5 * (start + end))
    assert band.forward_eV == pytest.approx(high - low, abs=1e-3)
    full = run(VibrationsMaker(engine=engine, radius_A=None).make(band, "Cu -> V_Cu"))
    assert full.forward_Hz == pytest.approx(vineyard_Hz(minimum, saddle), rel=0.01)


@pytest.mark.slow
def test_known_prefactor_of_copper():
    """A tightly relaxed symmetric saddle in the same cell gives 5.60 THz."""
    pytest.importorskip("phonopy")
    engine, band = converged_band(3)
    assert band.forward_eV == pytest.approx(0.7909, abs=0.001)
    found = run(VibrationsMaker(engine=engine, radius_A=None).make(band, "Cu -> V_Cu"))
    assert found.forward_Hz == pytest.approx(5.60e12, rel=0.01)


class ByStatics(Engine):
    """An engine that is no ASE calculator here: it hands out single points, as one with a queue does."""

    name, level_of_theory, summary = "by statics", "arithmetic", ""

    def cannot(self):
        return {"static": "none"} if self.mute else {}

    def provenance(self, left_out=()):
        return Provenance(engine=self.name, level_of_theory="arithmetic", left_out=list(left_out))

    def static(self, structure, *, name, mover=None):
        return get_engine("ase:ase.calculators.emt:EMT").static(structure, name=name, mover=mover)

    relax = band = spin_orbit = references = None

    def __init__(self, mute=False):
        self.mute = mute


ByStatics.__abstractmethods__ = frozenset()


def test_any_engine_with_single_points_gives_the_same_prefactors(band31):
    engine, band = band31
    here = run(VibrationsMaker(engine=engine, radius_A=2.7).make(band, "Cu -> V_Cu"))
    flow = VibrationsMaker(engine=ByStatics(), radius_A=2.7).make(band, "Cu -> V_Cu")
    done = run_locally(flow, log=False, raise_immediately=True)
    outputs = [r.output for by_index in done.values() for r in by_index.values()]
    (there,) = (o for o in outputs if isinstance(o, AttemptFrequency))
    assert there.forward_Hz == pytest.approx(here.forward_Hz, rel=1e-9)
    assert there.force_calls == here.force_calls == 3 * (1 + 6 * here.atoms)
    assert [m.imaginary for m in there.modes] == [0, 1, 0]
    assert there.provenance.engine == "by statics"


def test_single_points_without_forces_are_refused(band31):
    _, band = band31
    made = run(get_engine("ase:ase.calculators.emt:EMT").static(band.images[0].structure, name="still"), "still")
    assert np.array(made.forces_eV_per_A).shape == (len(band.images[0].structure), 3)
    silent = [made.model_copy(update={"forces_eV_per_A": None})]
    request = {"label": "hop", "radius_A": 2.7, "displacement_A": 0.01, "force_limit_eV_per_A": 0.05}
    with pytest.raises(CannotDoError, match="carry no forces"):
        modes_of_statics.original(ByStatics(), band, request, silent)


def test_refusals(band31):
    engine, band = band31
    with pytest.raises(ValueError, match="radius_A = -1"):
        VibrationsMaker(engine=engine, radius_A=-1).make(band)
    with pytest.raises(CannotDoError, match="cannot do static: none"):
        VibrationsMaker(engine=ByStatics(mute=True)).make(band)
