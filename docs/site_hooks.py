"""Hooks of the documentation site: reference pages from the code, formulas without scripts, links to source files."""

from __future__ import annotations

import posixpath
import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

ROOMS = {
    "structures": "What is computed",
    "calculators": "How an energy is had cheaply",
    "analysis": "What it means",
    "workflows": "Which jobs",
    "hpc": "Where it runs",
}
_LINK = re.compile(r"(\]\()(\.\./[^)\s]+)(\))")
_MATH = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


# Browsers ignore the bold variant of a letter in MathML; the bold letters of Unicode they draw.
# A brace after a bare letter belongs to what surrounds it.
_BOLD = re.compile(r"\\(?:mathbf|boldsymbol)\s*(?:\{([A-Za-z])\}|([A-Za-z]))")


def _bold(match: re.Match[str]) -> str:
    letter = match[1] or match[2]
    first = 0x1D400 if letter.isupper() else 0x1D41A
    return chr(first + ord(letter.upper()) - ord("A")) + " "


def _modules(root: Path, room: str) -> list[str]:
    files = sorted((root / room).rglob("*.py"))
    names = [f.relative_to(root).with_suffix("").as_posix().replace("/", ".") for f in files]
    return [n.removesuffix(".__init__") for n in names if not n.rsplit(".", 1)[-1].startswith("_") or "__init__" in n]


def _public_page() -> str:
    """The names that a user types, each with its docstring."""
    import magnetoionics

    names = [name for name in magnetoionics.__all__ if not name.startswith("_")]
    blocks = [
        f"::: {_home(getattr(magnetoionics, name))}\n    options:\n      heading: magnetoionics.{name}\n"
        for name in names
    ]
    return "# What you type\n\n`import magnetoionics` imports nothing heavy; these are its names.\n\n" + "\n".join(
        blocks
    )


def _home(named: Any) -> str:
    return f"{named.__module__}.{named.__qualname__}"


def on_startup(**_: Any) -> None:
    """Take the folder of `mkdocs` off the path first: the program `magnetoionics` beside it passes for the package."""
    beside = Path(sys.argv[0]).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != beside]


def on_files(files: Any, config: Any) -> Any:
    """Add one reference page per room, with every module in it."""
    from mkdocs.structure.files import File

    root = Path(config["config_file_path"]).parent
    links = []
    for room, question in ROOMS.items():
        blocks = [f"::: magnetoionics.{name}\n" for name in _modules(root, room)]
        text = f"# {room}: {question.lower()}\n\n" + "\n".join(blocks)
        files.append(File.generated(config, f"reference/{room}.md", content=text))
        links.append(f"- [{room}]({room}.md): {question.lower()}")
    from magnetoionics.hpc.printing.documents import documents_page

    files.append(File.generated(config, "reference/documents.md", content=documents_page() + "\n"))
    files.append(File.generated(config, "reference/public.md", content=_public_page()))
    index = (
        "# Reference\n\n- [what you type](public.md): `import magnetoionics`, by the names there\n"
        "- [documents](documents.md): every document with its fields\n\n"
        "By file, from the docstrings; imports go down only, from `hpc` to `structures`.\n\n" + "\n".join(links)
    )
    files.append(File.generated(config, "reference/index.md", content=index + "\n"))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point links that leave the documentation to the repository."""

    def outside(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), match[2]))
        if path.startswith("docs/"):
            return match[0]
        return f"{match[1]}{config['extra']['source_url']}blob/main/{path}{match[3]}"

    return _LINK.sub(outside, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Formulas as MathML, which browsers draw without a script."""
    from latex2mathml.converter import convert

    def drawn(match: re.Match[str]) -> str:
        latex = _BOLD.sub(_bold, unescape(match[3]).replace(r"\thinspace", r"\,"))
        display = "block" if match[2] == "[" else "inline"
        return str(convert(latex, display=display))

    return _MATH.sub(drawn, html)
