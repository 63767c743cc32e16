"""What a band refuses: settings out of range, evaluations that are no numbers, a search that thinks for too long."""

import numpy as np
import pytest
from ase.calculators.emt import EMT
from band_cases import vacancy
from magnetoionics.analysis.results.checks import (
    Check,
    InvalidResultError,
    failed,
    held,
    invalid_because,
    require_valid,
)
from magnetoionics.calculators.ligand_field import LigandFieldParameters
from magnetoionics.calculators.single_ions import SingleIonParameters
from magnetoionics.workflows.ase.jobs import relax_cell
from magnetoionics.workflows.band.driver import BandDriver, BandSettings, CallCounter
from magnetoionics.workflows.band.states import SurrogateSettings
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver
from magnetoionics.workflows.engines.local import LocalEngine
from magnetoionics.workflows.evaluation.checkpoint import Checkpoint
from magnetoionics.workflows.evaluation.finite import NotFiniteError

LIGANDS = LigandFieldParameters(zeta_eV=float("inf"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fmax_eV_per_A": -0.03}, "fmax_eV_per_A = -0.03 must be a number above 0"),
        ({"fmax_eV_per_A": float("nan")}, "fmax_eV_per_A = nan"),
        ({"relax_fmax_eV_per_A": 0.0}, "relax_fmax_eV_per_A = 0.0"),
        ({"spring_eV_per_A2": -1.0}, "spring_eV_per_A2 = -1.0"),
        ({"max_steps": 0}, "max_steps = 0 must be a whole number of at least 1"),
        ({"images_per_segment": 0}, "images_per_segment = 0 must be a whole number of at least 1"),
        ({"images_per_segment": 2.5}, "images_per_segment = 2.5"),
        ({"images_per_segment": float("nan")}, "images_per_segment = nan must be a whole number of at least 1"),
        ({"max_steps": float("inf")}, "max_steps = inf must be a whole number of at least 1"),
        ({"max_splits": -1}, "max_splits = -1 must be a whole number of at least 0"),
        ({"saddle_radius_A": -2.0}, "saddle_radius_A = -2.0"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        BandSettings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fmax_eV_per_A": -0.01}, "fmax_eV_per_A = -0.01"),
        ({"max_steps": 0}, "max_steps = 0"),
        ({"stress_limit_eV_per_A3": float("inf")}, "stress_limit_eV_per_A3 = inf"),
        ({"accuracy": float("nan")}, "accuracy is nan"),
        ({"accuracy": 0.0}, "accuracy = 0.0 must be a number above 0"),
        ({"accuracy": 0.1}, "accuracy = 0.1 must be at most 0.01"),
        ({"radius_A": -1.0}, "radius_A = -1.0"),
        ({"temperature_K": -3.0}, "temperature_K = -3 must not be negative"),
        ({"field_V_per_A": (0.0, 0.0, float("nan"))}, r"field_V_per_A\[2\] is nan"),
        ({"single_ions": SingleIonParameters(cobalt=LIGANDS)}, r"single_ions\.cobalt\.zeta_eV is inf"),
        ({"single_ions": SingleIonParameters(others={"Ni2+": LIGANDS})}, r"single_ions\.others\.zeta_eV is inf"),
    ],
)
def test_engines_refuse_them_too(wrong, said):
    with pytest.raises(ValueError, match=said):
        LocalEngine(**wrong)


def test_surrogates_refuse_them_too():
    with pytest.raises(ValueError, match="max_calls = 0"):
        SurrogateSettings(max_calls=0)
    with pytest.raises(ValueError, match="own_time_s = -1"):
        SurrogateSettings(own_time_s=-1.0)


class Breaks(EMT):
    """EMT whose forces on one atom are lost where another is away from where it began."""

    calls = 0

    def __init__(self, mover, start, atom, reach_A=0.6):
        super().__init__()
        self.mover, self.start, self.atom, self.reach_A = mover, start, atom, reach_A

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        type(self).calls += 1
        gone = np.linalg.norm(self.atoms.positions[self.mover] - self.start)
        if self.reach_A < gone < 2.0:
            self.results["forces"][self.atom, 1] = np.nan


@pytest.mark.parametrize(
    ("driver", "where"), [(BandDriver, r"image \d of segment 1"), (SurrogateBandDriver, "the search")]
)
def test_a_force_that_is_no_number_near_the_saddle_ends_the_band_at_once_by_name(driver, where):
    """Taken on, it costs 13,515 calls and ends in words of scipy."""
    initial, final, mover, _ = vacancy("Cu", 2)
    start = initial.positions[mover].copy()
    Breaks.calls = 0
    said = rf"forces that are no finite numbers on atom 7 \(Cu at .*\); its closest pair is Cu .* A apart \({where}\)"
    with pytest.raises(NotFiniteError, match=said):
        driver(lambda: Breaks(mover, start, 7), BandSettings(fmax_eV_per_A=0.02)).run(initial, final, [], mover)
    assert Breaks.calls < 60


def test_energy_and_stress_are_judged_as_well():
    atoms = vacancy("Cu", 2)[0]

    class NoEnergy(EMT):
        def calculate(self, *args, **kwargs):
            super().calculate(*args, **kwargs)
            self.results["energy"] = np.inf

    atoms.calc = CallCounter().attach(NoEnergy(), "initial end")
    with pytest.raises(NotFiniteError, match=r"energy that are no finite numbers.*\(initial end\)"):
        atoms.get_potential_energy()

    class NoStress(EMT):
        def calculate(self, *args, **kwargs):
            super().calculate(*args, **kwargs)
            if "stress" in self.results:
                self.results["stress"] = np.full(6, np.nan)

    atoms.calc = CallCounter().attach(NoStress())
    with pytest.raises(NotFiniteError, match="stress"):
        relax_cell(LocalEngine(), atoms)


def test_a_lost_evaluation_is_not_kept_on_disk(tmp_path):
    atoms, _, mover, _ = vacancy("Cu", 2)
    start = atoms.positions[mover] + [1.0, 0, 0]
    kept = Checkpoint(tmp_path / "record.jsonl")
    atoms.calc = kept.attach(Breaks(mover, start, 3))
    with pytest.raises(NotFiniteError, match="atom 3"):
        atoms.get_forces()
    kept.flush()
    assert not (tmp_path / "record.jsonl").exists()


class Ticks:
    """A clock that goes on by a fixed time whenever somebody looks."""

    def __init__(self, step_s):
        self.step_s, self.now_s = step_s, 0.0

    def __call__(self):
        self.now_s += self.step_s
        return self.now_s


def test_a_search_that_thinks_for_too_long_hands_over_and_says_so():
    initial, final, mover, _ = vacancy("Cu", 2)
    settings = BandSettings(fmax_eV_per_A=0.02)
    hurried = SurrogateBandDriver(EMT, settings, SurrogateSettings(own_time_s=1.0), clock=Ticks(400.0))
    result = hurried.run(initial, final, [], mover)
    assert any("ordinary band" in n for n in result.notes)
    assert any("the search thought for" in n for n in result.notes)
    calm = SurrogateBandDriver(EMT, settings, SurrogateSettings(own_time_s=1e9), clock=Ticks(400.0))
    other = calm.run(initial, final, [], mover)
    assert not any("ordinary band" in n for n in other.notes)
    assert other.forward_eV == pytest.approx(result.forward_eV, abs=0.004)


def test_the_budget_of_a_search_grows_with_the_time_of_the_engine():
    budget = SurrogateSettings(own_time_s=10.0)
    assert budget.too_long(search_s=9.0, engine_s=0.0) == ""
    assert "thought for 11 s" in budget.too_long(search_s=11.0, engine_s=0.0)
    assert budget.too_long(search_s=190.0, engine_s=100.0) == ""
    assert budget.too_long(search_s=210.0, engine_s=100.0)


def test_none_of_the_checks_of_a_band_lets_its_number_pass():
    """Ends, residual, saddle force, curvature, tops: a band that was cut off is refused by all of them."""
    initial, final, mover, _ = vacancy("Cu", 2)
    cut = BandDriver(EMT, BandSettings(fmax_eV_per_A=0.001, relax_fmax_eV_per_A=0.001, max_steps=2))
    result = cut.run(initial, final, [], mover)
    names = {c.name for c in failed(result.checks)}
    assert {"initial end relaxed", "final end relaxed", "NEB residual of segment 1"} <= names
    assert len(invalid_because(result.checks)) == len(names)
    for check in result.checks:
        with pytest.raises(InvalidResultError, match="must not be used"):
            require_valid([check.model_copy(update={"passed": False})], "the band")


def test_a_check_says_on_which_side_its_value_has_to_be():
    assert held("force", 1.1, 0.06, unit="eV/A").in_words == "force: 1.1 eV/A, must be below 0.06 eV/A"
    assert held("cosine", -0.2, 0.0, must_be="above").in_words == "cosine: -0.2, must be above 0"
    # What passes at its limit is not below it.
    assert [held("n", x, 1.0).side for x in (0.0, 1.0, 2.0)] == ["below", "at most", "below"]
    assert held("n", 1.0, 1.0, must_be="above").side == "at least"
    assert held("n", 1.0, 1.0, strictly=True).side == "below"
    assert held("modes", 2, 1, must_be="equal to").in_words == "modes: 2, must be equal to 1"
    assert Check(name="modes", passed=None, note="not counted").in_words == "modes: not counted"


@pytest.mark.parametrize(
    ("must_be", "strictly", "passes"),
    [
        ("below", False, [True, True, False]),
        ("below", True, [True, False, False]),
        ("above", False, [False, True, True]),
        ("above", True, [False, False, True]),
        ("equal to", False, [False, True, False]),
    ],
)
def test_limits(must_be, strictly, passes):
    found = [held("x", v, 1.0, must_be=must_be, strictly=strictly).passed for v in (0.5, 1.0, 1.5)]
    assert found == passes
    for lost in (float("nan"), float("inf"), float("-inf")):
        check = held("x", lost, 1.0, must_be=must_be, strictly=strictly)
        assert check.passed is False
        assert "no finite number" in check.note
