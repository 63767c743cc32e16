"""Judges of the claims about oxygen vacancies: C13 of cobalt-doped zinc oxide, C14 of strontium-doped manganites."""

from __future__ import annotations

from ..kinetics.rates import format_duration
from ..study.documents import Study
from .evidence import Judge, Judgement, NotDoneError, sound_hop, sound_retention, sound_vacancies
from .known_cobaltates import cobaltates_in_words
from .known_pairs import WITHOUT_OXYGEN, known_pairs, pairs_in_words

# Curie temperatures of La(1-x)Sr(x)MnO3 crystals, general literature after 10.1103/PhysRevB.51.14103, to some 5 K.
MANGANITE_T_C_K = {0.15: 238.0, 0.175: 283.0, 0.2: 309.0, 0.3: 369.0}
# A vacancy leaves two electrons, which fill two holes.
_HOLES_PER_VACANCY = 2.0
_FEW_VACANCIES = 0.05
_ROOM_K = 300.0


def _filament(study: Study) -> Judgement:
    oxygen = [v for v in sound_vacancies(study) if v.element == "O"]
    if not oxygen:
        raise NotDoneError("vacancy of O")
    hop = sound_hop(study)
    if hop.ion != "O":
        raise NotDoneError("hop of O")
    easiest = min(oxygen, key=lambda v: v.energy_minus_host_eV)
    harder = max(hop.forward_eV, hop.backward_eV)
    retention = sound_retention(study)
    stays = retention.why_no_rate(_ROOM_K) or (
        f"after it an ion stays {format_duration(retention.at(_ROOM_K))} at {_ROOM_K:g} K and 0 V"
    )
    edges = easiest.oxygen_poor, easiest.oxygen_rich
    costs = " and ".join(
        f"{edge.low_eV:.2f} to {edge.high_eV:.2f} eV at the oxygen-{name} edge"
        for edge, name in zip(edges, ("poor", "rich"), strict=True)
        if edge is not None
    )
    moment = (
        f"It changes the moment of the cell by {easiest.moment_change_muB:+.2f} muB"
        if easiest.moments_computed
        else "This engine has no electrons, so that it gives no moment of the vacancy"
    )
    return Judgement(
        "undecided",
        harder,
        "eV (harder way of the O hop)",
        f"a filament is made and taken apart by V_O, which {'costs ' + costs if costs else 'has no window here'} and "
        f"whose hop takes {hop.forward_eV:.2f} eV one way and {hop.backward_eV:.2f} the other"
        f": {stays}. {moment}. Whether V_O couples the Co ions to a larger moment is the energy "
        "of parallel against antiparallel Co beside it",
    )


def beside_pairs(own: Judgement) -> Judgement:
    """The same with what shipped first principles say of two Co at the vacancy, which then gives the number."""
    pairs = known_pairs()
    bare = [p.antiparallel_minus_parallel_meV for p in pairs if p.cell == WITHOUT_OXYGEN]
    if not bare:
        return own
    unit = "meV (antiparallel minus parallel Co at V_O)"
    return Judgement(own.verdict, min(bare), unit, f"{own.reason}: {pairs_in_words(pairs)}", by="gpaw (GPAW)")


def manganite_T_C() -> Judgement:
    """C14 by counting the holes that oxygen vacancies fill, on the measured phase diagram."""
    before, after = 0.3, 0.3 - _HOLES_PER_VACANCY * _FEW_VACANCIES
    drop = MANGANITE_T_C_K[round(before, 3)] - MANGANITE_T_C_K[round(after, 3)]
    return Judgement(
        "consistent",
        -drop / (100 * _FEW_VACANCIES),
        "K per per cent of V_O",
        f"two electrons of each V_O fill two holes: La0.7Sr0.3MnO3 with {_FEW_VACANCIES:g} V_O per Mn has the holes of "
        f"x = {after:g}, whose T_C is measured {drop:.0f} K lower ({MANGANITE_T_C_K[0.3]:g} and "
        f"{MANGANITE_T_C_K[0.2]:g} K, general literature after 10.1103/PhysRevB.51.14103). It counts electrons and "
        "takes the phase diagram as measured: vacancies also bend bonds and scatter, which lowers T_C further, and "
        f"gating may move carriers without any vacancy{_of_cobaltates()}",
        by="measured phase diagram",
    )


def _of_cobaltates() -> str:
    words = cobaltates_in_words()
    return words and f". By first principles, {words}"


JUDGES: dict[str, Judge] = {"C13": _filament}
