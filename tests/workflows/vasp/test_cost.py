"""Sizes by VASP's own rules against real OUTCARs, exactly; times within the factor that the documentation states."""

import gzip
import math

import numpy as np
import pytest
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.vasp.cost import (
    LARGEST_FACTOR,
    TYPICAL_FACTOR,
    bands,
    core_hours,
    expected_steps,
    job_size,
    kpoints,
    plane_waves,
    read_timing,
    speed_of,
    step_core_s,
)
from magnetoionics.workflows.vasp.inputs import common_incar
from magnetoionics.workflows.vasp.settings import VaspSettings
from pymatgen.core import Lattice, Structure

# One run of each public calculation on processors whose electronic step is more than start-up.
TIMED = (
    "a_soc/cdte_int_te_6.2.1/OUTCAR.gz",
    "a_soc/nio_u_5.4.1/OUTCAR.gz",
    "b_dftu/co_moments_5.4.4/OUTCAR.gz",
    "b_dftu/merged_numbers2_5.4.4/OUTCAR.gz",
    "c_polarisation/batio3_path_5.3.5/01_interpolation_8/OUTCAR.gz",
    "c_polarisation/lasnno2_5.4.4/OUTCAR.gz",
    "d_lepsilon/nacl_6.1.2/OUTCAR.gz",
    "e_neb/al_mg_solute_opt_5.2.2/01/OUTCAR.gz",
    "e_neb/fe_vacancy_ends_5.4.1/00/OUTCAR.gz",
    "e_neb/si_vacancy_vtst4.1_6.4.2/02/OUTCAR.gz",
    "e_neb/si_vacancy_vtst4.1_6.4.2/relax_endpoint_1/OUTCAR.gz",
    "f_defects/gaas_study_5.2.2/defect_group1_q=p0_opt/OUTCAR.gz",
    "f_defects/srtio3_v_o_hse_6.3.0/bulk/OUTCAR.gz",
    "f_defects/srtio3_v_o_hse_6.3.0/vac_O_1/vasp_std/OUTCAR.gz",
    "h_failed/aiida_converged_5.4.4/OUTCAR.gz",
    "h_failed/pyiron_aborted/OUTCAR.gz",
)


def text_of(real, name):
    path = real / "vasp" / "collection" / name
    if not path.is_file():
        pytest.skip(f"no {name}")
    with gzip.open(path, "rt", errors="replace") as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("name", "electrons", "ions", "moments", "spins", "spinors", "found"),
    [
        ("d/mgmn2o4 ferromagnetic", 104, 14, [5, 5, 5, 5], 2, False, 72),
        ("d/mgmn2o4 antiferromagnetic", 104, 14, [5, -5, 5, -5], 2, False, 62),
        ("nio, spinors", 44, 4, [], 1, True, 52),
        ("al", 92, 31, [], 1, False, 62),
        ("gaas, moments of 1 by default", 72, 8, [1.0] * 8, 2, False, 47),
        ("cdte interstitial, spinors", 581, 65, [], 1, True, 696),
    ],
)
def test_bands_are_vasps(name, electrons, ions, moments, spins, spinors, found):
    """NBANDS of real OUTCARs that one group of ranks wrote; others round it up to a multiple of their groups."""
    assert bands(electrons, ions, moments, spins, spinors=spinors) == found


@pytest.mark.parametrize(
    ("name", "volume_A3"),
    [
        ("h_failed/pyiron_aborted/OUTCAR.gz", 4512.78),
        ("e_neb/si_vacancy_vtst4.1_6.4.2/02/OUTCAR.gz", None),
        ("e_neb/fe_vacancy_ends_5.4.1/00/OUTCAR.gz", None),
        ("f_defects/srtio3_v_o_hse_6.3.0/bulk/OUTCAR.gz", None),
    ],
)
def test_plane_waves_of_real_runs(real, name, volume_A3):
    import re

    text = text_of(real, name)
    timing = read_timing(text)
    # The last one: the analysis of symmetry prints that of the primitive cell before.
    volume = float(re.findall(r"volume of cell :\s*([\d.]+)", text)[-1])
    if volume_A3 is not None:
        assert volume == volume_A3
    assert plane_waves(volume, timing.incar["ENCUT"]) == pytest.approx(timing.size.plane_waves, rel=0.02)


def test_times_of_public_runs_lie_within_the_stated_factors(real):
    """From 1 to 2560 ranks, VASP 5.2 to 6.4, 2 to 253 ions, PBE, U, spinors, bands and HSE06."""
    factors = {name: read_timing(text_of(real, name)).factor for name in TIMED}
    logs = np.abs(np.log(list(factors.values())))
    for name, factor in sorted(factors.items(), key=lambda item: item[1]):
        print(f"{factor:6.2f}  {name}")
    assert logs.max() <= math.log(LARGEST_FACTOR)
    assert np.mean(logs <= math.log(TYPICAL_FACTOR)) >= 2 / 3
    # Neither dear nor cheap on average.
    assert abs(np.mean(np.log(list(factors.values())))) < math.log(1.3)
    # The model follows size over five orders of magnitude, not only on average.
    costs = [read_timing(text_of(real, name)).core_s for name in TIMED]
    assert max(costs) / min(costs) > 1e5


def test_an_outcar_of_the_same_machine_takes_the_factor_away(real):
    """One charge state of SrTiO3 tells what the others take: within 15 %."""
    one, other = (f"f_defects/srtio3_v_o_hse_6.3.0/vac_O_{q}/vasp_std/OUTCAR.gz" for q in (1, 2))
    speed = speed_of(text_of(real, one))
    found = read_timing(text_of(real, other))
    assert step_core_s(found.size, found.incar) / speed == pytest.approx(found.core_s, rel=0.15)


def test_memory_of_the_orbitals_is_what_vasp_says(real):
    """VASP prints the room of the orbitals on its first rank, which holds a group's share."""
    import re

    text = text_of(real, "e_neb/fe_vacancy_ends_5.4.1/00/OUTCAR.gz")
    timing = read_timing(text)
    per_rank = float(re.search(r"wavefun\s+:\s+([\d.]+) kBytes", text).group(1)) / 2**20
    # Work arrays and rounding of bands to the groups come on top.
    assert timing.size.orbitals_GiB <= per_rank * timing.ranks < 2.0 * timing.size.orbitals_GiB


def test_an_outcar_without_steps_is_refused():
    with pytest.raises(ValueError, match="no electronic step"):
        read_timing(" running on    4 total cores\n")


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure()


def test_k_points_by_symmetry(cell):
    cube = Structure(Lattice.cubic(4.0), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert [kpoints(cube, (4, 4, 4), isym) for isym in (-1, 0, 2)] == [64, 36, 10]
    assert kpoints(cube, (3, 3, 3), 0) == 14
    # SrTiO3 and Si above: 2x2x2 with Gamma of a cubic cell has 4 points.
    assert kpoints(cube, (2, 2, 2), 2) == 4


def test_size_of_cobalt_ferrite(cell):
    settings = VaspSettings()
    big = supercell(cell, (2, 2, 2))
    size = job_size(big, common_incar(big, settings) | {"ISYM": 0}, settings)
    assert (size.atoms, size.electrons, size.kpoints) == (448, 8 * 488, 1)
    assert size.plane_waves == pytest.approx(4728.1 / 591.01 * plane_waves(591.01, 520.0), rel=1e-3)
    assert size.orbitals_GiB == pytest.approx(16 * size.plane_waves * size.bands * 2 / 2**30)


def test_cost_scales_as_it_should(cell):
    settings = VaspSettings()
    incar = common_incar(cell, settings)
    one = job_size(cell, incar, settings)
    cutoff = job_size(cell, incar | {"ENCUT": 2 * 520.0}, settings)
    assert cutoff.plane_waves == pytest.approx(2**1.5 * one.plane_waves, rel=1e-3)
    spinor = job_size(cell, incar | {"LSORBIT": True, "ISYM": -1}, settings)
    assert spinor.plane_waves == 2 * one.plane_waves
    assert spinor.spins == 1
    # Four times the orbitals' room for each k point and channel: two components, twice the bands.
    assert spinor.kpoints == 64
    assert step_core_s(one, {"LREAL": "Auto"}) < step_core_s(one, {})
    assert step_core_s(one, {"LHFCALC": True}) > 20 * step_core_s(one, {})
    assert core_hours(cell, incar, settings, speed=2.0) == pytest.approx(core_hours(cell, incar, settings) / 2)
    band = incar | {"IMAGES": 3, "NSW": 300, "EDIFFG": -0.03}
    assert core_hours(cell, band, settings) == pytest.approx(3 * core_hours(cell, band | {"IMAGES": 1}, settings))


def test_steps_follow_the_bounds():
    loose = expected_steps({"NSW": 200, "EDIFF": 1e-4, "EDIFFG": -0.05}, 55)
    tight = expected_steps({"NSW": 200, "EDIFF": 1e-7, "EDIFFG": -0.01}, 55)
    assert loose.ionic < tight.ionic
    assert loose.electronic < tight.electronic
    assert expected_steps({"NSW": 0, "EDIFF": 1e-6}, 55).ionic == 1
    # 44 steps in 5, 57 in 7, 60 in 8, 277 in 28, 77 in 15 ionic steps of the public relaxations.
    for ionic, electronic in ((5, 44), (7, 57), (8, 60), (28, 278), (15, 77)):
        ours = expected_steps({"NSW": ionic, "EDIFF": 1e-5, "EDIFFG": -1e-9}, 14)
        assert ours.total == pytest.approx(electronic, rel=1.0)
