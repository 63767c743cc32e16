"""Spin-orbit runs by direction: a real run gives its direction, a set of them energies, and a map if they suffice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from magnetoionics.analysis.study.imported import ImportRecord
from magnetoionics.workflows.importing.choosing import choose
from magnetoionics.workflows.importing.directions import directions_of, spin_direction
from magnetoionics.workflows.importing.run_folder import RunFolder
from magnetoionics.workflows.importing.sorting import sort_runs
from magnetoionics.workflows.importing.study import DIRECTIONS_STAGE, study_of
from magnetoionics.workflows.importing.tree import Place
from magnetoionics.workflows.vasp.finished.document import VaspRun
from magnetoionics.workflows.vasp.finished.reader import read_run
from pymatgen.core import Lattice, Structure

CELL = Structure(Lattice.tetragonal(3.0, 4.0), ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
K_meV = 1.5
SIX = [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1)]


def found(direction, *, energy_meV: float | None = None, saxis: bool = True, turned=None, **changed) -> RunFolder:
    """A run of E = K sin^2(theta), its direction given by SAXIS or by MAGMOM."""
    n = np.array(direction, dtype=float) / np.linalg.norm(direction)
    moments = 3.0 * (n if turned is None else np.array(turned, dtype=float) / np.linalg.norm(turned))
    fields = {
        "folder": "x",
        "structure": CELL,
        "energy_eV": -10.0 + 1e-3 * (K_meV * (1 - n[2] ** 2) if energy_meV is None else energy_meV),
        "noncollinear": True,
        "spin_orbit": True,
        "saxis": n.tolist() if saxis else [0.0, 0.0, 1.0],
        "start_moments_muB": [[0, 0, 3.0] if saxis else (3.0 * n).tolist(), [0, 0, 0]],
        "site_moment_vectors_muB": [moments.tolist(), [0, 0, 0]],
        "kpoints": 64,
        "kpoint_mesh": [4, 4, 4],
        "parameters": {"EDIFF": 1e-8},
    }
    name = "-".join(str(x) for x in direction) + "".join(changed)
    return RunFolder(Place(Path(name), name, "run"), run=VaspRun(**{**fields, **changed}))


def test_direction_of_a_real_antiferromagnet_is_its_saxis(real: Path) -> None:
    """NiO with U and spin-orbit coupling, moments of 1.67 muB along [111] and against it."""
    run = read_run(real / "vasp/collection/a_soc/nio_u_5.4.1")
    assert spin_direction(run) == pytest.approx(np.ones(3) / np.sqrt(3), abs=1e-6)
    sideways = run.model_copy(update={"saxis": [0.0, 0.0, 1.0]})
    with pytest.raises(ValueError, match=r"turned 55 degrees away from \[0 0 1\]"):
        spin_direction(sideways)


@pytest.mark.parametrize("saxis", [True, False])
def test_six_directions_make_a_map_and_its_constant(saxis: bool) -> None:
    table, made, reason = directions_of([found(n, saxis=saxis) for n in SIX], 1.0, {})
    assert reason == ""
    assert table is not None
    assert made is not None
    energies = {tuple(np.round(d.direction, 3)): d.energy_meV for d in table.directions}
    assert energies[(0.0, 0.0, 1.0)] == pytest.approx(0.0, abs=1e-6)
    assert energies[(1.0, 0.0, 0.0)] == pytest.approx(K_meV, abs=1e-6)
    fit = made.fit()
    assert fit(np.array([[1.0, 0, 0]]))[0] - fit(np.array([[0, 0, 1.0]]))[0] == pytest.approx(K_meV, abs=1e-6)
    # -n was taken from time reversal: that it holds is not a check that passed.
    assert [c.passed for c in made.checks] == [None]


def test_three_directions_are_listed_and_make_no_map() -> None:
    table, made, reason = directions_of([found(n) for n in SIX[:3]], 1.0, {})
    assert table is not None
    assert [round(d.energy_meV, 6) for d in table.directions] == [0.0, K_meV, K_meV]
    assert made is None
    assert "3 directions do not determine E(n)" in reason


def test_one_direction_is_no_anisotropy() -> None:
    run = found((0, 0, 1))
    assert directions_of([run], 1.0, {})[:2] == (None, None)
    assert "no other direction" in run.refused[0]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kpoint_mesh": [2, 2, 2]}, "k-point mesh"),
        ({"kpoints": 20}, "20 k points, not 64"),
        ({"parameters": {"EDIFF": 1e-5}}, "EDIFF = 1e-05, not 1e-08"),
        ({"parameters": {}}, "EDIFF is not known"),
        ({"structure": CELL.copy().scale_lattice(40.0)}, "another cell"),
        ({"site_moment_vectors_muB": [[0, 1.0, 1.0], [0, 0, 0]]}, "another electronic state"),
        ({"site_moment_vectors_muB": None}, "no site moments"),
    ],
)
def test_a_run_that_differs_in_more_than_direction_is_left_out(changed: dict, why: str) -> None:
    odd = found((0, 1, 1), **changed)
    runs = [*(found(n) for n in SIX[:5]), odd]
    table, made, _ = directions_of(runs, 1.0, {})
    assert table is not None
    assert len(table.directions) == 5
    assert made is None
    assert why in " ".join(odd.refused)


def test_both_senses_are_held_against_time_reversal() -> None:
    runs = [found(n) for n in SIX] + [found((0, 0, -1), energy_meV=0.8)]
    _, made, _ = directions_of(runs, 1.0, {})
    assert made is not None
    assert [c.passed for c in made.checks] == [False]
    _, sound, _ = directions_of([*(found(n) for n in SIX), found((0, 0, -1))], 1.0, {})
    assert sound is not None
    assert [c.passed for c in sound.checks] == [True]


def test_spins_that_turned_are_no_energy_of_their_direction() -> None:
    odd = found((1, 0, 0), turned=(1, 0, 0.3))
    directions_of([found((0, 0, 1)), odd], 1.0, {})
    assert "turned 17 degrees" in odd.refused[0]


@pytest.mark.parametrize(("count", "has_map"), [(6, True), (3, False)])
def test_study_holds_directions_and_the_map_they_make(count: int, has_map: bool) -> None:
    plain = {"spin_orbit": False, "noncollinear": False, "site_moments_muB": [3.0, 0.0], "total_moment_muB": 3.0}
    host = found((0, 0, 1), **plain)
    runs = [host, *(found(n) for n in SIX[:count])]
    arranged = sort_runs(runs, "FeO")
    chosen = choose(arranged, None)

    def record() -> ImportRecord:
        return ImportRecord(host_from="", level_of_theory="", folders=[f.document() for f in runs])

    study, _ = study_of(chosen, arranged, None, record)
    assert len(study.observables[DIRECTIONS_STAGE].directions) == count
    assert all(f.used for f in record().folders)
    assert (study.anisotropy is not None) is has_map
    if study.anisotropy is None:
        assert "3 directions" in study.not_done("anisotropy")
        return
    summary = study.anisotropy.summaries[0]
    assert summary.easy_axis == pytest.approx([0.0, 0.0, 1.0], abs=1e-3)
    assert summary.hard_minus_easy_meV == pytest.approx(K_meV, abs=1e-3)


@pytest.mark.parametrize(("size_muB", "passed"), [(0.05, False), (0.6, True), (None, None)])
def test_open_shells_of_imported_runs_are_held_against_their_orbital_moment(size_muB, passed) -> None:
    """Co2+ of rock salt: 0.05 muB is a quenched state, whose E(n) is of second order only."""
    salt = Structure(Lattice([[0, 2.13, 2.13], [2.13, 0, 2.13], [2.13, 2.13, 0]]), ["Co", "O"], [[0] * 3, [0.5] * 3])
    runs = []
    for n in SIX:
        unit = np.array(n) / np.linalg.norm(n)
        orbital = None if size_muB is None else [(-size_muB * unit).tolist(), [0, 0, 0]]
        runs.append(found(n, structure=salt, orbital_moments_muB=orbital))
    made = directions_of(runs, 1.0, {})[1]
    assert made is not None
    check = next(c for c in made.checks if c.name == "orbital moment of open t2g shells")
    assert check.passed is passed
    assert not check.invalidates
    assert size_muB is None or check.value == pytest.approx(size_muB)
    (ediff,) = [p for p in made.error_parts if p.source == "EDIFF"]
    assert ediff.value_meV == pytest.approx(2e-5)
