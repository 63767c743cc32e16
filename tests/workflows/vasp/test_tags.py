"""The user's own tags, data sets and functionals: they reach the files, and what a guard stands on is refused."""

import json

import pytest

pytest.importorskip("atomate2", reason="the engine vasp needs atomate2")

from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.settings.engine_settings import EngineSettingsError
from magnetoionics.workflows.vasp.inputs import common_incar, input_set
from magnetoionics.workflows.vasp.jobs import MagneticRelaxMaker, MagneticStaticMaker
from magnetoionics.workflows.vasp.order import block_order, in_order
from magnetoionics.workflows.vasp.potcars import recommended, valence_electrons
from magnetoionics.workflows.vasp.segment import SegmentMaker
from magnetoionics.workflows.vasp.settings import VaspSettings, VaspSettingsError, expected_electrons
from magnetoionics.workflows.vasp.spin_orbit import CollinearDensityMaker, DirectionMaker
from magnetoionics.workflows.vasp.tags import JOB_KINDS, REFUSED, check_tags, job_kind
from pymatgen.io.vasp.inputs import PotcarSingle


@pytest.fixture(scope="module")
def cell():
    made = get_host("cofe2o4").structure()
    return in_order(made, block_order(made))


def incar_of(maker, cell):
    return dict(input_set(maker.planned(cell), getattr(maker, "vectors", lambda s: s)(cell)).incar)


def test_tags_reach_the_jobs_of_their_kind_and_no_others(cell):
    own = {"all": {"ALGO": "All", "ncore": 8}, "relax": {"POTIM": 0.3}, "band": {"IOPT": 3}}
    settings = VaspSettings(incar=own)
    relax = incar_of(MagneticRelaxMaker(settings=settings), cell)
    static = incar_of(MagneticStaticMaker(settings=settings), cell)
    band = incar_of(SegmentMaker(settings=settings), cell)
    turned = incar_of(DirectionMaker(settings=settings), cell)
    assert relax["ALGO"] == static["ALGO"] == band["ALGO"] == turned["ALGO"] == "All"
    assert relax["NCORE"] == 8
    assert relax["POTIM"] == 0.3
    assert "POTIM" not in static
    assert band["POTIM"] == 0
    assert band["IOPT"] == 3
    assert "IOPT" not in relax


def test_kind_of_a_job_follows_from_its_tags(cell):
    settings = VaspSettings()
    made = {
        "relax": MagneticRelaxMaker(settings=settings),
        "static": MagneticStaticMaker(settings=settings),
        "band": SegmentMaker(settings=settings),
        "density": CollinearDensityMaker(settings=settings),
        "spin-orbit": DirectionMaker(settings=settings),
    }
    for kind, maker in made.items():
        assert job_kind(incar_of(maker, cell)) == kind
    assert set(made) < set(JOB_KINDS)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"all": {"ISPIN": 1}}, "moments kept"),
        ({"all": {"LDAUU": [0, 0, 0]}}, "hubbard_U_eV"),
        ({"relax": {"ENCUT": 400}}, "one cut-off"),
        ({"static": {"KSPACING": 0.5}}, "mesh"),
        ({"relax": {"EDIFFG": -0.1}}, "force_eV_per_A"),
        ({"spin-orbit": {"SAXIS": [0, 0, 1]}}, "anisotropy"),
        ({"band": {"POTIM": 0.1}}, "VTST"),
        ({"polarisation": {"NCORE": 4}}, "NCORE = 1"),
        ({"density": {"LCHARG": False}}, "density"),
        ({"all": {"GGA": "PS"}}, "functional"),
        ({"all": {"ALGOO": "All"}}, "did you mean ALGO"),
        ({"phonon": {"ALGO": "All"}}, "no kind of job"),
        ({"all": {"AMIX": float("nan")}}, "finite"),
        ({"all": {"AMIX": {"Fe": 1}}}, "must be a number"),
    ],
)
def test_what_contradicts_a_guard_is_refused_with_the_reason(tags, reason):
    with pytest.raises(VaspSettingsError, match=reason):
        VaspSettings(incar=tags)


def test_every_tag_that_we_write_and_a_guard_reads_is_refused(cell):
    from magnetoionics.workflows.vasp.inputs import PROTECTED

    ours = set(common_incar(cell, VaspSettings()))
    assert {name for name in PROTECTED if name in ours} <= set(REFUSED)
    assert check_tags({"all": {"lwave": True}}) == {"all": {"LWAVE": True}}


def test_a_tag_for_all_jobs_leaves_out_those_that_must_not_have_it(cell):
    from magnetoionics.workflows.vasp.field import PolarisationMaker

    settings = VaspSettings(incar={"all": {"NCORE": 8}})
    assert incar_of(PolarisationMaker(settings=settings, born=False), cell)["NCORE"] == 1


def test_any_element_of_the_release_has_a_data_set_with_its_valence():
    table = recommended()
    assert len(table) > 85
    assert all(valence_electrons(symbol) > 0 for symbol in table.values())
    # As the headers of the files have it: W_sv 5s2 5p6 6s1 5d5, Bi 6s2 6p3, Nd_3 without its f electrons.
    assert [valence_electrons(s) for s in ("W_sv", "Bi", "Nd_3", "Fe_pv", "Fe", "O")] == [14, 5, 11, 14, 8, 6]
    assert PotcarSingle.functional_dir["PBE_54"]


def test_the_users_data_set_reaches_potcar_and_the_electrons(cell):
    settings = VaspSettings(potcar={"Fe": "Fe"})
    files = input_set(MagneticStaticMaker(settings=settings).planned(cell), cell)
    assert "Fe\n" in str(files.potcar) + "\n"
    assert "Fe_pv" not in str(files.potcar)
    iron = cell.composition["Fe"]
    assert expected_electrons(cell) - expected_electrons(cell, settings) == 6 * iron
    with pytest.raises(VaspSettingsError, match=r"Fe_pv"):
        VaspSettings(potcar={"Fe": "Fe_sv_pv"})
    with pytest.raises(VaspSettingsError, match="no element"):
        VaspSettings(potcar={"Fx": "Fe"})


def test_functionals_write_their_tags_and_want_a_u_of_their_own(cell):
    none = dict.fromkeys(("Co", "Fe"), 0.0)
    scan = common_incar(cell, VaspSettings(functional="r2SCAN", hubbard_U_eV=none))
    assert scan["METAGGA"] == "R2SCAN"
    assert "GGA" not in scan
    assert scan["LASPH"]
    assert scan["LDAU"] is False
    hybrid = common_incar(cell, VaspSettings(functional="HSE06", hubbard_U_eV=none))
    assert (hybrid["LHFCALC"], hybrid["HFSCREEN"], hybrid["AEXX"], hybrid["GGA"]) == (True, 0.2, 0.25, "PE")
    own = VaspSettings(functional="r2SCAN", hubbard_U_eV={"Co": 1.8, "Fe": 3.1}, hubbard_fitted_for="r2SCAN")
    assert common_incar(cell, own)["LDAUU"] == {"Co": 1.8, "Fe": 3.1, "O": 0.0}
    for functional in ("PBEsol", "r2SCAN", "HSE06"):
        with pytest.raises(VaspSettingsError, match="U of 0"):
            VaspSettings(functional=functional)


def test_u_of_oxygen_is_on_p_and_of_gadolinium_on_f(cell):
    incar = common_incar(cell, VaspSettings(hubbard_U_eV={"Co": 3.32, "Fe": 5.3, "O": 6.0}))
    assert incar["LDAUL"] == {"Co": 2, "Fe": 2, "O": 1}
    garnet = cell.copy()
    garnet.replace_species({"Co": "Gd"})
    incar = common_incar(garnet, VaspSettings(hubbard_U_eV={"Gd": 4.0, "Fe": 5.3}))
    assert (incar["LDAUL"], incar["LMAXMIX"]) == ({"Gd": 3, "Fe": 2, "O": -1}, 6)


def test_a_functional_without_linear_response_says_so():
    none = dict.fromkeys(("Co", "Fe"), 0.0)
    dft = VaspSettings(functional="HSE06", hubbard_U_eV=none)
    assert "LCALCEPS" in get_engine("vasp", dft=dft).missing()["dielectric"]
    with pytest.raises(VaspSettingsError, match="Born"):
        get_engine("vasp", dft=dft, dipoles="Born")


def test_a_settings_file_sets_tags_and_data_sets(cell, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("incar:\n  all: {ALGO: All}\n  relax: {POTIM: 0.2}\npotcar: {Co: Co_pv}\n", encoding="utf-8")
    made = get_engine(f"vasp:{path}")
    assert incar_of(MagneticRelaxMaker(settings=made.dft), cell)["POTIM"] == 0.2
    assert made.dft.potcars()["Co"] == "Co_pv"
    again = type(made).from_dict(json.loads(json.dumps(made.as_dict())))
    assert again.dft == made.dft
    path.write_text("incar:\n  all: {ISPIN: 1}\n", encoding="utf-8")
    with pytest.raises(EngineSettingsError, match="moments kept"):
        get_engine(f"vasp:{path}")
