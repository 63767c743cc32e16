"""Protocols: the same three words for every engine that has them, each stricter than the one before in every number."""

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.workflows.engine import PROTOCOLS, UnknownEngineError, get_engine

SCHEMES = {
    "vasp": {
        "dft.encut_eV": (400.0, 520.0, 600.0),
        "dft.kpoint_spacing_per_A": (0.30, 0.22, 0.15),
        "dft.ediff_relax_eV": (1e-4, 1e-6, 1e-7),
        "dft.ediff_spin_orbit_eV": (1e-7, 1e-8, 1e-8),
        "dft.force_eV_per_A": (0.05, 0.02, 0.01),
        "path.images_per_segment": (1, 3, 5),
        "path.residual_eV_per_A": (0.10, 0.03, 0.02),
        "anisotropy.kpoint_spacing_per_A": (0.40, 0.30, 0.10),
        "anisotropy.lebedev_order": (7, 9, 15),
    },
    "gpaw": {
        "dft.cutoff_eV": (400.0, 500.0, 600.0),
        "dft.k_spacing_per_A": (0.66, 0.45, 0.30),
        "dft.energy_eV": (1e-4, 1e-5, 1e-6),
        "fmax_eV_per_A": (0.05, 0.02, 0.01),
        "band_settings.fmax_eV_per_A": (0.10, 0.03, 0.02),
    },
}
# A larger number of these is the stricter one.
GROWS = ("encut_eV", "cutoff_eV", "images_per_segment", "lebedev_order")


def made(name):
    pytest.importorskip({"vasp": "atomate2", "gpaw": "gpaw"}[name.partition(":")[0]], reason="needs its package")
    return get_engine(name)


def number(engine, path):
    for part in path.split("."):
        engine = getattr(engine, part)
    return engine


@pytest.mark.parametrize("name", SCHEMES)
def test_each_protocol_is_stricter_than_the_one_before(name):
    engines = [made(f"{name}:{protocol}") for protocol in PROTOCOLS]
    for path, values in SCHEMES[name].items():
        found = tuple(number(engine, path) for engine in engines)
        assert found == values, path
        grows = path.rpartition(".")[2] in GROWS
        ordered = sorted(found, reverse=not grows)
        assert list(found) == ordered
        assert found[0] != found[-1]


def test_bare_vasp_is_balanced():
    assert made("vasp") == made("vasp:balanced")


def test_cut_off_is_not_below_what_the_data_sets_need():
    """ENMAX of the PBE_54 files, eV; Li_sv needs 499, so that `fast` takes the data set with one electron."""
    pytest.importorskip("atomate2", reason="needs its package")
    needs = {"O": 400.0, "Fe_pv": 293.2, "Co": 268.0, "Ni_pv": 368.0, "Mn_pv": 269.9, "Zn": 276.7, "Al": 240.3}
    needs |= {"Li": 140.0, "Li_sv": 499.0, "Ti_pv": 222.3, "V_pv": 263.7, "Cr_pv": 265.7, "Ga_d": 282.7}
    for protocol in PROTOCOLS:
        dft = get_engine(f"vasp:{protocol}").dft
        chosen = dft.potcars()
        for element in ("O", "Fe", "Co", "Ni", "Mn", "Zn", "Al", "Li", "Ti", "V", "Cr", "Ga"):
            assert dft.encut_eV >= needs[chosen[element]], (protocol, element)


def test_a_file_goes_over_the_protocol_and_leaves_the_rest_of_its_blocks(tmp_path):
    pytest.importorskip("atomate2", reason="needs its package")
    path = tmp_path / "mine.yaml"
    path.write_text("dft: {ncore: 8}\n", encoding="utf-8")
    fast = get_engine(f"vasp:fast+{path}")
    assert fast.dft.ncore == 8
    assert fast.dft.encut_eV == 400.0
    assert fast.path.images_per_segment == 1
    assert get_engine(f"vasp:{path}").dft.encut_eV == 520.0
    path.write_text("protocol: fast\ndft: {ncore: 8}\n", encoding="utf-8")
    assert get_engine(f"vasp:{path}") == fast
    with pytest.raises(UnknownEngineError, match="keep one of them"):
        get_engine(f"vasp:stringent+{path}")


@pytest.mark.parametrize(
    ("name", "words"),
    [("local:fast", "no protocols"), ("vasp:quick", r"a protocol \(fast, balanced, stringent\)")],
)
def test_an_engine_without_protocols_and_unknown_words_are_refused(name, words):
    if name.startswith("vasp"):
        pytest.importorskip("atomate2", reason="needs its package")
    with pytest.raises(UnknownEngineError, match=words):
        get_engine(name)


def test_command_line_takes_a_protocol(tmp_path, capsys):
    pytest.importorskip("atomate2", reason="needs its package")
    words = ["inputs", "cofe2o4", "--protocol", "fast", "--quick", "--output", str(tmp_path / "inputs")]
    assert main(words) == 0
    text = (tmp_path / "inputs" / "bulk_Imma" / "INCAR").read_text(encoding="utf-8")
    assert "ENCUT = 400" in text
    assert "EDIFF = 0.0001" in text
    assert main(["inputs", "cofe2o4", "--protocol", "quick", "--output", str(tmp_path / "no")]) == 2
    assert "fast, balanced, stringent" in capsys.readouterr().err
    assert main(["run", "cofe2o4", "--protocol", "fast", "--output", str(tmp_path / "no")]) == 2
    assert "engine local has no protocols" in capsys.readouterr().err
