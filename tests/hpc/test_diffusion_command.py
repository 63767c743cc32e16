"""``magnetoionics diffusion``: measured rows of any order and unit beside studies, and every bad file in one line."""

import csv
import json
import math

import numpy as np
import pytest
from kept_study import kept_study
from magnetoionics.analysis.kinetics.hop_set import HopSet
from magnetoionics.analysis.kinetics.network import DistinctHop, network_of
from magnetoionics.analysis.study.diffusion import tracer_diffusion
from magnetoionics.analysis.study.documents import EnergyRange
from magnetoionics.analysis.study.interstitial_diffusion import interstitial_diffusion
from magnetoionics.analysis.study.measured_diffusion import MEASURED
from magnetoionics.analysis.study.tracer import with_tracer
from magnetoionics.analysis.study.tracer_rows import TracerRows, beside_rows, two_branches
from magnetoionics.analysis.study.transport import transport_of
from magnetoionics.analysis.thermodynamics.oxygen_gas import delta_mu_O_eV
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.measurements.tracer_file import read_tracer_rows
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB
from magnetoionics.workflows.flows.interstitial_hops import inserted_hops

MU = delta_mu_O_eV(1473.0, 1.0)
ACTIVITIES = (-1.2, -2.68, -4.2, -5.27, -6.64)


def ends(at_one_atm_eV, slope):
    def at(x):
        value = at_one_atm_eV + slope * (x - MU)
        return EnergyRange(delta_mu_O_eV=x, low_eV=value, high_eV=value)

    return {"oxygen_poor": at(-2.6), "oxygen_rich": at(-1.2)}


@pytest.fixture(scope="module")
def study():
    """V_Fe(B) costs 1.3 eV at 1 atm and falls by 4/3 of the oxygen potential; Co_i costs 3.2 eV and rises by 4/3."""
    kept = kept_study()
    hop = kept.migration[0]
    cell = get_host("cofe2o4").structure("Imma")
    found, _ = inserted_hops(supercell(cell, (1, 1, 1)), "Co", 2.0)
    plain = [
        DistinctHop(f"{h.from_sublattice}{n}", h.initial[h.mover].coords, step, 0.6, 0.6, step, 2 * step,
                    ends=("i(16c)", "i(16c)"))
        for n, h in enumerate(found) if h.pushed is None for step in [np.array(h.displacement_A)]
    ]  # fmt: skip
    network = network_of(cell, plain, ion="Co", carrier="ion")
    observed = HopSet(
        host="cofe2o4", formula="CoFe2O4", order="Imma", engine="x", migrations=[hop], absent=[], networks=[network]
    )
    vacancies = [v.model_copy(update=ends(1.3, -4 / 3)) if v.label == hop.vacancy else v for v in kept.vacancies]
    extra = {"label": "Co_i(16c)", "element": "Co", "removed": {"Co": -1}} | ends(3.2, 4 / 3)
    whole = kept.model_copy(
        update={
            "vacancies": [*vacancies, vacancies[0].model_copy(update=extra)],
            "observables": {"interstitial hops": observed},
        }
    )
    transport = with_tracer(transport_of(hop, kept.host.structure), whole)
    return whole.model_copy(update={"observables": {"interstitial hops": observed, "transport": transport}})


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    made = tmp_path_factory.mktemp("with-transport")
    (made / "results.json").write_text(study.model_dump_json())
    return made


def rows(log10_D, log10_a=ACTIVITIES, kelvin=1473.0, ion="Co"):
    temperatures = [kelvin] * len(log10_a)
    return TracerRows(ion=ion, composition="x", temperature_K=temperatures, log10_a=log10_a, log10_D=log10_D)


def test_the_sum_of_both_branches_stands_beside_each_row(study):
    hop = study.observables["transport"].correlation
    network = study.observables["interstitial hops"].networks[0]
    found = beside_rows(study, rows([-8.0] * 5))
    for a, value in zip(ACTIVITIES, found.log10_computed, strict=True):
        (first,) = tracer_diffusion(study, 1473.0, 10**a, correlation=hop)
        second = interstitial_diffusion(study, network, 1473.0, 10**a)
        total = first.diffusivity_cm2_per_s + second.diffusivity_cm2_per_s
        assert value == pytest.approx(math.log10(total), abs=1e-9)
    high, low, right, left = found.slopes["1473 K"]
    assert high == pytest.approx(2 / 3, abs=0.1)
    assert low < -0.3
    assert (right, left) == (0, 0)
    # 4/3 of half of kT ln a for either defect: the branches cross where both are equal.
    assert -6.64 < found.minimum_computed < -1.2


def test_a_branch_that_is_not_dilute_leaves_no_sum(study):
    """Interstitials that cost nothing are no dilute defects: what vacancies alone have is not D."""
    cheap = [v.model_copy(update=ends(0.3, 4 / 3)) if v.label == "Co_i(16c)" else v for v in study.vacancies]
    found = beside_rows(study.model_copy(update={"vacancies": cheap}), rows([-8.0] * 5))
    assert found.log10_computed[0] is None
    assert found.rms_decades is None
    assert "rows without a computed D" in found.notes[0]
    assert "not dilute" in found.notes[0]


def test_distance_and_mean_are_decades(study):
    own = beside_rows(study, rows([-8.0] * 5)).log10_computed
    off = [1.0, -1.0, 2.0, 0.0, 0.0]
    found = beside_rows(study, rows([c - o for c, o in zip(own, off, strict=True)]))
    assert found.rms_decades == pytest.approx(math.sqrt(6 / 5))
    assert found.mean_decades == pytest.approx(0.4)


def test_the_energy_of_a_vacancy_in_equilibrium_with_air(study):
    """The slope of ln D against -1/kT is E_f - T dE_f/dT + E_m; the vacancy's E_f follows -4/3 of the potential."""
    kelvins = [1400.0, 1420.0]
    measured = TracerRows(ion="Ni", composition="", temperature_K=kelvins, log10_a=[-0.68] * 2, log10_D=[-9.0, -9.0])
    found = beside_rows(study, measured)
    hop = study.migration[0]
    ends_kT = []
    for t in kelvins:
        formation = 1.3 - 4 / 3 * (delta_mu_O_eV(t, 10**-0.68) - MU)
        ends_kT.append(-(formation + hop.forward_eV) / (KB * t))
    expected = -(ends_kT[1] - ends_kT[0]) / (1 / (KB * kelvins[1]) - 1 / (KB * kelvins[0]))
    assert found.energy_computed_eV == pytest.approx(expected, rel=1e-3)
    assert found.energy_measured_eV == pytest.approx(0, abs=1e-9)
    assert found.notes[0] == "Ni was traced; computed is Co"


@pytest.mark.parametrize("m", MEASURED, ids=lambda m: m.composition)
def test_two_branches_find_the_minimum(m):
    a = np.linspace(*m.log10_a_range, 6).tolist()
    found = two_branches(rows([m.log10_D(x) for x in a], a), range(6))
    assert found.log10_a_of_minimum == pytest.approx(m.log10_a_of_minimum, abs=1e-4)
    assert two_branches(rows([2 / 3 * x for x in a], a), range(6)) is None


FORMS = [
    "ion,temperature_K,log10_a,log10_D_cm2_per_s\nCo,1473,-2,-8\n",
    "D (m2 s-1),T (K),Tracer,p_O2 [atm]\n1e-12,1473,Co,0.01\n",
    "p(O2) in Pa;T / °C;D_cm2_per_s;element\n1013,25;1199,85;1e-8;Co\n",
    "a(O2)\tln D (cm2/s)\ttemperature_K\tspecies\n0,01\t-18,420680744\t1473\tCo\n",
    "ion,T_K,log a,D0_cm2_per_s,Q (eV)\nCo2+,1473,-2,1e-2,1.753648\n",
    "Isotope,10^4/T (K⁻¹),log10(pO2/bar),lnD (µm²/s)\n60Co,6.788866,-1.9942834,0\n",
    "D_Co / m2s-1,T(K),atmosphere,x,p_O2_torr\n1×10⁻¹²,1473,,0.2,7.6\n",
    "element,temp_K,-log10_aO2,log DCo (cm2/s),D_error_cm2_per_s\ncobalt,1473,2,−8,1e-9\n",
    "Ion,Temperature [degC],log fO2 (bar),Tracer diffusion coefficient [cm^2/s]\nCo,1199.85,-1.9942834,1e-8\n",
    "ion,temperature_K,temperature_C,oxygen_partial_pressure_mmHg,D_cm2_s\nCo-60,1473,1200,7.6,10^-8\n",
]


@pytest.mark.parametrize("text", FORMS)
def test_one_row_in_many_forms(text, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    (found,) = read_tracer_rows(path)
    assert found.ion == "Co"
    assert found.temperature_K == pytest.approx([1473.0])
    assert found.log10_a == pytest.approx([-2.0], abs=1e-6)
    assert found.log10_D == pytest.approx([-8.0], abs=1e-5)


def test_columns_of_several_ions_and_crystals_are_parted(tmp_path):
    path = tmp_path / "rows.csv"
    head = "temperature_K,atmosphere,x,D_Co_cm2_per_s,D_59Fe_cm2_per_s\n"
    path.write_text(head + "1473,air,0.2,1e-8,2e-8\n1473,O2,0.2,,3e-8\n1473,O2,0.3,4e-8,\n")
    found = {(r.ion, r.composition): r for r in read_tracer_rows(path)}
    assert set(found) == {("Co", "x = 0.2"), ("Fe", "x = 0.2"), ("Co", "x = 0.3")}
    assert found["Fe", "x = 0.2"].log10_a == pytest.approx([math.log10(0.2095), 0])
    assert found["Fe", "x = 0.2"].log10_D == pytest.approx([math.log10(2e-8), math.log10(3e-8)])
    assert found["Co", "x = 0.3"].log10_D == pytest.approx([math.log10(4e-8)])


def test_tables_in_json_are_those_of_their_titles(tmp_path):
    path = tmp_path / "rows.json"
    air = "NiFe2O4 in air 1130-1280 C, D0 cm2/s, E kJ/mol"
    against = "log10 D of Co (cm2/s) in (Co_x Fe_1-x)3-dO4 at 1473 K: [log10 a, log10 D]"
    tables = {"about": "x", against: {"source": "S", "0.2": [[-1, -8], [-2, -9]]}, air: {"Ni": [1e6, 480]}}
    path.write_text(json.dumps(tables))
    first, second = read_tracer_rows(path)
    assert (first.ion, first.composition, first.source) == ("Co", "(Co_x Fe_1-x)3-dO4, x = 0.2", "S")
    assert (first.temperature_K, first.log10_a, first.log10_D) == ([1473, 1473], [-1, -2], [-8, -9])
    assert second.temperature_K[0] == pytest.approx(1403.15)
    assert second.log10_D[0] == pytest.approx(6 - 480 / (8.314463e-3 * 1403.15) / math.log(10))


AIR = math.log10(0.2095)
TITLES = [
    ("log10 D of Mn (cm2/s) in (FeMn)3O4 at 1473 K", {"0.25": [[-2, -8]]}, "(FeMn)3O4, x = 0.25"),
    ("log10 D of Mn (m2/s) in Mn3O4 at 1199.85 °C: [log10 a(O2), log10 D]", [[-2, -12]], "Mn3O4"),
    ("ln D of 54Mn (cm2/s) in Mn3O4 at 1473 K: [ln D, p_O2 Pa]", [[-18.420680744, 1013.25]], "Mn3O4"),
    ("log10 D (cm2/s) in Mn3O4 at 1473 K: [log10 a, log10 D]", {"Mn2+": [[-2, -8]]}, "Mn3O4"),
    ("D of manganese (cm2/s) in Mn3O4 at log10 a = -2: [T (C), D]", [[1199.85, 1e-8]], "Mn3O4"),
    ("Mn tracer diffusion in Mn3O4 at p_O2 = 1013.25 Pa: [T K, log10 D (um2/s)]", [[1473, 0]], "Mn3O4"),
]


@pytest.mark.parametrize(("title", "table", "crystal"), TITLES, ids=[t for t, _, _ in TITLES])
def test_a_title_says_ion_crystal_units_and_columns(title, table, crystal, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({title: table}))
    (found,) = read_tracer_rows(path)
    assert (found.ion, found.composition) == ("Mn", crystal)
    row = found.temperature_K + found.log10_a + found.log10_D
    assert row == pytest.approx([1473.0, -2.0, -8.0], abs=1e-6)


LAWS = [
    "D0 cm2/s, E kJ/mol: 1e3, 350",
    "D0 m2/s, E eV: 0.1, 3.6274947",
    "log10 D0 (cm2/s), Q (kcal/mol): 3, 83.65201",
]


@pytest.mark.parametrize("law", LAWS)
def test_a_law_of_activation_is_three_rows(law, tmp_path):
    columns, _, values = law.partition(": ")
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({f"ZnFe2O4 in air 1373-1573 K, {columns}": {"Zn": json.loads(f"[{values}]")}}))
    (found,) = read_tracer_rows(path)
    assert (found.ion, found.composition) == ("Zn", "ZnFe2O4")
    assert found.temperature_K == pytest.approx([1373, 1473, 1573])
    assert found.log10_a == pytest.approx([AIR] * 3)
    expected = [3 - 350 / (8.314463e-3 * t) / math.log(10) for t in found.temperature_K]
    assert found.log10_D == pytest.approx(expected, abs=1e-5)


def test_rows_and_columns_with_names_are_read_from_json(tmp_path):
    path = tmp_path / "rows.json"
    row = {"ion": "Cr", "temperature_K": 1473, "log10_a": -2, "log10_D_cm2_per_s": -8}
    for content in ([row], {"about": "x", "rows": [row]}, {name: [value] for name, value in row.items()}):
        path.write_text(json.dumps(content))
        (found,) = read_tracer_rows(path)
        assert (found.ion, found.temperature_K, found.log10_a, found.log10_D) == ("Cr", [1473], [-2], [-8])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"log10 D of Co in Fe3O4 at 1473 K": [[-2, -8]]}, "has no unit of D"),
        ({"D of Co (cm2/s) in Fe3O4 at 1473 K": [[-2, -8]]}, "whether it is a logarithm"),
        ({"log10 D of Co (cm2/s) in Fe3O4 at 1473 K": [[-2, -8, 1]]}, "names 2 numbers"),
        ({"log10 D of Co (cm2/s) in Fe3O4 at 1473 K": [[-2, math.nan]]}, "row 1 of 'log10 D of Co"),
        ({"log10 D of Co (cm2/s) in Fe3O4 at 1473 K": [[-2, 8]]}, "log10 of D is 8"),
        ({"log10 D of Co (cm2/s) in Fe3O4": [[-2, -8]]}, "no column temperature_K"),
        ({"log10 D (cm2/s) in Fe3O4 at 1473 K": [[-2, -8]]}, "nothing as the ion"),
        ({"about": "nothing"}, "no table of tracer diffusion"),
        ([], "no table of tracer diffusion"),
        ({"rows": [{"ion": "Co", "temperature_K": 1473, "log10_a": -2}]}, "no column D_cm2_per_s"),
    ],
)
def test_what_is_wrong_with_a_table_in_json_is_said(content, said, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=said):
        read_tracer_rows(path)


def test_a_file_of_an_old_spreadsheet_is_read(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("ion;x(Mn);T (°C);log a;D (m²/s)\nCO;0,2;1199,85;-2;1e-12\n".encode("latin-1"))
    (found,) = read_tracer_rows(path)
    assert (found.ion, found.composition) == ("Co", "x(Mn) = 0.2")
    assert found.temperature_K + found.log10_D == pytest.approx([1473.0, -8.0])


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_one_command_leads_from_nothing_to_the_figure(tmp_path, capsys):
    """The documented one, with the engine that takes seconds: both branches stand beside rows of three kinds."""
    path = tmp_path / "rows.csv"
    path.write_text("ion;x;T (°C);pO2 (bar);D (m²/s)\nCo;0,2;1200;0,06;7,8e-13\nCo;0,2;1200;2e-7;2,8e-13\n"
                    "Co;0,1;1250;0,2;1e-12\nCo;0,1;1250;air;1e-12\n")  # fmt: skip
    stages = "vacancies,point_defects,migration,interstitial_hops,transport"
    study = tmp_path / "anchor"
    asked = ["run", "cofe2o4", "--quick", "--stages", stages, "--defects", "Co2+_i", "--interstitial", "Co2+"]
    assert main([*asked, "--output", str(study)]) == 0
    assert main(["diffusion", str(path), str(study), "--output", str(tmp_path / "out")]) == 0
    assert "interstitial of the ion" not in capsys.readouterr().out
    with (tmp_path / "out" / "diffusion.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert [r["composition"] for r in table] == ["x = 0.2"] * 2 + ["x = 0.1"] * 2
    computed = [float(r["log10_D_computed_cm2_per_s"]) for r in table]
    # A vacancy in equilibrium with Fe2O3: D grows with a^(2/3) or more.
    assert (computed[0] - computed[1]) / (float(table[0]["log10_a"]) - float(table[1]["log10_a"])) > 0.6
    assert (tmp_path / "out" / "diffusion.png").stat().st_size > 5000


def test_a_file_of_two_ions_beside_a_study(folder, tmp_path, capsys):
    path = tmp_path / "rows.csv"
    head = "ion,composition,temperature_K,p_O2_atm,D_cm2_per_s\n"
    path.write_text(head + "Fe,NiFe2O4,1450,air,2e-9\nNi,NiFe2O4,1450,air,3e-9\nNi,NiFe2O4,1500,air,4e-9\n")
    assert main(["diffusion", str(path), str(folder), "--output", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "Fe in NiFe2O4" in said
    assert "Ni was traced" in said
    with (tmp_path / "out" / "diffusion.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert [r["tracer"] for r in table] == ["Fe", "Ni", "Ni"]
    assert float(table[0]["log10_a"]) == pytest.approx(math.log10(0.2095), abs=1e-3)
    assert (tmp_path / "out" / "diffusion.svg").is_file()
    assert (tmp_path / "out" / "diffusion.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("T,log10_a,D_cm2_per_s,ion\n1473,0,1e-8,Co\n", "column T has no unit"),
        ("temperature_K,p_O2,D_cm2_per_s,ion\n1473,0,1e-8,Co\n", "column p_O2 has no unit"),
        ("temperature_K,log10_a,D_acre_per_s,ion\n1473,0,1e-8,Co\n", "a unit that is not known, acre s"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n1473,0,-1e-8,Co\n", "line 2 has -1e-8"),
        ("temperature_K,log10_a,D_cm2_per_s\n1473,0,1e-8\n", "give --ion"),
        ("temperature_K,D_cm2_per_s,ion\n1473,1e-8,Co\n", "no column log10_a or p_O2_atm"),
        ("log10_a,D_cm2_per_s,ion\n0,1e-8,Co\n", "no column temperature_K"),
        ("temperature_K,log10_a,ion\n1473,0,Co\n", "no column D_cm2_per_s"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n1473,0,1e-8,\n", "nothing as the ion"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n1473,0,1e-8,Xx\n", "Xx as the ion"),
        ("temperature_K,log10_a,D_Fe_cm2_per_s,ion\n1473,0,1e-8,Co\n", "is of Co and its D of Fe"),
        ("T_K,T_C,log10_a,D_cm2_per_s,ion\n1473,1473,0,1e-8,Co\n", "1473 as T_K and 1473 as T_C, which are not"),
        ("T_K,log10_a,p_O2_atm,D_cm2_per_s,ion\n1473,-2,0.02,1e-8,Co\n", "0.02 as p_O2_atm, which are not the same"),
        ("T_K,atmosphere,D_cm2_per_s,ion\n1473,0.2,1e-8,Co\n", "0.2 as atmosphere, which is no such number"),
        ("T_K,log10_a,D (1e-9 cm2/s),ion\n1473,0,1,Co\n", "unit that is not known, 1e 9 cm2 s"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n14730,0,1e-8,Co\n", "outside 200 to 3000"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n1473,nan,1e-8,Co\n", "line 2 has nan"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n\n1473,0,1e-8\n", "line 3 has 3 fields and the head 4"),
        ("temperature_K,log10_a,D_cm2_per_s,ion\n", "no rows"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(text, said, folder, tmp_path, capsys):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    assert main(["diffusion", str(path), str(folder)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("magnetoionics: error") == 1


def test_a_study_without_transport_says_what_to_run(tmp_path, capsys):
    (tmp_path / "results.json").write_text(kept_study().model_copy(update={"observables": {}}).model_dump_json())
    path = tmp_path / "rows.csv"
    path.write_text(FORMS[0])
    assert main(["diffusion", str(path), str(tmp_path)]) == 2
    assert "--stages vacancies,migration,transport" in capsys.readouterr().err


def test_without_formation_energies_the_reason_is_that_of_the_window():
    kept = kept_study()
    bare = [v.model_copy(update={"oxygen_poor": None, "oxygen_rich": None}) for v in kept.vacancies]
    update = {"stage": "chemical potentials", "done": False, "reason": "Fe5CoO8 is unstable"}
    stages = [s for s in kept.stages if s.stage != "chemical potentials"]
    told = [*stages, kept.stages[0].model_copy(update=update)]
    with pytest.raises(ValueError, match="has a formation energy: Fe5CoO8 is unstable"):
        tracer_diffusion(kept.model_copy(update={"vacancies": bare, "stages": told}), 1473.0, 1.0)
    update["done"] = True
    told = [*stages, kept.stages[0].model_copy(update=update)]
    with pytest.raises(ValueError, match="compute the stages vacancies and chemical potentials"):
        tracer_diffusion(kept.model_copy(update={"vacancies": bare, "stages": told}), 1473.0, 1.0)
