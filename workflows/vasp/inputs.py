"""INCAR and KPOINTS of every kind of job, as atomate2 input-set generators."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pymatgen.core import Element, Structure

from ...structures.elements import hubbard_shell
from .functionals import OF_FUNCTIONAL, TAGS
from .potcars import POTCAR_FUNCTIONAL
from .settings import VaspSettings, VaspSettingsError, expected_electrons
from .tags import with_user_tags

if TYPE_CHECKING:
    from atomate2.vasp.sets.base import VaspInputGenerator

Kind = Literal["relax", "relax cell", "static", "band", "spin-orbit"]
Incar = dict[str, Any]
# Components of EFIELD_PEAD below this are ignored.
SMALLEST_FIELD_V_PER_A = 1e-5
# Where that patch reads its matrices from.
OCCUPATION_FILE = "OCCMATRIX"
# What a run must not change on its own; custodian's corrections may touch the rest (ALGO, mixing, POTIM, ...).
PROTECTED = (
    *OF_FUNCTIONAL,
    "ENCUT",
    "ISPIN",
    "LASPH",
    "LDAU",
    "LDAUTYPE",
    "LDAUL",
    "LDAUU",
    "LDAUJ",
    "LREAL",
    "ISMEAR",
    "SIGMA",
    "NELECT",
    "LSORBIT",
    "SAXIS",
    "LMAXMIX",
)


def common_incar(structure: Structure, settings: VaspSettings) -> Incar:
    """Tags that are the same in every job.

    Parameters
    ----------
    structure
        Cell with moments, in VASP's order.
    settings
        See `VaspSettings`.
    """
    elements = {s.specie.symbol for s in structure}
    has_f = any(Element(e).Z > 56 for e in elements)
    incar: Incar = {
        "PREC": "Accurate",
        "ENCUT": settings.encut_eV,
        "ADDGRID": False,
        "LASPH": True,
        "ALGO": "Normal",
        "NELM": settings.max_electronic_steps,
        "NELMIN": 5,
        "ISMEAR": 0,
        "SIGMA": settings.sigma_eV,
        "ISPIN": 2,
        "LREAL": "Auto" if settings.projects_in_real_space(structure) else False,
        # d shells need 4 and f shells 6: else a density on file does not carry the occupation matrices.
        "LMAXMIX": 6 if has_f else 4,
        "LORBIT": 11,
        "LWAVE": False,
        "LCHARG": False,
        "LAECHG": False,
        "LVTOT": False,
        "LVHAR": False,
        "LELF": False,
        "EDIFF": settings.ediff_eV,
        **TAGS[settings.functional],
    }
    if settings.ncore is not None:
        incar["NCORE"] = settings.ncore
    if settings.kpar is not None:
        incar["KPAR"] = settings.kpar
    if structure._charge:
        incar["NELECT"] = expected_electrons(structure, settings)
    values = {e: settings.hubbard_U_eV.get(e, 0.0) for e in elements}
    if any(values.values()):
        incar |= {
            "LDAU": True,
            "LDAUTYPE": 2,
            "LDAUPRINT": 1,
            "LDAUL": {e: hubbard_shell(e) if u else -1 for e, u in values.items()},
            "LDAUU": values,
            "LDAUJ": dict.fromkeys(values, 0.0),
        }
    else:
        incar["LDAU"] = False
    return incar


def relax_incar(structure: Structure, settings: VaspSettings, *, cell: bool) -> Incar:
    """Tags of a relaxation; symmetry is used only for a perfect cell whose lattice moves with it."""
    return common_incar(structure, settings) | {
        "EDIFF": settings.ediff_relax_eV,
        "EDIFFG": -settings.force_eV_per_A,
        "NSW": settings.max_ionic_steps,
        "IBRION": 2,
        "ISIF": 3 if cell else 2,
        "ISYM": 2 if cell else 0,
    }


def static_incar(structure: Structure, settings: VaspSettings) -> Incar:
    """Tags of a single point."""
    return common_incar(structure, settings) | {"NSW": 0, "IBRION": -1, "ISIF": 2, "ISYM": 0}


def occupation_tags(matrices: str | None) -> Incar:
    """Tag of the patch for occupation-matrix control (10.1039/C4CP01083C), if there are matrices to start from."""
    return {} if matrices is None else {"OCCEXT": 1}


def generator(
    base: type[VaspInputGenerator], incar: Incar, settings: VaspSettings, structure: Structure, **options: Any
) -> VaspInputGenerator:
    """An atomate2 input-set generator that writes exactly these tags, and the user's own on top of them.

    Parameters
    ----------
    base
        Generator class of atomate2; what it adds is overruled by `incar`.
    incar
        Every tag; a value of None takes a tag of the base set out.
    settings, structure
        Give the divisions of the Gamma-centred mesh, which is written out: nothing is left to a density.
    **options
        Further fields of the generator.
    """
    from pymatgen.io.vasp import Kpoints

    a, b, c = settings.mesh(structure)
    # A dictionary by its type, but pymatgen takes the object too.
    mesh: Any = Kpoints.gamma_automatic((a, b, c))
    with warnings.catch_warnings():
        # The data sets are stated on purpose, see `potcars`.
        warnings.filterwarnings("ignore", "Overriding POTCARs")
        return base(
            user_incar_settings=_without_defaults(with_user_tags(incar, settings.incar)),
            user_kpoints_settings=mesh,
            user_potcar_settings=settings.potcars(),
            user_potcar_functional=POTCAR_FUNCTIONAL,
            auto_ismear=False,
            auto_ispin=False,
            auto_lreal=False,
            auto_metal_kpoints=False,
            inherit_incar=False,
            use_structure_charge=False,
            **options,
        )


def _without_defaults(incar: Incar) -> Incar:
    """Our tags, and None for those of atomate2's base set that we do not state."""
    from atomate2.vasp.sets.base import _BASE_VASP_SET

    unset = {key: None for key in _BASE_VASP_SET["INCAR"] if key not in incar and key != "MAGMOM"}
    return unset | incar


def input_set(made: VaspInputGenerator, structure: Structure) -> Any:
    """The input files of a structure as a pymatgen ``VaspInput`` with a POTCAR list, without needing POTCARs."""
    return made.get_input_set(structure, potcar_spec=True)


def field_tags(field_V_per_A: Sequence[float], settings: VaspSettings) -> Incar:
    """Tags of a uniform field.

    Parameters
    ----------
    field_V_per_A
        Field, V/Angstrom, shape (3,), that pulls a positive charge along itself.
    settings
        With the sign of the tag.

    Raises
    ------
    VaspSettingsError
        If a component is so small that VASP takes it for none.

    Notes
    -----
    VASP's unit is eV/Angstrom, the force on an electron, so the tag has the opposite sign of the field; its dipoles
    too count electrons as positive. Nobody has run VASP for this package: `guards.field_pushes` measures the sign.
    """
    lost = [float(x) for x in field_V_per_A if 0 < abs(float(x)) < SMALLEST_FIELD_V_PER_A]
    if lost:
        raise VaspSettingsError(
            f"field {[float(x) for x in field_V_per_A]} V/A has components that VASP ignores, below "
            f"{SMALLEST_FIELD_V_PER_A:g} V/A: give 0 or more than that"
        )
    tag = [settings.efield_pead_sign * float(x) + 0.0 for x in field_V_per_A]
    return {"EFIELD_PEAD": tag, "LCALCPOL": True, "NCORE": 1, "ISYM": -1}
