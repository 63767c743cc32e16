"""The table of expected costs: every job of the study is in it, and a stricter protocol costs more."""

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.hpc.cli import main
from magnetoionics.structures.defects.kind import built_defect
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import PROTOCOLS, CannotDoError, get_engine
from magnetoionics.workflows.flows.charged_defects import ChargedVacanciesMaker


def costs(protocol, **options):
    return get_engine(f"vasp:{protocol}", **options).expected_costs(get_host("cofe2o4"), None, (2, 2, 2))


@pytest.fixture(scope="module")
def by_protocol():
    return {protocol: costs(protocol) for protocol in PROTOCOLS}


def test_a_stricter_protocol_costs_more(by_protocol):
    totals = [sum(c.all_core_hours for c in by_protocol[p]) for p in PROTOCOLS]
    print({p: f"{t / 128:.0f} node hours of 128 cores" for p, t in zip(PROTOCOLS, totals, strict=True)})
    # A quick look is for an afternoon of a few nodes, a study for a group's project, a proof for an allocation.
    assert totals[0] < totals[1] / 3 < totals[2] / 30
    assert totals[1] / 128 < 1000


def test_spin_orbit_stands_in_small_cells_and_the_band_at_gamma(by_protocol):
    found = {c.name: c for c in by_protocol["balanced"]}
    turned = [c for name, c in found.items() if name.startswith("anisotropy")]
    assert max(c.atoms for c in turned) == 56
    assert {c.kpoints for c in found.values() if c.atoms > 400} == {1}
    own = [c.count for c in turned if c.name.endswith("before") and "density" not in c.name]
    # One direction of each orbit and its opposite, of 38.
    assert 2 <= sum(own) <= 38
    band = found["hop1_segment1"]
    assert band.core_hours > 3 * found["hop1_initial"].core_hours
    # Berry phases are in the study only if they were asked for.
    assert not any(name.startswith("hop1_berry") for name in found)


def test_the_limit_of_vacancies_is_the_engines():
    few = [c.name for c in costs("fast", most_vacancies=2) if c.name.startswith("vacancy")]
    assert len(few) == 2


def test_command_prints_the_table_and_other_engines_say_that_they_cannot(capsys):
    assert main(["cost", "cofe2o4", "--quick", "--protocol", "fast", "--cores", "64"]) == 0
    out = capsys.readouterr().out
    assert "host_supercell" in out
    assert "64 cores a node" in out
    assert main(["cost", "cofe2o4", "--engine", "local"]) == 2
    assert "no estimate" in capsys.readouterr().err
    with pytest.raises(CannotDoError):
        get_engine("local").expected_costs(get_host("cofe2o4"), None, (1, 1, 1))


def test_an_outcar_calibrates(real, capsys):
    path = real / "vasp" / "collection" / "e_neb" / "fe_vacancy_ends_5.4.1" / "00" / "OUTCAR.gz"
    assert main(["cost", "cofe2o4", "--quick", "--protocol", "fast", "--outcar", str(path)]) == 0
    assert "host_supercell" in capsys.readouterr().out
    assert main(["cost", "cofe2o4", "--quick", "--outcar", "no-such-file"]) == 2


def test_charged_stage_and_its_starts_are_counted(capsys):
    """As many relaxations as the flow makes; every electron taken away is missing in the size of the job."""
    engine = get_engine("vasp:fast")
    host = get_host("cofe2o4")
    plain = engine.expected_costs(host, None, (1, 1, 1))
    kinds = ("as built", "localised", "mixed")
    found = engine.expected_costs(host, None, (1, 1, 1), starts=kinds, most_starts=3)
    assert found[: len(plain)] == plain
    charged = {c.name: c for c in found[len(plain) :]}
    assert {"charged_dielectric", "charged_host", "charged_dense"} < set(charged)
    assert charged["charged_dense"].kpoints > charged["charged_dielectric"].kpoints
    flow = ChargedVacanciesMaker(engine=engine, repeats=(1, 1, 1), starts=kinds, most_starts=3)
    placed, _ = flow.placed_defects("cofe2o4", None)
    cell = host.structure()
    starts = sum(len(flow.starts_of(built_defect(cell, one), has_neutral=True)) for one in placed)
    assert sum(c.count for name, c in charged.items() if name.endswith("_relax")) == starts
    full, less = charged["charged_V_Fe_B__-3_relax"], charged["charged_V_Fe_B__-1_relax"]
    assert full.electrons - less.electrons == 2
    assert (full.count, less.count) == (1, 3)
    assert main(["cost", "cofe2o4", "--quick", "--protocol", "fast", "--charged", "as_built"]) == 0
    assert "charged_V_Fe_B" in capsys.readouterr().out
    assert main(["cost", "cofe2o4", "--quick", "--charged", "as_bild"]) == 2
    assert "did you mean" in capsys.readouterr().err
