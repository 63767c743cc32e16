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
    files.append(File.generated(config, "reference/index.md", content=_reference_index(links)))
    for name, content in _notebooks(root):
        files.append(File.generated(config, f"notebooks/{name}", content=content))
    for name, content in _gallery(root):
        files.append(File.generated(config, f"{FIGURES}/{name}", content=content))
    return files


FIGURES = "gallery_figures"
_BLOCK = re.compile(r"```python\n(.*?)```\n", re.DOTALL)
# What stands below each block of the gallery's page, in their order.
_SHOWN: list[str] = []


def _notebooks(root: Path) -> Any:
    """Every notebook with its outputs as a page, and its pictures."""
    import nbformat
    from nbconvert import MarkdownExporter

    for path in sorted((root / "notebooks").glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        resources = {"unique_key": path.stem, "output_files_dir": f"{path.stem}_files"}
        text, made = MarkdownExporter().from_notebook_node(book, resources=resources)
        yield f"{path.stem}.md", text.replace("](../docs/", "](../").replace("<th></th>", "<td></td>")
        yield from made["outputs"].items()


def _gallery(root: Path) -> Any:
    """Run the gallery's page in a folder with a study, and give the figure that each block ends with."""
    import gzip
    import os
    import tempfile

    _SHOWN.clear()
    names: dict[str, Any] = {}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "cofe2o4-study"
        folder.mkdir()
        kept = root / "tests" / "data" / "version-2" / "results.json.gz"
        (folder / "results.json").write_bytes(gzip.decompress(kept.read_bytes()))
        os.chdir(scratch)
        try:
            for n, code in enumerate(_BLOCK.findall((root / "docs" / "gallery.md").read_text(encoding="utf-8"))):
                shown = figure_of(code, names)
                name, content, html = _file_of(n, code, shown)
                _SHOWN.append(html)
                if content:
                    yield name, content
        finally:
            os.chdir(before)
    if any("iframe" in html for html in _SHOWN):
        import plotly

        yield "plotly.min.js", (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


def figure_of(code: str, names: dict[str, Any]) -> Any:
    """Run a block in a namespace; what its last line is, if that is an expression."""
    import ast

    *first, last = ast.parse(code).body
    exec(compile(ast.Module(first, []), "gallery", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "gallery", "eval"), names)
    exec(compile(ast.Module([last], []), "gallery", "exec"), names)
    return None


def _file_of(n: int, code: str, shown: Any) -> tuple[str, str, str]:
    """Name and content of a figure's file, and the HTML that shows it."""
    says = code.strip().splitlines()[-1].replace('"', "'")
    if shown is None:
        return "", "", ""
    if hasattr(shown, "savefig"):
        from magnetoionics.analysis.results.figures import svg_of

        svg = svg_of(shown)
        return (
            f"{n}.svg",
            svg,
            f'<img src="../{FIGURES}/{n}.svg" alt="The figure that {says} draws" style="max-height: 26rem">',
        )
    page = shown.to_html(include_plotlyjs="plotly.min.js", full_html=True)
    page = page.replace("<html>", '<html lang="en">', 1).replace("<head>", f"<head><title>{says}</title>", 1)
    frame = f'<iframe src="../{FIGURES}/{n}.html" title="The figure that {says} draws" loading="lazy"'
    return f"{n}.html", page, f'{frame} style="width: 100%; height: 34rem; border: 0; background: #fff"></iframe>'


def _with_figures(markdown: str) -> str:
    """The gallery's page with the figure below each block."""
    shown = iter(_SHOWN)
    return _BLOCK.sub(lambda m: f"{m[0]}\n{next(shown)}\n", markdown)


def _reference_index(links: list[str]) -> str:
    return (
        "# Reference\n\n- [what you type](public.md): `import magnetoionics`, by the names there\n"
        "- [documents](documents.md): every document with its fields\n\n"
        "By file, from the docstrings; imports go down only, from `hpc` to `structures`.\n\n" + "\n".join(links) + "\n"
    )


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point links that leave the documentation to the repository."""

    def outside(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), match[2]))
        if path.startswith("docs/"):
            return match[0]
        if path.startswith("notebooks/") and path.endswith(".ipynb"):
            here = posixpath.dirname(page.file.src_uri) or "."
            return f"{match[1]}{posixpath.relpath(path.removesuffix('.ipynb') + '.md', here)}{match[3]}"
        return f"{match[1]}{config['extra']['source_url']}blob/main/{path}{match[3]}"

    if page.file.src_uri == "gallery.md":
        markdown = _with_figures(markdown)
    return _LINK.sub(outside, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Formulas as MathML, which browsers draw without a script."""
    from latex2mathml.converter import convert

    def drawn(match: re.Match[str]) -> str:
        latex = _BOLD.sub(_bold, unescape(match[3]).replace(r"\thinspace", r"\,"))
        display = "block" if match[2] == "[" else "inline"
        return str(convert(latex, display=display))

    return _MATH.sub(drawn, html)


def on_post_page(output: str, **_: Any) -> str:
    """Name the theme's dialog of the search for who cannot see it."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )
