"""Points of the stability region by name lie where they say, on the host's plane and inside."""

import pytest
from magnetoionics.analysis.thermodynamics.named_points import named_point
from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV
from magnetoionics.analysis.thermodynamics.phases import load_experimental_phases
from magnetoionics.analysis.thermodynamics.stability_window import stability_window


@pytest.fixture(scope="module")
def window():
    return stability_window("CoFe2O4", load_experimental_phases(["Co", "Fe", "O"]))


@pytest.mark.parametrize(
    "said", ["middle", "O-rich", "O-poor", "Co-rich", "Fe poor", "1000 K, 1e-6 atm", "O=-1.9", "O=-1.9, Co=-0.7"]
)
def test_every_point_is_in_equilibrium_with_the_host_and_lets_no_other_phase_form(window, said):
    point = named_point(window, said)
    total = sum(n * point[el] for el, n in window.composition.items())
    assert total == pytest.approx(window.host_formation_energy_eV, abs=1e-9)
    for phase in window.phases[1:]:
        atoms = _atoms(phase.formula)
        assert sum(n * point[el] for el, n in atoms.items()) <= phase.formation_energy_eV + 1e-6
    assert max(point.values()) <= 1e-9


def _atoms(formula):
    from pymatgen.core import Composition

    return Composition(formula).as_dict()


def test_names_are_the_ends_that_they_say(window):
    assert named_point(window, "O-rich")["O"] == pytest.approx(window.delta_mu_O_max_eV)
    assert named_point(window, "O-poor")["O"] == pytest.approx(window.delta_mu_O_min_eV)
    assert named_point(window, "Co-rich")["Co"] == pytest.approx(0.0, abs=1e-9)
    assert named_point(window, "Fe-poor")["Fe"] == pytest.approx(min(v["Fe"] for v in window.vertices))
    assert named_point(window, "1000 K, 1e-6 atm")["O"] == pytest.approx(delta_mu_O_eV(1000.0, 1e-6))
    assert named_point(window, "O=-1.9, Co=-0.7") == pytest.approx(
        {"O": -1.9, "Co": -0.7, "Fe": (window.host_formation_energy_eV + 4 * 1.9 + 0.7) / 2}
    )


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("rich", "is no point"),
        ("O=-1.9; x", "is no point"),
        ("Co=-1.0", "leaves Fe and O open"),
        ("Ni-rich", "has no Ni"),
        ("0 K, 1 atm", "above zero"),
        ("300 K, 1 atm", "outside"),
        ("O=-1.9, Co=0.1", r"outside.*Co \(element\)"),
        ("O=-1.9, Co=-2.5", "outside.*would form"),
        ("O=-1.9, Co=-0.7, Fe=-1.0", "off equilibrium"),
    ],
)
def test_what_is_no_point_is_refused(window, said, answer):
    with pytest.raises(ValueError, match=answer):
        named_point(window, said)
