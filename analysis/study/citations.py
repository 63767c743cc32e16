"""What a study rests on and has to be cited for: of the package's bibliography, in BibTeX and in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .documents import Study

FILE = "data/references.bib"
SOFTWARE = ("jobflow", "pymatgen", "ase", "spglib")
# What a functional's name in a provenance stands for.
_FUNCTIONALS = {"PBE": "pbe"}
_WITH_U = "dudarev1998"
_ENTRY = re.compile(r"^@(\w+)\{([^,\s]+),(.*)\}$", re.MULTILINE)
_FIELD = re.compile(r"(\w+) = \{((?:[^{}]|\{[^{}]*\})*)\}")


@lru_cache
def bibliography() -> dict[str, Mapping[str, str]]:
    """Fields of every entry of the bibliography, by key, in the order of the file."""
    text = files("magnetoionics").joinpath(FILE).read_text(encoding="utf-8")
    # One entry a line, braces two deep; a parser of all that BibTeX can be is the witness in a test.
    return {
        key: {**dict(_FIELD.findall(fields)), "ENTRYTYPE": kind, "ID": key}
        for kind, key, fields in _ENTRY.findall(text)
    }


def citations_of(study: Study) -> list[str]:
    """Keys of the bibliography, or DOIs, that a study rests on, each once.

    Those of its engine and stages stand in the study, those of its functional and U follow from the provenance, and the
    software that every study uses comes last.
    """
    provenance = study.engine.provenance
    functional = provenance.functional or ""
    of_functional = [key for name, key in _FUNCTIONALS.items() if name in functional]
    of_u = [_WITH_U] if any(provenance.hubbard_U_eV.values()) else []
    return list(dict.fromkeys([*study.citations, *of_functional, *of_u, *SOFTWARE]))


def bibtex(keys: Iterable[str]) -> str:
    """Entries in BibTeX; a DOI that the bibliography does not hold becomes an entry of its own.

    Raises
    ------
    ValueError
        For what is neither a key nor a DOI.
    """
    return "\n".join(_entry(key, bibliography().get(key)) for key in keys)


def reference_line(key: str) -> str:
    """A reference as a reader expects it: first author, journal, volume, page, year, DOI; errors as `bibtex`."""
    entry = bibliography().get(key)
    if entry is None:
        return f"https://doi.org/{_doi(key)}"
    authors = _plain(entry["author"]).split(" and ")
    family = authors[0].split(",")[0]
    others = "" if len(authors) == 1 else f" and {authors[1].split(',')[0]}" if _two(authors) else " et al."
    place = " ".join(entry[name] for name in ("volume", "pages") if name in entry).replace(" ", ", ")
    return f"{family}{others}, {entry['journal']} {place} ({entry['year']}), https://doi.org/{entry['doi']}".replace(
        "  ", " "
    )


def _two(authors: list[str]) -> bool:
    return len(authors) == 2 and authors[1] != "others"


def _entry(key: str, entry: Mapping[str, str] | None) -> str:
    if entry is None:
        doi = _doi(key)
        return f"@misc{{{doi.replace('/', '_')},\n  doi = {{{doi}}},\n}}\n"
    fields = ("author", "title", "journal", "volume", "pages", "year", "doi")
    lines = "".join(f"  {name} = {{{entry[name]}}},\n" for name in fields if name in entry)
    return f"@{entry['ENTRYTYPE']}{{{key},\n{lines}}}\n"


def _doi(key: str) -> str:
    if not key.startswith("10."):
        raise ValueError(f"{key!r} is no key of {FILE} and no DOI (10....); add it there, or state its DOI")
    return key


def _plain(text: str) -> str:
    """A name without TeX's accents and braces."""
    accents = {'{\\"u}': "ü", '{\\"o}': "ö", "{\\'o}": "ó"}
    for tex, letter in accents.items():
        text = text.replace(tex, letter)
    return text.replace("{", "").replace("}", "")
