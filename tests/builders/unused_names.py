"""Public names of the product that nothing of the product uses: what only tests call goes, or gets a door.

``python tests/builders/unused_names.py`` prints them. A name is used where code says it, outside its own definition:
as a name, an attribute, a keyword or an import. What somebody else calls is used too: functions that a decorator hands
over, and methods of classes that inherit from a library's. A page for users that shows a name is a door.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOMS = ("structures", "calculators", "analysis", "workflows", "hpc", "stored")
# Decorators that hand a function to somebody who calls it.
CALLED_BY_OTHERS = (
    "command",
    "callback",
    "register",
    "validator",
    "serializer",
    "section",
    "figure",
    "view",
)


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Public functions and classes of a module, and public methods and properties of its classes as CLASS.NAME."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inside in node.body:
                if isinstance(inside, ast.FunctionDef) and not inside.name.startswith("_"):
                    yield f"{node.name}.{inside.name}", inside


def said(node: ast.AST) -> Counter[str]:
    """How often code says each name; texts of annotations count, sentences and what ``__all__`` lists do not."""
    found: Counter[str] = Counter()
    lists = [n.value for n in ast.walk(node) if isinstance(n, ast.Assign) and "__all__" in map(ast.unparse, n.targets)]
    listed = {id(one) for value in lists for one in ast.walk(value)}
    for one in ast.walk(node):
        if id(one) in listed:
            continue
        if isinstance(one, ast.Name):
            found[one.id] += 1
        elif isinstance(one, ast.Attribute):
            found[one.attr] += 1
        elif isinstance(one, ast.alias):
            found[one.name.rpartition(".")[2]] += 1
        elif isinstance(one, ast.keyword) and one.arg:
            found[one.arg] += 1
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and re.fullmatch(r"[\w.:]+", one.value):
            found.update(re.findall(r"\w+", one.value))
    return found


def handed_on(node: ast.AST) -> bool:
    """Whether a decorator gives the function to somebody who calls it."""
    words = " ".join(ast.unparse(d) for d in getattr(node, "decorator_list", []))
    return any(name in words for name in CALLED_BY_OTHERS)


def documented(repository: Path) -> set[str]:
    """Names that pages and notebooks for users show in code."""
    pages = [f for f in (*repository.glob("*.md"), *repository.glob("docs/*.md")) if f.name != "CHANGELOG.md"]
    code = [c for f in pages for c in re.findall(r"```.*?```|`[^`\n]+`", f.read_text(encoding="utf-8"), re.DOTALL)]
    notebooks = [f.read_text(encoding="utf-8") for f in repository.glob("notebooks/*.ipynb")]
    return {name for text in [*code, *notebooks] for name in re.findall(r"\w+", text)}


def _last(base: ast.expr) -> str:
    """Name of a base class, without its module and parameters."""
    base = base.value if isinstance(base, ast.Subscript) else base
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")


def _of_a_library(name: str, bases: dict[str, list[str]]) -> bool:
    """Whether a class inherits, also by another, from one that is not ours."""
    return any(b not in bases or _of_a_library(b, bases) for b in bases.get(name, []))


def unused(repository: Path, files: list[str]) -> list[str]:
    """``file: name`` of what no product code uses and no page shows."""
    trees = {f: ast.parse((repository / f).read_text(encoding="utf-8")) for f in files}
    total: Counter[str] = Counter()
    for tree in trees.values():
        total += said(tree)
    shown = documented(repository)
    classes = [c for tree in trees.values() for c in ast.walk(tree) if isinstance(c, ast.ClassDef)]
    bases = {c.name: [_last(b) for b in c.bases] for c in classes}
    found = []
    for file, tree in trees.items():
        for name, node in definitions(tree):
            owner, _, last = name.rpartition(".")
            uses = total[last] - said(node)[last]
            if uses > 0 or last in shown or handed_on(node) or _of_a_library(owner, bases):
                continue
            found.append(f"{file}: {name}")
    return found


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    product = [str(p.relative_to(root)) for room in ROOMS for p in sorted((root / room).rglob("*.py"))]
    print("\n".join(unused(root, ["__init__.py", *product])))
