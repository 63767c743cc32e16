"""Table of what the Materials Project's checker of VASP inputs says about this package's relaxations and single points.

    pip install pymatgen-io-validation
    python benchmarks/vasp_checker.py [--host cofe2o4 --host life5o8] [--protocol fast ...]

Prints for each host, protocol and job what ``pymatgen-io-validation`` refuses or warns of, and ends with 1 if
something is refused that docs/howto_vasp.md does not explain. POTCARs are not needed: their names are compared with
those of the same reference set.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import PROTOCOLS, get_engine

HOSTS = ("cofe2o4", "life5o8")
# Where in the checker's message the tag stands that it is about.
_TAG = re.compile(r"--> (\w+)")
# What is meant to be coarser than the Materials Project, by protocol; docs/howto_vasp.md gives the reasons.
EXPLAINED = {"fast": {"ENCUT": "400 eV", "LREAL": "Auto", "POTCAR": "Li instead of Li_sv"}}


@dataclass(frozen=True)
class Verdict:
    """What the checker says about the inputs of one job.

    Attributes
    ----------
    reasons, warnings
        The checker's sentences: a reason refuses.
    same_shells
        Reasons that are left where elements without U name the s shell (LDAUL 0, as the Materials Project writes it)
        instead of none (-1): with U and J of 0 both add nothing.
    potcars
        Data sets that are not the reference set's, as ``ours instead of theirs``.
    """

    host: str
    protocol: str
    job: str
    reference: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    same_shells: tuple[str, ...]
    potcars: tuple[str, ...]

    @property
    def open(self) -> list[str]:
        """Differences that are not explained."""
        meant = EXPLAINED.get(self.protocol, {})
        left = [r for r in self.same_shells if tag(r) not in meant]
        return left + [p for p in self.potcars if p != meant.get("POTCAR")]


def tag(reason: str) -> str:
    """The tag that a sentence is about, or the sentence."""
    found = _TAG.search(reason)
    return found.group(1) if found else reason


def judge(host: str, protocol: str) -> list[Verdict]:
    """Verdicts on a bulk relaxation, a single point and a defect relaxation of a study."""
    engine: Any = get_engine(f"vasp:{protocol}")
    planned = engine._plan(get_host(host), None, (2, 2, 2))
    wanted = {
        "bulk relaxation": next(j for j in planned if j.folder.startswith("bulk_")),
        "single point": next(j for j in planned if j.folder == "host_supercell"),
        "defect relaxation": next(j for j in planned if "vacancy" in j.folder),
    }
    return [_verdict(host, protocol, name, job.files()) for name, job in wanted.items()]


def _verdict(host: str, protocol: str, name: str, files: Any) -> Verdict:
    from pymatgen.io import vasp
    from pymatgen.io.validation import VaspValidator
    from pymatgen.io.validation.common import VaspFiles, VaspInputSafe
    from pymatgen.io.vasp import sets

    incar = vasp.Incar(files["INCAR"])

    def ask(tags: Any) -> tuple[Any, str]:
        given = VaspInputSafe(incar=tags, structure=files["POSCAR"].structure, kpoints=files["KPOINTS"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            checked = VaspFiles(user_input=given)
            return VaspValidator.from_vasp_input(vasp_files=checked, check_potcar=False), checked.valid_input_set_name

    found, reference = ask(incar)
    shells = [ang if u else 0 for ang, u in zip(incar["LDAUL"], incar["LDAUU"], strict=True)]
    same, _ = ask(vasp.Incar(incar | {"LDAUL": shells}))
    theirs = getattr(sets, reference).CONFIG["POTCAR"]
    ours = str(files["POTCAR.spec"] if "POTCAR.spec" in files else files["POTCAR"]).split()
    differ = [f"{s} instead of {theirs[e]}" for s in ours if (e := s.partition("_")[0]) in theirs and theirs[e] != s]
    return Verdict(
        host, protocol, name, reference, *(tuple(x) for x in (found.reasons, found.warnings, same.reasons, differ))
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a refusal is not explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", action="append", help="default: cofe2o4 and life5o8")
    parser.add_argument("--protocol", action="append", choices=list(PROTOCOLS), help="default: all")
    options = parser.parse_args(arguments)
    unexplained = 0
    for host in options.host or HOSTS:
        for protocol in options.protocol or PROTOCOLS:
            for found in judge(host, protocol):
                unexplained += len(found.open)
                words = f"refused: {', '.join(map(tag, found.reasons))}" if found.reasons else "passes"
                print(f"{host:10s} {protocol:10s} {found.job:18s} {found.reference:12s} {words}")
                for sentence in (*found.reasons, *found.warnings, *found.potcars):
                    print(f"    {'! ' if sentence in found.open else '  '}{sentence}")
    print(f"{unexplained} differences without an explanation")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
