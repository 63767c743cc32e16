"""The user's own INCAR tags by kind of job, and the reason why some are not the user's to set.

```yaml
incar:
  all: {ALGO: All, NCORE: 8}
  relax: {POTIM: 0.3}
  band: {IOPT: 3}
```
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args

JobKind = Literal["relax", "static", "band", "spin-orbit", "density", "polarisation", "dielectric"]
JOB_KINDS: tuple[JobKind, ...] = get_args(JobKind)
ALL = "all"
Tags = dict[str, Any]

_MOMENTS = "the moments are those of the structure's sites, and the guard `moments kept` holds them"
_MESH = "the mesh is written out for every job: set dft: kpoint_spacing_per_A or kpoint_mesh"
_HUBBARD = "U goes by element and is held by the guard `U of each species`: set dft: hubbard_U_eV"
_FUNCTIONAL = "it makes the functional: set dft: functional"
_BAND = "it makes the band, whose guards and readers stand on it: see path"
_SPINOR = "it makes the direction of E(n): see anisotropy"
_FIELD = "it makes the run in a field or its dipole: see path: field_V_per_A and dipoles"
# Not the user's in any job: a guard, a reader or the comparison of energies stands on it.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("MAGMOM", "NUPDOWN", "ISPIN"), _MOMENTS),
    **dict.fromkeys(("KSPACING", "KGAMMA"), _MESH),
    **dict.fromkeys(("LDAU", "LDAUTYPE", "LDAUL", "LDAUU", "LDAUJ"), _HUBBARD),
    **dict.fromkeys(("GGA", "METAGGA", "LHFCALC", "HFSCREEN", "AEXX", "LMIXTAU"), _FUNCTIONAL),
    **dict.fromkeys(("IMAGES", "LCLIMB", "SPRING", "ICHAIN", "LTANGENTOLD"), _BAND),
    **dict.fromkeys(("LSORBIT", "LNONCOLLINEAR", "SAXIS", "LORBMOM", "GGA_COMPAT"), _SPINOR),
    **dict.fromkeys(("EFIELD_PEAD", "LCALCPOL", "LCALCEPS", "LEPSILON", "DIPOL", "IDIPOL", "LDIPOL", "EFIELD"), _FIELD),
    **dict.fromkeys(("I_CONSTRAINED_M", "M_CONSTR", "LAMBDA", "RWIGS"), "see anisotropy: constrain_eV and rwigs_A"),
    "OCCEXT": "see occupation_matrices",
    "NELECT": "it follows from the charge of the cell, and the guard `electrons of the cell` holds it",
    "ENCUT": "energies are compared at one cut-off: set dft: encut_eV",
    "ENAUG": "energies are compared at one cut-off: set dft: encut_eV",
    "PREC": "energies are compared on one FFT grid",
    "ISMEAR": "energies are compared with one smearing: set dft: sigma_eV",
    "SIGMA": "energies are compared with one smearing: set dft: sigma_eV",
    "LREAL": "cells that are compared need one value: set dft: real_space_edge_A or real_space_projection",
    "LASPH": "without the non-spherical terms the energies of d shells are others",
    "EDIFF": "the guard `electronic convergence` stands on it: set dft: ediff_eV and the like",
    "EDIFFG": "the check `forces relaxed` stands on it: set dft: force_eV_per_A",
    "NELM": "the guard `electronic convergence` stands on it: set dft: max_electronic_steps",
    "NSW": "set dft: max_ionic_steps",
    "ISIF": "it says whether the cell moves, which the job decides",
    "ISYM": "a defect must be free to break symmetry, and directions need one set of k points",
    "ICHARG": "the job decides where the density comes from",
    "ISTART": "the job decides where the orbitals come from",
    "LMAXMIX": "4 carries d shells (6 f shells) in the density: less loses U's occupations",
    "LORBIT": "11 writes the site moments that the guard `moments kept` reads",
    "SYSTEM": "the job's name is written elsewhere",
}
# Not the user's in some kinds of job.
REFUSED_IN: Mapping[JobKind, Mapping[str, str]] = {
    "band": dict.fromkeys(("IBRION", "POTIM"), "VTST's optimiser moves the band and VASP's must stand still"),
    "density": {"LCHARG": "the directions start from this density"},
    "dielectric": dict.fromkeys(("IBRION", "NCORE", "NPAR"), "VASP's linear response allows no other"),
    "polarisation": dict.fromkeys(("NCORE", "NPAR"), "VASP's Berry phases and fields allow NCORE = 1 alone"),
    "static": {"IBRION": "a single point moves nothing"},
    "spin-orbit": {"IBRION": "a single point moves nothing"},
}
# Of VTST and of the occupation-matrix patch, which VASP's own list lacks.
_OF_PATCHES = ("IOPT", "MAXMOVE", "ILBFGSMEM", "LGLOBAL", "LAUTOSCALE", "INVCURV", "LLINEOPT", "FDSTEP", "TIMESTEP")
_PATCHES = (
    *_OF_PATCHES,
    "LPEAD_RELAX",  # no patch: VASP's users name it in its forum for the forces of a field
    "FTIMEMAX",
    "FTIMEDEC",
    "FTIMEINC",
    "FALPHA",
    "FNMIN",
    "SDALPHA",
    "LNEBCELL",
    "NCORE_IN_IMAGE1",
)


class TagError(ValueError):
    """A tag that is not the user's to set, or that VASP does not know."""


def job_kind(incar: Mapping[str, Any]) -> JobKind:
    """Kind of a job, by the tags that make it one."""
    if "IMAGES" in incar:
        return "band"
    if incar.get("LSORBIT"):
        return "spin-orbit"
    if incar.get("LEPSILON"):
        return "dielectric"
    if incar.get("LCALCPOL") or "EFIELD_PEAD" in incar:
        return "polarisation"
    if incar.get("LCHARG"):
        return "density"
    return "relax" if int(incar.get("NSW", 0)) > 0 else "static"


def check_tags(by_kind: Mapping[str, Mapping[str, Any]]) -> dict[str, Tags]:
    """The user's tags in capitals, or the reason why they cannot be used.

    Parameters
    ----------
    by_kind
        Tags by kind of job, see `JOB_KINDS`; ``all`` for every job.

    Raises
    ------
    TagError
        For a kind that does not exist, a tag that VASP does not know, or one that a guard stands on.
    """
    out: dict[str, Tags] = {}
    for kind, tags in by_kind.items():
        if kind != ALL and kind not in JOB_KINDS:
            raise TagError(f"incar: no kind of job is called {kind!r}; known: {ALL}, {', '.join(JOB_KINDS)}")
        if not isinstance(tags, Mapping):
            raise TagError(f"incar: {kind} takes tags and their values, such as {{ALGO: All}}, not {tags!r}")
        made = {str(name).strip().upper(): value for name, value in tags.items()}
        for name, value in made.items():
            _check_tag(kind, name, value)
        out[kind] = made
    return out


def _check_tag(kind: str, name: str, value: Any) -> None:
    reason = REFUSED.get(name)
    if kind != ALL:
        reason = reason or REFUSED_IN.get(kind, {}).get(name)  # type: ignore[call-overload]
    if reason:
        raise TagError(f"incar: {kind}: {name} cannot be set here: {reason}")
    if name not in _known():
        near = difflib.get_close_matches(name, _known(), n=1)
        raise TagError(f"incar: {kind}: VASP knows no tag {name}{'; did you mean ' + near[0] + '?' if near else ''}")
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(v, bool | int | float | str) for v in values):
        raise TagError(f"incar: {kind}: {name} = {value!r} must be a number, a word, true or false, or a list of them")
    if any(isinstance(v, float) and not abs(v) < float("inf") for v in values):
        raise TagError(f"incar: {kind}: {name} = {value!r} must be finite")


@cache
def _known() -> frozenset[str]:
    """Names of tags as pymatgen lists them, and those of the patches."""
    import json
    from pathlib import Path

    import pymatgen.io.vasp.inputs as inputs

    listed = json.loads((Path(inputs.__file__).with_name("incar_parameters.json")).read_text(encoding="utf-8"))
    return frozenset(listed) | frozenset(_PATCHES)


def with_user_tags(incar: Mapping[str, Any], by_kind: Mapping[str, Mapping[str, Any]]) -> Tags:
    """Tags of a job with the user's on top: those for every job first, then those of its kind.

    Of the tags for every job, what this kind must not have is left out: Berry phases run with NCORE = 1.
    """
    kind = job_kind(incar)
    own = REFUSED_IN.get(kind, {})
    general = {name: value for name, value in by_kind.get(ALL, {}).items() if name not in own}
    return {**incar, **general, **by_kind.get(kind, {})}
