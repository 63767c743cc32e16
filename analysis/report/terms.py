"""Words and symbols of the report with their meaning, for who meets them here first."""

from __future__ import annotations

from ..study.documents import Study
from ..thermodynamics.gases import gas_of


def terms(study: Study) -> list[tuple[str, str]]:
    """What the sections of this study speak of, in their order.

    Parameters
    ----------
    study
        A finished study.

    Returns
    -------
    list of (term, meaning)
    """
    entries = [
        (
            "engine",
            "What computes the energies: a model, a potential or a first-principles code. What it leaves out stands "
            "at the end of each section; `indicative` marks numbers that show a trend and are not for quoting.",
        ),
        (
            "cation order",
            "Which cation sits on which site; an order is named by the space group of its cell. f.u.: formula unit.",
        ),
    ]
    if study.vacancies:
        potentials = study.chemical_potentials
        gas = gas_of("O" if potentials is None else potentials.window.anion)
        zero = f"half an {gas.formula} molecule" if gas.is_standard_state else f"solid {gas.word}"
        entries += [
            (
                "V_Fe(B)",
                "A vacancy: an Fe ion is missing from a site of the sublattice B. In a spinel A is the tetrahedral and "
                "B the octahedral sublattice; a number tells distinct sites of one sublattice apart.",
            ),
            (
                f"E_f, Δμ({gas.element})",
                "Formation energy: what it costs to take the ion out into its reservoir. "
                f"Δμ({gas.element}) is the {gas.word} potential against {zero}: near zero in much {gas.word}, negative "
                "in little. Outside the stability window the host decomposes.",
            ),
        ]
    if study.migration:
        entries += [
            (
                "before, after",
                "The two states of a hop, such as Co(B) -> V_Fe(B): the ion at its site beside the vacancy, and the "
                "ion in it, where its old site is the vacancy. The review calls them left (L) and right (R).",
            ),
            (
                "saddle, image, force evaluation",
                "The path is a chain of images of the cell, relaxed together (nudged elastic band); each maximum on it "
                "is passed at a saddle. The barrier is the highest saddle minus the start.",
            ),
            (
                "field",
                "The macroscopic field inside the film; positive, it pushes a positive ion along the hop. "
                "1e+08 V/m is 1 V over 10 nm. Final − initial is the energy of the state after minus that before.",
            ),
        ]
    if study.anisotropy is not None:
        entries += [
            (
                "E(n)",
                "Energy of the cell with its magnetisation along n. Its even part is the same for n and −n and has "
                "axes: easy is the lowest, hard the highest. Its odd part changes sign and prefers a sense.",
            ),
            (
                "u, frozen reference",
                "u is the vector of the odd part: the sense that is preferred, and by how much. Time reversal makes "
                "it zero unless some moments stay fixed (the reference, p); without one it is rounding error.",
            ),
        ]
    if study.retention is not None:
        entries.append(
            (
                "retention",
                "Mean time until the state after the hop hops back, exp(barrier/kT) over the attempt frequency; the "
                "latter comes from the vibrations (Vineyard) or is assumed.",
            )
        )
    entries.append(
        (
            "verdicts",
            "reproduced: the study says what the claim says. consistent: so does what is assumed here, "
            "which could not have said otherwise. contradicted: it says otherwise. undecided: its error, or "
            "what it leaves out, is as large as the answer.",
        )
    )
    return entries
