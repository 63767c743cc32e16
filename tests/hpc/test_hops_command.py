"""All hops of a host in one command: which there are, their barriers, tables and figure."""

import json

import numpy as np
import pandas as pd
import pytest
from magnetoionics.analysis.kinetics.hop_set import HopSet
from magnetoionics.hpc.cli import app
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.flows.hops import all_hops
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


def test_bad_input_is_refused_before_anything_is_written(tmp_path):
    for arguments, message in (
        (["no_such_host"], "unknown host"),
        (["cofe2o4", "--engine", "no_such"], "unknown engine"),
        (["cofe2o4", "--order", "nope"], "no cation order"),
        (["cofe2o4", "--jobs", "0"], "0 processes"),
    ):
        folder = tmp_path / "out"
        done = CliRunner().invoke(app, ["hops", *arguments, "--output", str(folder)])
        assert done.exit_code != 0
        assert message in done.output + str(done.exception)
        assert not folder.exists()
