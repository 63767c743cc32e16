"""The page of other people's packages and their licences: ``python tests/builders/licences.py [--write]``.

Names are those of pyproject.toml, each with its extra; licence and homepage are what the installed packages say of
themselves. A package that is not installed keeps the row that the page has of it.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
OWN = "magnetoionics"
# Licences that ask something of who hands out a work that holds or links to the package.
_COPYLEFT = re.compile(r"\b(?:L|A)?GPL|GNU|MPL|EUPL", re.IGNORECASE)


def required() -> dict[str, list[str]]:
    """Packages by name, each with what asks for it: ``base`` or an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {"base": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, list[str]] = {}
    for extra, requirements in asked.items():
        for requirement in requirements:
            name = re.split(r"[<>=~!;\[ ]", requirement, maxsplit=1)[0].lower()
            if name != OWN and extra not in found.setdefault(name, []):
                found[name].append(extra)
    return found


def licence(of: PackageMetadata) -> str:
    """What a package says of its licence, in one line."""
    listed = [c.split(" :: ")[-1] for c in of.get_all("Classifier") or [] if c.startswith("License :: ")]
    said = str(of.get("License-Expression") or "") or ", ".join(dict.fromkeys(listed)) or str(of.get("License") or "")
    return " ".join(said.split())[:60] or "not said"


def homepage(of: PackageMetadata) -> str:
    """Its address; empty if it gives none."""
    urls = dict(one.split(", ", 1) for one in of.get_all("Project-URL") or [] if ", " in one)
    named = {key.lower(): url for key, url in urls.items()}
    keys = ("homepage", "home", "repository", "source", "source code", "github")
    return next((named[key] for key in keys if key in named), str(of.get("Home-page") or next(iter(urls.values()), "")))


def rows(before: str) -> list[str]:
    """Rows of the table; `before` is the page that may hold those of packages that are not installed here."""
    kept = {found.group(1): found.group(0) for found in re.finditer(r"^\| \[?([\w.-]+)\]?.*$", before, re.MULTILINE)}
    made = []
    for name, extras in sorted(required().items()):
        try:
            about = metadata(name)
        except PackageNotFoundError:
            made.append(kept.get(name, f"| {name} | {', '.join(extras)} | not installed where this was made |"))
            continue
        address, said = homepage(about), licence(about)
        link = f"[{name}]({address})" if address.startswith("http") else name
        made.append(f"| {link} | {', '.join(extras)} | {said}{' (copyleft)' if _COPYLEFT.search(said) else ''} |")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Put the table into docs/licences.md.")
    before = PAGE.read_text(encoding="utf-8")
    table = "\n".join(["| package | asked for by | licence |", "|-|-|-|", *rows(before)])
    if not parser.parse_args().write:
        print(table)
        return
    head, rest = before.split("<!-- table -->\n", 1)
    tail = rest.split("<!-- end of table -->", 1)[1]
    PAGE.write_text(f"{head}<!-- table -->\n\n{table}\n\n<!-- end of table -->{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
