"""A climbing-image band that misses a saddle beside a known minimum is searched once more by the surrogate."""

from magnetoionics.hpc.study_folder.study_run import study_under
from undrawn_studies import run_study


def test_the_hop_of_magnetite_ends_as_a_barrier(tmp_path):
    """The minimum lies 30 meV below its two saddles: three images a segment have none of them on a saddle."""
    folder = run_study("fe3o4", quick=True, stages=["migration"], output=tmp_path / "study")
    study, bands = study_under(folder, None)
    hop = study.migration[0]
    assert hop.converged
    assert not [c for c in hop.checks if c.passed is False]
    assert any(note.startswith("the climbing-image bands failed") for note in hop.notes)
    energies = [image.energy_eV for image in bands["hop-1"].images]
    saddles = [image.energy_eV for image in bands["hop-1"].images if image.kind == "saddle"]
    assert hop.forward_eV == max(energies) == max(saddles)
    assert 0.70 < hop.forward_eV < 0.78
    assert study.retention is not None or study.switching is not None
