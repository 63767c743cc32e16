"""All hops of a host in one command: which there are, their barriers, tables and figure."""

import json

import numpy as np
import pandas as pd
import pytest
from kept_study import kept_study
from magnetoionics.analysis.kinetics.hop_set import HopSet
from magnetoionics.analysis.kinetics.uniform_network import uniform_network
from magnetoionics.analysis.results.checks import InvalidResultError, held
from magnetoionics.hpc.cli import app
from magnetoionics.hpc.study_folder.hop_run import is_whole, print_diffusion, print_hops, print_ways_along
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.flows.hops import all_hops, collect_hops
from magnetoionics.workflows.jobs.outputs import function_of
from pymatgen.core import Lattice, Structure
from rich.console import Console
from typer.testing import CliRunner


def pairs(numbers):
    return {(n.kind.ion, f"V_{n.kind.vacancy_element}({n.kind.vacancy_sublattice})") for n in numbers}


def test_cobalt_ferrite_has_both_movers_and_both_vacancies():
    host = get_host("cofe2o4")
    found, _ = all_hops(host, host.structure("Imma"), (1, 1, 1))
    assert pairs(found) == {(i, v) for i in ("Co", "Fe") for v in ("V_Fe(B)", "V_Co(B)")}
    assert (found[0].kind.ion, found[0].kind.vacancy_element) == ("Co", "Fe")


def test_lithium_ferrite_has_no_single_hop_between_lithium_sites():
    host = get_host("life5o8")
    found, absent = all_hops(host, host.structure("P4_332"), (1, 1, 1))
    assert ("Li", "V_Fe(B)") in pairs(found)
    assert ("Fe", "V_Li(B)") in pairs(found)
    assert ("Li", "V_Li(B)") not in pairs(found)
    assert any(line.startswith("Li(B) -> V_Li(B): no Li(B) within") for line in absent)


def test_a_hop_that_failed_costs_that_hop():
    """What is no result stands behind the others, whatever its barrier; what ended with an error is named."""
    good, low = (kept_study().migration[0] for _ in range(2))
    low.forward_eV = 0.1
    low.checks.append(held("saddle force of segment 1", 1.1, 0.06, unit="eV/A"))
    names = ["first", "second", "third"]
    made = function_of(collect_hops)("cofe2o4", "Imma", "local", [low, None, good], [], names)
    assert [m.forward_eV for m in made.migrations] == [good.forward_eV, 0.1]
    assert made.absent == ["second: its band ended with an error"]
    marks = made.to_dataframe().groupby("hop")["no_result"].first()
    assert sorted(bool(mark) for mark in marks) == [False, True]
    assert not is_whole(made)
    assert is_whole(function_of(collect_hops)("cofe2o4", "Imma", "local", [good], [], names[:1]))
    said = Console(record=True, width=200)
    print_hops(made, said)
    assert "no result: saddle force of segment 1: 1.1 eV/A, must be below 0.06 eV/A" in said.export_text()
    with pytest.raises(InvalidResultError, match="no band came to an end: first"):
        function_of(collect_hops)("cofe2o4", "Imma", "local", [None], [], names[:1])


@pytest.fixture(scope="module")
def lithium(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hops") / "lfo"
    done = CliRunner().invoke(app, ["hops", "life5o8", "--quick", "--output", str(folder)], catch_exceptions=False)
    return folder, done


@pytest.mark.slow
def test_one_command_gives_table_figure_and_document(lithium):
    folder, done = lithium
    assert done.exit_code == 0, done.output
    assert "Li(B) -> V_Fe(B)" in done.output
    table = pd.read_csv(folder / "hops.csv")
    assert set(table["field_V_per_m"]) == {0.0, 1e8, -1e8, 5e8, -5e8}
    hops = HopSet.model_validate(json.loads((folder / "hops.json").read_text()))
    assert len(table) == 5 * len(hops.migrations)
    assert (folder / "hops.png").stat().st_size > 10_000
    forward = [m.forward_eV for m in hops.migrations]
    assert forward == sorted(forward)


@pytest.mark.slow
def test_a_hop_and_its_reverse_have_one_path(lithium):
    """Li(4b) into V_Fe(12d) and Fe(12d) into V_Li(4b) have swapped ends only if the mover is the same; barriers differ,
    but each table obeys forward - backward = reaction energy, and a field tilts both ways.
    """
    table = pd.read_csv(lithium[0] / "hops.csv")
    assert np.abs(table["forward_eV"] - table["backward_eV"] - table["delta_eV"]).max() < 1e-9
    for _, rows in table.groupby(["hop", "distance_A"]):
        by_field = rows.set_index("field_V_per_m")["forward_eV"]
        assert by_field[5e8] < by_field[0.0] < by_field[-5e8]


def test_diffusion_over_all_hops_is_a_table_with_its_reasons(tmp_path):
    pytest.importorskip("onsager")
    cell = Structure(Lattice.cubic(3.0), ["Li"], [[0, 0, 0]], site_properties={"sublattice": ["A"]})
    network = uniform_network(cell, "A", 3.0, 0.4, 1.0, ion="Li", label="Li -> V_Li")
    hops = HopSet.model_construct(networks=[network])
    print_diffusion(hops, [1000.0, 4000.0], tmp_path, Console(record=True))
    good, bad = pd.read_csv(tmp_path / "diffusion.csv").to_dict("records")
    # Simple cubic: D = d^2 nu exp(-E/kT) of the vacancy, and the textbook factor of the tracer.
    assert good["D_cm2_per_s"] == pytest.approx(9e-16 * 1e13 * np.exp(-0.4 / (8.617333e-5 * 1000)), rel=1e-5)
    assert good["correlation"] == pytest.approx(0.6531, abs=1e-4)
    assert np.isnan(bad["D_cm2_per_s"])
    assert "2 kT" in bad["no_result"]


def test_crowded_ions_are_walked_over_all_kinds_of_hops(tmp_path):
    """Layers of quick and slow hops, half full: within them f is that of the square lattice (0.4669 for a lone vacancy)
    by Nakazato and Kitahara, f = 1/[1 + (1 - f0)/f0 x/(2 - x)]; what has no equilibrium says so.
    """
    pytest.importorskip("onsager")
    cell = Structure(Lattice.tetragonal(3.0, 5.0), ["Li"], [[0, 0, 0]], site_properties={"sublattice": ["A"]})
    plane = uniform_network(cell, "A", 3.0, 0.4, 1.0, ion="Li", label="within")
    across = uniform_network(cell, "A", 5.0, 0.8, 1.0, ion="Li", label="across")
    longer = [h for h in across.hops if abs(h.displacement_A[2]) > 4]
    both = plane.model_copy(update={"hops": [*plane.hops, *longer]})
    hops = HopSet.model_construct(networks=[both, both.model_copy(update={"mismatch_eV": 0.1})])
    print_diffusion(hops, [900.0], tmp_path, Console(record=True), 0.5)
    walked, told = pd.read_csv(tmp_path / "diffusion.csv").to_dict("records")
    free = 9e-16 * 1e13 * np.exp(-0.4 / (8.617333e-5 * 900)) * 0.5
    f = 1 / (1 + (1 - 0.4669) / 0.4669 / 3)
    assert walked["tracer_Dx_cm2_per_s"] == pytest.approx(f * free, rel=0.06)
    assert walked["tracer_Dz_cm2_per_s"] < 0.05 * walked["tracer_Dx_cm2_per_s"]
    assert "order of the cations" in told["not_walked"]


def test_the_easiest_way_along_the_field_is_told(capsys):
    """Planes that are joined by a high hop along z alone: across them it limits, within them it does not."""
    cell = Structure(Lattice.tetragonal(3.0, 5.0), ["Li"], [[0, 0, 0]], site_properties={"sublattice": ["B"]})
    plane = uniform_network(cell, "B", 3.0, 0.3, 1.0, ion="Li", label="within")
    across = uniform_network(cell, "B", 5.0, 0.8, 1.0, ion="Li", label="across")
    longer = [h for h in across.hops if abs(h.displacement_A[2]) > 4]
    both = plane.model_copy(update={"hops": [*plane.hops, *longer]})
    hops = HopSet(host="x", formula="Li", order="", engine="x", migrations=[], absent=[], networks=[both])
    print_ways_along(hops, "[1 1 0]", Console())
    print_ways_along(hops, "[0 0 1]", Console())
    print_ways_along(hops, "hop", Console())
    said = capsys.readouterr().out.splitlines()
    assert said == ["Li along the field, [1 1 0]: 0.300 eV (within)", "Li along the field, [0 0 1]: 0.800 eV (across)"]


def test_bad_input_is_refused_before_anything_is_written(tmp_path):
    for arguments, message in (
        (["no_such_host"], "unknown host"),
        (["cofe2o4", "--engine", "no_such"], "unknown engine"),
        (["cofe2o4", "--order", "nope"], "no cation order"),
        (["cofe2o4", "--jobs", "0"], "0 processes"),
        (["cofe2o4", "--diffusion-K", "nan"], "from 0 to 5000"),
        (["cofe2o4", "--diffusion-K", "0"], "nothing hops at 0 K"),
        (["cofe2o4", "--occupation", "0.5"], "give them too"),
        (["cofe2o4", "--diffusion-K", "900", "--occupation", "1"], "between 0 and 1"),
    ):
        folder = tmp_path / "out"
        done = CliRunner().invoke(app, ["hops", *arguments, "--output", str(folder)])
        assert done.exit_code != 0
        assert message in done.output + str(done.exception)
        assert not folder.exists()
