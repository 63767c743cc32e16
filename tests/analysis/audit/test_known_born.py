"""The charge of the ion that hops, by first principles, beside C9."""

import json
import shutil

import numpy as np
import pytest
from magnetoionics.analysis.audit import known_born as module
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_born import NAME, beside_born_charge, cobalt_charge_e
from magnetoionics.analysis.study.reference_calculations import reference_calculations_folder

OWN = Judgement("consistent", 2.03, "uC/cm2", "formal charges", by="local")


def test_the_charge_is_near_the_formal_one_and_is_said_with_its_range():
    tensor = cobalt_charge_e()
    assert tensor.shape == (3, 3)
    # Born charges of Co2+ in oxides are within some tenths of 2.
    assert np.trace(tensor) / 3 == pytest.approx(2.0, abs=0.3)
    said = beside_born_charge(OWN)
    assert (said.verdict, said.value, said.by) == (OWN.verdict, OWN.value, OWN.by)
    assert said.reason.startswith("formal charges. gpaw, PBE+U")


def test_a_study_without_a_hop_stays_without_a_verdict():
    none = Judgement("not computed", None, "", "no hop", by="none")
    assert beside_born_charge(none) is none


def test_range_is_that_of_the_principal_directions(tmp_path, monkeypatch):
    shutil.copy(reference_calculations_folder() / f"{NAME}.json", tmp_path)
    kept = json.loads((tmp_path / f"{NAME}.json").read_text())
    rows = [[2.0, 0.5, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 1.0]]
    kept["numbers"] = {f"born_charge_e_row_{axis}": row for axis, row in zip("xyz", rows, strict=True)}
    (tmp_path / f"{NAME}.json").write_text(json.dumps(kept))
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    assert "+1.00 to +2.50 e" in beside_born_charge(OWN).reason
    assert "mean +1.67" in beside_born_charge(OWN).reason


def test_without_the_calculation_the_study_speaks_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    assert beside_born_charge(OWN) is OWN
