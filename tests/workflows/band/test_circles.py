"""Optimisers that go in circles: told, gone about by another one where that helps, and given up in words where not."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.optimize import LBFGS
from band_cases import vacancy
from magnetoionics.workflows.band.driver import BandDriver, BandInputError, BandSettings
from magnetoionics.workflows.band.relaxation import CIRCLE_STEPS, Watched, quiet_lbfgs, relax, relax_within


class Kinks(Calculator):
    """E = sum k [sqrt(u^2 + w^2) + u^2/2] along turned axes u: a narrow valley, and a kink where w is zero."""

    implemented_properties = ("energy", "forces")

    def __init__(self, width=0.003):
        super().__init__()
        self.width = width
        rng = np.random.default_rng(4)
        self.turned, _ = np.linalg.qr(rng.normal(size=(6, 6)))
        self.slopes = rng.uniform(0.3, 3.0, 6)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        u = self.turned @ self.atoms.positions.ravel()
        length = np.sqrt(u**2 + self.width**2)
        slope = self.slopes * (u / np.maximum(length, 1e-12) + u)
        forces = -(self.turned.T @ slope).reshape(-1, 3)
        self.results = {"energy": float(self.slopes @ (length + u**2 / 2)), "forces": forces}


def two_ions(width):
    places = np.random.default_rng(14).normal(size=(2, 3)) * 0.3
    return Atoms("Co2", positions=places, cell=[20] * 3, calculator=Kinks(width))


def largest(atoms):
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def test_a_circle_is_left_by_another_optimiser():
    """LBFGS alone never gets there; the minimum lies at zero."""
    alone = two_ions(0.003)
    assert not LBFGS(alone, logfile=None, maxstep=0.1, memory=50).run(fmax=0.01, steps=400)
    atoms = two_ions(0.003)
    (said,) = relax(atoms, 0.01, 400, "host")
    assert said.startswith("host: LBFGS went in circles at step ")
    assert "FIRE converged from its best place" in said
    assert largest(atoms) < 0.01
    assert np.abs(atoms.positions).max() < 1e-3


def test_a_kink_that_no_optimiser_passes_is_said_and_the_best_place_kept():
    atoms = two_ions(0.0)
    watched = Watched(quiet_lbfgs(two_ions(0.0), 0.1, 50))
    assert not watched.run(0.01, 1000)
    assert CIRCLE_STEPS < watched.steps < 300
    (said,) = relax(atoms, 0.01, 1000, "initial end")
    assert "and so did FIRE" in said
    assert "its forces are not its slope" in said
    assert largest(atoms) <= watched.circle.lowest_eV_per_A * 1.01
    with pytest.raises(BandInputError, match=r"still moves after 300 steps.*LBFGS went in circles"):
        relax_within(two_ions(0.0), "initial end", 0.01, 1000, 300)


class OnTheHop(Kinks):
    """The kinks across a path along x: E + h sin^2(pi x / L) of the first ion, and a second one that stays."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        Calculator.calculate(self, atoms, properties, system_changes)
        at = self.atoms.positions[0]
        rest = np.r_[at[1:], self.atoms.positions[1]] - [0.15 * np.sin(np.pi * at[0] / 3), 0, 0, 5, 0]
        turned = self.turned[:5, :5]
        u = turned @ rest
        length = np.sqrt(u**2 + self.width**2)
        pull = turned.T @ (self.slopes[:5] * (u / np.maximum(length, 1e-12) + u))
        wave = np.pi / 3 * at[0]
        along = 0.5 * np.pi / 3 * np.sin(2 * wave) - pull[0] * 0.15 * np.pi / 3 * np.cos(wave)
        forces = np.r_[-along, -pull].reshape(2, 3)
        self.results = {
            "energy": float(0.5 * np.sin(wave) ** 2 + self.slopes[:5] @ (length + u**2 / 2)),
            "forces": forces,
        }


@pytest.mark.parametrize("width", [0.003, 0.0])
def test_a_band_across_kinks_says_so(width):
    ends = [Atoms("Co2", positions=[[x, 0, 0], [0, 5, 0]], cell=[20] * 3, pbc=True) for x in (0.0, 3.0)]
    result = BandDriver(lambda: OnTheHop(width), BandSettings(max_steps=400)).run(*ends, [], 0)
    said = [n for n in result.notes if "LBFGS went in circles" in n]
    assert said
    residual = next(c for c in result.checks if c.name.startswith("NEB residual"))
    assert residual.passed == (width > 0)
    if width:
        energies = [p.energy for p in result.points]
        assert max(energies) - energies[0] == pytest.approx(0.5, abs=0.01)


def test_what_converges_is_told_nothing():
    initial, final, mover, _ = vacancy("Cu", 2)
    notes = BandDriver(EMT, BandSettings()).run(initial, final, [], mover).notes
    assert not [n for n in notes if "circles" in n]
