"""The error that is printed beside an anisotropy energy: what was measured, and what nobody did by name."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import cubic_constants, summarise
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.map_errors import ErrorPart, errors_in_words, errors_of
from magnetoionics.analysis.results.checks import Check
from magnetoionics.calculators.parameter_sources import SOURCES
from magnetoionics.structures.host import get_host
from magnetoionics.structures.units import MEV_PER_A3_TO_MJ_PER_M3
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.engines.local import single_ion_anisotropy
from maps import make_map


def energy(n):
    a, b, c = (n**2).T
    return 8.0 * (a * b + b * c + c * a)


def test_errors_add_as_squares_and_count_four_times_in_K1():
    parts = [ErrorPart(source="k mesh", value_meV=0.3), ErrorPart(source="electronic starts", value_meV=0.4)]
    map_ = make_map(energy, 9).model_copy(update={"error_parts": parts})
    assert summarise(map_).error_meV == pytest.approx(0.5, abs=1e-9)
    found = cubic_constants(map_)
    to_density = MEV_PER_A3_TO_MJ_PER_M3 / map_.cell_volume_A3
    assert found.K1_error_MJ_per_m3 == pytest.approx(4 * 0.5 * to_density)
    # K1 that was had twice has an error of its own.
    own = [ErrorPart(source="k mesh", value_meV=0.3, K1_meV=0.1), parts[1]]
    both = cubic_constants(map_.model_copy(update={"error_parts": own})).K1_error_MJ_per_m3
    assert both == pytest.approx(np.hypot(0.1, 1.6) * to_density)


def test_odd_part_is_an_error_of_a_difference():
    map_ = make_map(lambda n: energy(n) + 0.02 * n[:, 2], 9)
    odd = next(p for p in errors_of(map_) if p.source == "odd part")
    assert odd.value_meV == pytest.approx(0.02)


def test_what_nobody_measured_is_named_and_is_not_zero():
    summary = summarise(make_map(energy, 9))
    assert summary.error_meV is None
    assert cubic_constants(make_map(energy, 9)).K1_error_MJ_per_m3 is None
    said = errors_in_words(summary.error_parts)
    assert "not known: k mesh (not measured), electronic starts (not measured)" in said


def test_a_quenched_shell_is_an_error_without_a_number():
    check = Check(name="orbital moment of open t2g shells", passed=False, note="second order only", invalidates=False)
    map_ = make_map(energy, 9).model_copy(update={"checks": [check]})
    (part,) = [p for p in errors_of(map_) if p.source == "orbital state"]
    assert part.value_meV is None
    assert part.note == "second order only"
    sound = check.model_copy(update={"passed": True})
    assert all(p.source != "orbital state" for p in errors_of(map_.model_copy(update={"checks": [sound]})))


@pytest.mark.slow
def test_assumed_parameters_have_the_error_of_their_ranges():
    """Fe3+ of LiFe5O8: each parameter at its farther end, K1 of every whole map, summed as squares."""
    from dataclasses import replace

    cell, engine = get_host("life5o8").structure(), get_engine("local")
    # <100>, <110> and <111>: as many averages as cubic constants.
    directions = lebedev_directions(7).vectors.tolist()

    def mapped(used, state="before"):
        return single_ion_anisotropy.original(used, cell, directions=directions, state=state)

    def K1(used):
        return cubic_constants(mapped(used), average=True).K1_meV_per_cell

    whole = mapped(engine, "pristine")
    part = next(p for p in whole.error_parts if p.source == "assumed parameters")
    ions, changes = engine.single_ions, []
    for source in (s for s in SOURCES if s.ion == "ferric"):
        value = getattr(ions.ferric, source.name)
        far = source.low if round(2 * value - source.low - source.high, 9) > 0 else source.high
        other = replace(ions, ferric=replace(ions.ferric, **{source.name: far}))
        changes.append(K1(replace(engine, single_ions=other)) - K1(engine))
    assert part.K1_meV == pytest.approx(np.linalg.norm(changes), rel=1e-3)
    assert 0 < part.value_meV < 0.5 * np.ptp(whole.energies_meV)
    # The sign of K1 is known, its size to a fifth: docs/single_ions.md.
    found = cubic_constants(whole, average=True)
    assert found.K1_error_MJ_per_m3 < 0.3 * abs(found.K1_MJ_per_m3)


def test_a_host_with_ions_without_ranges_says_so():
    cell = get_host("nio").structure()
    directions = lebedev_directions(7).vectors.tolist()
    map_ = single_ion_anisotropy.original(get_engine("local"), cell, directions=directions, state="pristine")
    (part,) = map_.error_parts
    assert part.value_meV is None
    assert "Ni2+" in part.note
