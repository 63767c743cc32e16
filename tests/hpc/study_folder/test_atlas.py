"""The atlas: what one page says of many studies is what they say, and nothing of a hop that is no result."""

import csv
import json
import math

import numpy as np
import pytest
from kept_study import KEPT, kept_study
from magnetoionics.analysis.kinetics.rates import rate_per_s
from magnetoionics.analysis.kinetics.switching import hop_in_field
from magnetoionics.analysis.study.atlas import Atlas, known_barriers, points_of_hops, points_of_study, ranked
from magnetoionics.analysis.study.transport import driving_fields_V_per_m
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.study_folder.atlas_page import atlas_page, write_atlas
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K

THERMAL_eV = 300 * BOLTZMANN_eV_PER_K


@pytest.fixture(scope="module")
def study():
    return kept_study()


@pytest.fixture(scope="module")
def point(study):
    (made,) = points_of_study(study)
    return made


def test_a_point_is_the_hop_of_its_study(study, point):
    hop = study.migration[0]
    assert (point.host, point.engine, point.forward_eV) == ("cofe2o4", "local", hop.forward_eV)
    rates = [1e13 * math.exp(-e / THERMAL_eV) for e in (hop.forward_eV, hop.backward_eV)]
    assert point.retention_s == pytest.approx(1 / sum(rates))
    assert point.dipole_along_hop_e_A == pytest.approx(hop.images[-1].dipole_along_hop_e_A)
    # Co2+ over 2.9 A, some of it back by the surroundings.
    assert 4 < point.dipole_along_hop_e_A < 6


def test_the_field_drives_the_hop_within_a_millisecond(study, point):
    hop = study.migration[0]
    found, linear = driving_fields_V_per_m(hop, 300.0, 1e13, 1e-3)
    assert (point.field_V_per_m, point.linear_field_V_per_m) == (found, linear)
    if found is not None:
        assert rate_per_s(hop_in_field(hop, found).forward_eV, 300.0) * 1e-3 == pytest.approx(1, rel=1e-3)
    # A hop need not be driven as hard if a second is soon enough.
    assert driving_fields_V_per_m(hop, 300.0, 1e13, 1.0)[1] < linear
    slope = hop_in_field(hop, 0.0).slope_forward_e_A
    assert linear * 1e-10 * abs(slope) == pytest.approx(hop.forward_eV - THERMAL_eV * math.log(1e13 * 1e-3), rel=1e-3)


def test_the_change_of_anisotropy_is_that_of_the_maps(study, point):
    maps = {m.state: m for m in study.anisotropy.maps}
    even = [np.array(maps[s].energies_meV) for s in ("before", "after")]
    assert point.anisotropy_change_meV == pytest.approx(np.ptp(even[1] - even[0]), rel=0.05)
    same = study.anisotropy.model_copy(
        update={"maps": [m.model_copy(update={"energies_meV": even[0].tolist()}) for m in study.anisotropy.maps]}
    )
    assert points_of_study(study.model_copy(update={"anisotropy": same}))[0].anisotropy_change_meV < 1e-9


def test_nothing_of_a_failed_hop_is_shown(study):
    hop = study.migration[0]
    bad = hop.model_copy(update={"checks": [hop.checks[0].model_copy(update={"passed": False, "invalidates": True})]})
    (made,) = points_of_study(study.model_copy(update={"migration": [bad]}))
    assert made.no_result
    numbers = ("forward_eV", "backward_eV", "dipole_along_hop_e_A", "anisotropy_change_meV", "retention_s")
    assert all(getattr(made, name) is None for name in numbers)
    page = atlas_page(Atlas(points=[made], left_out={}))
    assert "*no result*" in page
    assert f"{hop.forward_eV:.2f} /" not in page


def test_a_moment_that_the_engine_found_is_there(study):
    hop = study.migration[0].model_copy(update={"end_moments_muB": (21.0, 20.5)})
    assert points_of_study(study.model_copy(update={"migration": [hop]}))[0].moment_change_muB == pytest.approx(-0.5)


def test_errors_are_medians_over_known_barriers(point):
    known = {(k.host, k.ion): k for k in known_barriers()}
    near, far = known["tio2", "O"], known["lifepo4", "Li"]
    made = [
        point.model_copy(update={"host": k.host, "ion": k.ion, "forward_eV": k.high_eV + off})
        for k, off in ((near, 0.1), (near, 0.9), (far, 0.3))
    ]
    # Of one material the lowest barrier counts: 0.1, not 0.9.
    assert Atlas(points=made, left_out={}).errors_eV()["local"] == (pytest.approx(0.2), 2)
    assert Atlas(points=made[:1], left_out={}).errors_eV()["local"] == (None, 1)
    frame = Atlas(points=made, left_out={}).to_dataframe()
    assert frame["engine_error_eV"].to_numpy() == pytest.approx(0.2)
    assert frame["known_eV"].iloc[0] == near.low_eV
    inside = next(k for k in known_barriers() if k.low_eV < k.high_eV)
    assert inside.error_eV((inside.low_eV + inside.high_eV) / 2) == 0
    assert inside.error_eV(inside.low_eV - 0.1) == pytest.approx(0.1)


def test_the_known_barrier_has_a_point_of_its_own(point):
    """Over its own barrier the hop would be where it is; over a higher one it keeps longer and needs more."""
    known = point.with_known_barrier
    assert known.engine == "DFT"
    assert known.forward_eV == pytest.approx(0.955)
    assert known.retention_s == pytest.approx(math.exp(0.955 / THERMAL_eV) / 2e13)
    free = THERMAL_eV * math.log(1e10)
    ratio = (0.955 - free) / (point.forward_eV - free)
    assert known.field_V_per_m == pytest.approx(point.linear_field_V_per_m * ratio)
    assert point.model_copy(update={"host": "nobody"}).with_known_barrier is None


def test_the_longest_kept_comes_first(point):
    others = [point.model_copy(update={"retention_s": t}) for t in (1e-3, None, 1e3)]
    assert [p.retention_s for p in ranked(others)] == [1e3, 1e-3, None]


def test_the_page_is_made_of_what_has_finished(tmp_path, capsys):
    for name in ("one", "two"):
        (tmp_path / "campaign" / name).mkdir(parents=True)
    (tmp_path / "campaign" / "one" / "results.json").write_text(KEPT.read_text(encoding="utf-8"))
    (tmp_path / "campaign" / "two" / "results.json").write_text("{}")
    assert main(["atlas", str(tmp_path / "campaign"), "--output", str(tmp_path / "docs")]) == 0
    assert "1 hops of 1 materials" in capsys.readouterr().out
    page = (tmp_path / "docs" / "atlas.md").read_text(encoding="utf-8")
    assert "CoFe2O4 (`cofe2o4`, Imma)" in page
    assert "- two: " in page
    with (tmp_path / "docs" / "atlas.csv").open(encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert float(row["forward_eV"]) == pytest.approx(0.7203, abs=1e-3)
    assert row["known_kind"] == "DFT"
    assert len(json.loads((tmp_path / "docs" / "atlas.json").read_text(encoding="utf-8"))["points"]) == 1
    assert (tmp_path / "docs" / "images" / "atlas.png").stat().st_size > 10_000
    with pytest.raises(UserError, match="no finished hop"):
        write_atlas([tmp_path / "campaign" / "two"], tmp_path / "docs")


def test_an_earlier_atlas_stays_but_for_what_is_new(point, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "results.json").write_text(KEPT.read_text(encoding="utf-8"))
    old = [
        point.model_copy(update={"forward_eV": 0.1}),
        point.model_copy(update={"engine": "chgnet", "forward_eV": 0.2}),
        point.model_copy(update={"host": "nio", "forward_eV": 0.3}),
    ]
    earlier = tmp_path / "atlas.json"
    earlier.write_text(Atlas(points=old, left_out={"far": "no hop was computed"}).model_dump_json())
    arguments = ["atlas", str(tmp_path / "one"), "--output", str(tmp_path / "docs"), "--earlier", str(earlier)]
    assert main(arguments) == 0
    made = Atlas.model_validate_json((tmp_path / "docs" / "atlas.json").read_text(encoding="utf-8"))
    assert sorted(p.forward_eV for p in made.points) == [0.2, 0.3, pytest.approx(point.forward_eV)]
    assert made.left_out == {"far": "no hop was computed"}
    earlier.write_text("{")
    with pytest.raises(UserError, match=r"is no atlas\.json"):
        write_atlas([tmp_path / "one"], tmp_path / "docs", earlier=earlier)


def test_sets_of_hops_have_a_point_for_each(study):
    from magnetoionics.analysis.kinetics.hop_set import HopSet

    hops = HopSet(host="cofe2o4", formula="CoFe2O4", order="Imma", engine="x", migrations=study.migration, absent=[])
    assert [p.forward_eV for p in points_of_hops(hops)] == [m.forward_eV for m in study.migration]
