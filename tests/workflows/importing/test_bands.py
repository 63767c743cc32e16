"""Bands of other groups become hops of the study, with the barriers that their own numbers give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from magnetoionics.hpc.importing.runs import import_runs
from magnetoionics.workflows.importing.hop import continuous_path, equivalents
from magnetoionics.workflows.importing.host import with_host_roles
from magnetoionics.workflows.importing.study import IMPORT_STAGE, import_with_bands
from pymatgen.core import Lattice, Structure

SI = "e_neb/si_vacancy_vtst4.1_6.4.2"
AL = "e_neb/al_vacancy_static_5.2.2"
# The only cell of silicon beside the band is one of PBE; the band is PBEsol.
OTHER_FUNCTIONAL = ("functional",)


@pytest.fixture(scope="module")
def runs(real: Path) -> Path:
    return real / "vasp/collection"


def silicon(real_runs: Path, *more: Path, accepted: tuple[str, ...] = OTHER_FUNCTIONAL):
    return import_with_bands([real_runs / "d_lepsilon/si_6.2.1", *more], formula="Si", accepted=accepted)


def folders(study) -> dict:
    return {f.folder: f for f in study.observables[IMPORT_STAGE].folders}


def test_climbing_band_of_silicon_is_a_hop(runs: Path) -> None:
    right = json.loads((runs / SI / "right.json").read_text())["band"]
    study, bands = silicon(runs, runs / SI)
    (hop,) = study.migration
    assert hop.forward_eV == pytest.approx(right["barrier_from_first_end_eV"], abs=1e-5)
    assert hop.delta_eV == pytest.approx(right["reaction_eV"], abs=1e-5)
    assert hop.backward_eV == pytest.approx(right["barrier_from_first_end_eV"] - right["reaction_eV"], abs=1e-5)
    energies = [right["images"][f"{k:02d}"]["energy_eV"] for k in range(5)]
    assert [i.energy_eV for i in hop.images] == pytest.approx([e - energies[0] for e in energies], abs=1e-6)
    assert [i.kind for i in hop.images] == ["end", "image", "saddle", "image", "end"]
    # A neighbour hops into the vacancy: about one bond length of silicon, 2.35 A.
    assert hop.ion == "Si"
    assert 1.5 < hop.images[-1].mover_A < 2.6
    assert hop.distance_A == pytest.approx(hop.images[-1].mover_A)
    assert not hop.why_no_result
    assert len(bands) == 1
    assert folders(study)["si_vacancy_vtst4.1_6.4.2/relax_endpoint_1"].what.startswith("relaxed end")
    # Zero field only: nobody computed what a field does, and nothing switches.
    assert [f.field_V_per_m for f in hop.field] == [0.0]
    assert study.switching is None
    assert study.device is None
    assert study.retention is not None
    assert study.retention.barrier_eV == pytest.approx(hop.backward_eV)


def test_band_of_another_level_of_theory_is_no_result(runs: Path) -> None:
    study, bands = silicon(runs, runs / SI, accepted=())
    assert study.migration == []
    assert bands == []
    assert folders(study)[Path(SI).name].reasons == ["functional PBEsol, not PBE as in si_6.2.1"]
    assert "functional PBEsol" in study.not_done("migration")
    assert not any(f.used for f in folders(study).values() if f.role == "band")


def test_band_that_fails_a_check_is_listed_and_no_result(runs: Path, tmp_path: Path) -> None:
    """The saddle's own run is cut off in its electronic loop."""
    import gzip

    band = tmp_path / "band"
    shutil.copytree(runs / SI, band)
    for file in ("vasprun.xml.gz", "OUTCAR.gz"):
        text = gzip.decompress((band / "02" / file).read_bytes())
        (band / "02" / file).write_bytes(gzip.compress(text[: len(text) // 2]))
    study, _ = silicon(runs, band)
    assert study.migration == []
    assert not folders(study)["band"].used
    assert "image 02" in study.not_done("migration")


def test_results_report_and_band_file_hold_the_hop(runs: Path, tmp_path: Path) -> None:
    import_runs(
        [runs / "d_lepsilon/si_6.2.1", runs / SI], host="Si", accept=OTHER_FUNCTIONAL, output=tmp_path / "s", quiet=True
    )
    results = json.loads((tmp_path / "s/results.json").read_text())
    assert results["migration"][0]["forward_eV"] == pytest.approx(0.15848, abs=1e-5)
    assert (tmp_path / "s" / results["migration"][0]["band_file"]).is_file()
    assert "0.158" in (tmp_path / "s/report.html").read_text()
    assert any("band" in p.name or "barrier" in p.name for p in (tmp_path / "s/figures").iterdir())


def test_neighbour_hops_into_a_vacancy_of_diamond_are_four() -> None:
    """Four neighbours at the corners of a tetrahedron; the ends of one bond are exchanged by its inversion centre."""
    cell = Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]])
    big = with_host_roles(cell * (2, 2, 2), None)
    near = min(range(1, len(big)), key=lambda i: big.get_distance(0, i))
    count, kinds, matrices = equivalents(big, near, 0)
    assert count == 4
    assert "inversion" in kinds
    assert all(abs(abs(np.linalg.det(m)) - 1) < 1e-6 for m in matrices)


def test_path_goes_on_across_a_face_of_the_cell() -> None:
    lattice = Lattice.cubic(10.0)
    images = [Structure(lattice, ["Li", "O"], [[x, 0, 0], [0.5, 0.5, 0.5]]) for x in (0.9, 0.0, 0.1)]
    path = continuous_path(images)
    assert [s[0].coords[0] for s in path] == pytest.approx([9.0, 10.0, 11.0])
    with pytest.raises(ValueError, match="numbered differently"):
        continuous_path([images[0], Structure(lattice, ["Li", "O"], [[0.4, 0, 0], [0.5, 0.5, 0.5]])])
    with pytest.raises(ValueError, match="other atoms"):
        continuous_path([images[0], Structure(lattice, ["O", "Li"], [[0.9, 0, 0], [0.5, 0.5, 0.5]])])
