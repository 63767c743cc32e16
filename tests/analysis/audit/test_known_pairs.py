"""Two Co in ZnO, parallel against antiparallel: the sign, the cells, and what the judge of C13 makes of it."""

import pytest
from magnetoionics.analysis.audit import known_pairs as module
from magnetoionics.analysis.audit import oxygen_vacancies
from magnetoionics.analysis.audit.evidence import Judgement
from magnetoionics.analysis.audit.known_pairs import CobaltPair, known_pairs, pairs_in_words
from magnetoionics.analysis.results.checks import Check
from magnetoionics.analysis.study.reference_calculations import load_reference_calculations

KEPT = load_reference_calculations()
NAMES = ("znoco32vo-dzp-k1-fm", "znoco32vo-dzp-k1-afm")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Both senses of the cell without its oxygen, the parallel one 20 meV lower."""
    monkeypatch.setattr(module, "reference_calculations_folder", lambda: tmp_path)
    known_pairs.cache_clear()
    for name, energy in zip(NAMES, (-100.02, -100.0), strict=True):
        write(tmp_path, name, energy_eV=energy)
    yield tmp_path
    known_pairs.cache_clear()


def write(folder, name, **update):
    kept = KEPT[name]
    made = kept.model_copy(update={"calculation": kept.calculation.model_copy(update=update)})
    (folder / f"{name}.json").write_text(made.model_dump_json())


def test_positive_where_the_larger_moment_is_the_stabler(folder):
    (pair,) = known_pairs()
    assert pair.antiparallel_minus_parallel_meV == pytest.approx(20.0, abs=1e-6)
    # 1e-6 eV for each of 2 x 9 + 14 x 12 + 15 x 6 electrons, twice.
    assert pair.error_meV == pytest.approx(0.552)
    assert (pair.cell, pair.hubbard_U_eV, pair.cell_atoms) == ("znoco32vo", 3.32, 31)
    assert "U = 3.32 eV, without it: +20.0 +-0.6 meV" in pairs_in_words([pair])


def bare(value, u, error=0.6):
    return CobaltPair(
        cell="znoco32vo",
        hubbard_U_eV=u,
        antiparallel_minus_parallel_meV=value,
        error_meV=error,
        parallel_muB=6.0,
        antiparallel_muB=0.0,
        cell_atoms=31,
        source="",
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((2.8, 4.0, 2.5), "the parallel pair lies lower for all of U = 3, 4, 5 eV, by at most 4.0 meV, less than kT"),
        ((-2.8, -40.0, -2.5), "the antiparallel pair lies lower for all of U = 3, 4, 5 eV, by at most 40.0 meV, more"),
        ((2.8, 4.0, -2.5), None),
        ((2.8, 4.0), None),
        ((2.8, 4.0, 0.5), None),
    ],
)
def test_a_sign_is_said_only_where_three_sets_of_u_agree_beyond_their_errors(values, said):
    words = pairs_in_words([bare(value, 3.0 + n) for n, value in enumerate(values)])
    assert ("At the vacancy" in words) == (said is not None)
    if said is not None:
        assert said in words


def test_a_pair_needs_both_and_both_sound(folder):
    known_pairs.cache_clear()
    lost = Check(name="moments kept", passed=False, value=0.1, limit=0.5, must_be="above", invalidates=True)
    write(folder, NAMES[0], checks=[lost])
    assert known_pairs() == ()
    known_pairs.cache_clear()
    write(folder, NAMES[0], checks=[])
    (folder / f"{NAMES[1]}.json").unlink()
    assert known_pairs() == ()
    assert pairs_in_words(()) == ""


def test_kept_pairs_are_differences_of_kept_energies_with_the_spins_that_were_asked_for():
    pairs = known_pairs()
    assert pairs
    assert {p.cell for p in pairs} <= {"znoco32", "znoco32vo"}
    for pair in pairs:
        along, against = (
            KEPT[name.removeprefix("data/gpaw/").removesuffix(".json")].calculation for name in pair.source.split(", ")
        )
        assert pair.antiparallel_minus_parallel_meV == pytest.approx(1e3 * (against.energy_eV - along.energy_eV))
        # High-spin Co2+ on tetrahedra: three spins each.
        assert pair.parallel_muB == pytest.approx(6.0, abs=0.1)
        assert pair.antiparallel_muB == pytest.approx(0.0, abs=0.1)
        assert along.gap_eV > 0
        assert against.gap_eV > 0


def test_judge_names_the_weakest_coupling_at_the_vacancy(monkeypatch):
    def pair(cell, value):
        return CobaltPair(
            cell=cell,
            hubbard_U_eV=3.0,
            antiparallel_minus_parallel_meV=value,
            error_meV=1.0,
            parallel_muB=6.0,
            antiparallel_muB=0.0,
            cell_atoms=31,
            source="",
        )

    plain = Judgement("undecided", 1.1, "eV", "a hop")
    given = (pair("znoco32", -40.0), pair("znoco32vo", 12.0), pair("znoco32vo", -3.0))
    monkeypatch.setattr(oxygen_vacancies, "known_pairs", lambda: given)
    beside = oxygen_vacancies.beside_pairs(plain)
    assert (beside.value, beside.by, beside.verdict) == (-3.0, "gpaw (GPAW)", "undecided")
    assert "with the oxygen between them: -40.0 +-1.0 meV" in beside.reason
    # Of the two energies without the oxygen the last by U stands; 37 above that with it, both errors added.
    assert "the vacancy moves the coupling towards parallel by +37.0 +-2.0 meV for U = 3 eV" in beside.reason
    monkeypatch.setattr(oxygen_vacancies, "known_pairs", tuple)
    assert oxygen_vacancies.beside_pairs(plain) == plain
