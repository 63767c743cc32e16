"""Mechanisms by which a voltage could write a magnetic contrast: what each does, how large it is here, what tells.

A contrast of one sense needs a term that is odd in the magnetisation n; E(n) of a relaxed state has none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..magnetism.grain import MAGNETOELASTIC, GrainState, magnetisation_A_per_m
from ..magnetism.unidirectional import UnidirectionalResult
from ..study.documents import Study

# Of exchange at an interface with an antiferromagnet, J/m2 (J. Nogues and I. K. Schuller,
# 10.1016/S0304-8853(98)00266-2), and of anisotropy by charge at an interface, J/(V m) (M. Weisheit et al. and later).
INTERFACE_J_PER_m2 = (1e-5, 1e-3)
CHARGE_J_PER_Vm = 1e-13
_STRAIN = 1e-3
_EVIDENCE = {
    "change of the even part of E(n)": "computed here; measured in Co under GdOx, above 0.6 mJ/m2 (arXiv:1409.1843)",
    "exchange h to a pinned part": "none in the claimed films: no pinned part is named",
    "chiral D to a pinned part": "symmetry and geometry alone; no strength is known",
    "fixed bias with a coercive field that ions change": (
        "computed here for assumed grains; coercive field of mesoporous CoFe2O4 lower by 5 to 28 % at -10 to -50 V "
        "(10.1038/s41598-019-46618-6)"
    ),
    "heat in the tip's field": "none: currents of the claimed films are not told",
    "strain and the elastic dipole of the hop": (
        "magnetostriction measured (10.1103/PhysRev.99.1788); strain by voltage not"
    ),
    "frozen inclusions, e.g. CoO": "0.3 T in epitaxial CoFe2O4 with a layer of CoO (arXiv:2102.03048)",
    "antiphase boundaries": (
        "seen in films of Fe3O4, with fields of saturation far above the bulk's (10.1103/PhysRevLett.79.5162)"
    ),
    "directional order of ions (Neel, Slonczewski)": (
        "loops of CoFe2O4 precipitated in a field, ascribed to order of Co and vacancies (Q. Gao et al., uniaxial "
        "anisotropy and novel magnetic behaviors of CoFe2O4 nanoparticles prepared in a magnetic field)"
    ),
    "linear magnetoelectric effect": "symmetry",
    "Lifshitz terms on walls": (
        "walls of garnet films move with the polarity, whatever the magnetisation (arXiv:0801.4073)"
    ),
    "charge at an interface (Rashba and the like)": (
        "coercive field of 2 nm of FePt and FePd changed by -4.5 and +1 % (10.1126/science.1136629)"
    ),
    "moment changed by redox": "FePt with iron oxide in an electrolyte, reversibly (arXiv:1206.2467)",
    "nucleation and motion of walls": "none in the claimed films: no images between pulses",
    "charge trapped under the tip": "C3",
}
NOT_COMPUTED = "not computed"
_HERE = "computed here"


@dataclass(frozen=True)
class Mechanism:
    """One row.

    Attributes
    ----------
    name
        What acts.
    odd
        Whether it is odd in n, so that it can choose a sense.
    size
        In this study, with its unit and where it comes from.
    reversed_by_hop
        Whether the hop back reverses it.
    needs
        What has to be there.
    tells
        The measurement that would show or exclude it.
    evidence
        What is known of it: computed here, measured somewhere, or neither.
    """

    name: str
    odd: str
    size: str
    reversed_by_hop: str
    needs: str
    tells: str
    evidence: str = ""

    @property
    def evidence_of_study(self) -> str:
        """What is known, without "computed here" where nothing was."""
        if self.size != NOT_COMPUTED or not self.evidence.startswith(_HERE):
            return self.evidence
        return self.evidence.partition("; ")[2] or "none"


def mechanisms(study: Study) -> list[Mechanism]:
    """All of them, with the numbers that this study has."""
    result = study.unidirectional
    grains = {g.state: g for g in study.device.grains} if study.device is not None else {}
    every = [*_of_anisotropy(study, result), *_of_grains(study, grains), *_others(study)]
    return [replace(m, evidence=_EVIDENCE[m.name]) for m in every]


def answer(study: Study) -> str:
    """Which mechanism could write a sense without being a property of E(n), and what would tell."""
    grains = {g.state: g for g in study.device.grains} if study.device is not None else {}
    fields = "; ".join(filter(None, (_two_fields(grains), _written(study))))
    said = f" (here {fields})" if fields else ""
    return (
        "what could write one sense all the same: a fixed bias, or the tip's field, together with a coercive field "
        f"that the ions change{said}, which releases the moment one way; or heat in the tip's field. A loop before and "
        "after writing tells: a shift that reverses is a bias written by the hop, a shift that stays and a width that "
        "changes is the one-way write, neither is an axis"
    )


def _two_fields(grains: dict[str, GrainState]) -> str:
    if not {"before", "after"} <= set(grains):
        return ""
    before, after = (grains[s].coercive_T for s in ("before", "after"))
    return f"{before:.2g} T before the hop and {after:.2g} T after it, of assumed grains"


def _written(study: Study) -> str:
    """What the assumed bias and pulses write."""
    writing = study.device.writing if study.device is not None else None
    return "" if writing is None else writing.verdict


def _of_anisotropy(study: Study, result: UnidirectionalResult | None) -> list[Mechanism]:
    tilt = NOT_COMPUTED
    bias = chiral = "no reference is stated"
    if result is not None:
        tilt = f"axes turned: {result.tilts_in_words}"
        sums = {s.state: np.array(s.keffer_A2) for s in result.states if s.keffer_A2 is not None}
        if {"before", "after"} <= set(sums):
            change = float(np.linalg.norm(sums["after"] - sums["before"]))
            chiral = f"Keffer sum changes by {change:.2g} A2; its strength per A2 is not known"
        coupled = [s for s in result.states if s.coupling is not None]
        if coupled:
            bias = ", ".join(f"h {s.coupling.h_meV:.3g} meV {s.state}" for s in coupled if s.coupling is not None)
            chiral = ", ".join(
                f"|D| {np.linalg.norm(s.coupling.D_meV):.3g} meV {s.state}" for s in coupled if s.coupling is not None
            )
    return [
        Mechanism(
            "change of the even part of E(n)", "no", tilt, "the axis, no sense", "nothing", "torque or FMR by direction"
        ),
        Mechanism(
            "exchange h to a pinned part",
            "yes",
            bias,
            "no: equal in both states",
            "something pinned",
            "shift of the loop",
        ),
        Mechanism(
            "chiral D to a pinned part",
            "yes",
            chiral,
            "yes, where a mirror relates both states",
            "something pinned; D by four-state energies",
            "shift of the loop that reverses with the voltage",
        ),
    ]


def _of_grains(study: Study, grains: dict[str, GrainState]) -> list[Mechanism]:
    fields = _two_fields(grains)
    stable = ", ".join(f"K V/kT {g.stability:.2g} {g.state}" for g in grains.values())
    elastic = MAGNETOELASTIC.get(study.host.key.partition(":")[0])
    strain = (
        NOT_COMPUTED
        if elastic is None
        else f"{abs(elastic.b1_MJ_per_m3) * _STRAIN:.2g} MJ/m3 per {_STRAIN:g} of strain along <100> ({elastic.source})"
    )
    return [
        Mechanism(
            "fixed bias with a coercive field that ions change",
            "yes, by the bias",
            "; ".join(filter(None, (fields, _written(study)))) or NOT_COMPUTED,
            "no: one way",
            "a bias or tip field between both coercive fields",
            "loops before and after: width changes, shift stays",
        ),
        Mechanism(
            "heat in the tip's field",
            "yes, by the tip",
            stable or NOT_COMPUTED,
            "by the tip's moment, not by the voltage",
            "current or loss that heats a grain past blocking",
            "sense follows the tip when it is reversed",
        ),
        Mechanism(
            "strain and the elastic dipole of the hop",
            "no",
            strain,
            "the axis, no sense",
            "a clamped film",
            "lattice constant against voltage",
        ),
    ]


def _others(study: Study) -> list[Mechanism]:
    moment = magnetisation_A_per_m(study.host.moment_per_formula_muB, study.host.volume_per_formula_A3)
    film = study.device.film if study.device is not None else None
    pinned = charge = NOT_COMPUTED
    if film is not None:
        if moment:
            low, high = (j / (abs(moment) * film.thickness_m) for j in INTERFACE_J_PER_m2)
            pinned = f"{low:.2g} to {high:.2g} T by {INTERFACE_J_PER_m2[0]:g} to {INTERFACE_J_PER_m2[1]:g} J/m2 (bound)"
        field = film.voltage_V / film.thickness_m
        charge = f"{CHARGE_J_PER_Vm * field / film.thickness_m * 1e-6:.1e} MJ/m3 by {CHARGE_J_PER_Vm:g} J/(V m) (bound)"
    merit = study.device.merit if study.device is not None else None
    redox = NOT_COMPUTED
    if merit is not None and merit.converse_magnetoelectric_s_per_m is not None:
        redox = f"{merit.converse_magnetoelectric_s_per_m:.1e} s/m"
    return [
        Mechanism(
            "frozen inclusions, e.g. CoO",
            "yes",
            pinned,
            "no",
            "an antiferromagnet below T_N",
            "shift vanishes above T_N",
        ),
        Mechanism(
            "antiphase boundaries",
            "yes, if frozen",
            NOT_COMPUTED,
            "no",
            "boundaries that ions do not move",
            "TEM, training",
        ),
        Mechanism(
            "directional order of ions (Neel, Slonczewski)",
            "no",
            "below the crystal anisotropy of the ions that hop",
            "the axis, no sense",
            "hops of many ions in a magnetised film",
            "induced axis follows M of the anneal",
        ),
        Mechanism(
            "linear magnetoelectric effect",
            "yes",
            "zero: forbidden with an inversion centre and by time reversal of a film demagnetised as a whole",
            "–",
            "an order without inversion",
            "M linear in a small field",
        ),
        Mechanism(
            "Lifshitz terms on walls",
            "on walls only",
            NOT_COMPUTED,
            "yes",
            "a field across a wall",
            "walls move with polarity",
        ),
        Mechanism(
            "charge at an interface (Rashba and the like)", "no", charge, "yes, volatile", "an electrode", "gone at 0 V"
        ),
        Mechanism(
            "moment changed by redox", "no", redox, "its size, no sense", "valence changes", "M_s against voltage"
        ),
        Mechanism(
            "nucleation and motion of walls",
            "by the field that is there",
            NOT_COMPUTED,
            "no",
            "grains larger than a wall",
            "images between pulses",
        ),
        Mechanism(
            "charge trapped under the tip",
            "no",
            "excluded by C3: the contrast mirrors with the tip's moment",
            "–",
            "–",
            "reverse the tip's magnet",
        ),
    ]
