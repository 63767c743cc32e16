"""A band by two engines through the command line: a cheap one finds the path, the other decides about every number."""

import json

import pytest
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.cli import app
from typer.testing import CliRunner

# Stands in for an expensive engine: other ions, other charges, a path of its own.
EXPENSIVE = "potential_name: lewis-catlow\nband_method: {method}\n"


def migration(tmp_path, method, *more):
    settings = tmp_path / f"{method}.yaml"
    settings.write_text(EXPENSIVE.format(method=method))
    folder = tmp_path / f"study-{method}-{len(more)}"
    arguments = ["run", "life5o8", "--quick", "--stages", "migration", "--engine", f"local:{settings}", *more]
    done = CliRunner().invoke(app, [*arguments, "--output", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (found,) = Study.model_validate(json.loads((folder / "results.json").read_text())).migration
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_oxide_band_from_the_path_of_a_cheaper_engine(tmp_path):
    alone = migration(tmp_path, "classic")
    both = migration(tmp_path, "surrogate", "--band-start", "local")
    # The cheap engine's own barriers, 0.08 and 0.41 eV, are nowhere in the result.
    assert both.converged
    assert both.forward_eV == pytest.approx(alone.forward_eV, abs=5e-3)
    assert both.backward_eV == pytest.approx(alone.backward_eV, abs=5e-3)
    assert both.force_calls < 0.75 * alone.force_calls
    assert any("cheaper engine: 0.0" in note for note in both.notes)
    assert any("force calls; this engine:" in note for note in both.notes)


def test_cheap_engine_must_compute_here(tmp_path):
    done = CliRunner().invoke(app, ["run", "life5o8", "--band-start", "nothing", "--output", str(tmp_path / "x")])
    assert "unknown engine 'nothing'" in done.output + str(done.exception)
    assert not (tmp_path / "x").exists()
