"""Words of the field: private names that were replaced do not come back."""

import ast
import re

from unused_names import ROOMS

# In their place: interstitial, saddle, level of theory, assumption, oxidation state, charge compensation.
REPLACED = re.compile(
    r"\b(strangers?|declar(?:e[ds]?|ing|ations?)|found compensation|sphere paths?|typeset|planted|voids|shuffle[ds]?"
    r"|humps?|tiers?|quarantined?|assemble[ds]?|partners)\b",
    re.IGNORECASE,
)
# What reads or warns of the old names says them.
OLD_NAMES = ("stored/", "tests/data/", "tests/stored/", "CHANGELOG.md", "tests/house/test_words.py")
READERS = {
    "hpc/study_folder/stored_study.py": {"assemble"},
    "tests/analysis/study/test_validity.py": {"hump"},
    "tests/hpc/study_folder/test_old_versions.py": {"assemble", "tier", "declared"},
    "workflows/engine.py": {"tier"},
    "workflows/engines/vasp.py": {"declared"},
}


def test_replaced_words_stay_replaced(repository, checkout_files):
    found = [
        f"{name}:{number}: {word}"
        for name in checkout_files
        if name.endswith((".py", ".md", ".html", ".js", ".css", ".toml")) and not name.startswith(OLD_NAMES)
        for number, line in enumerate((repository / name).read_text(encoding="utf-8").splitlines(), 1)
        for word in REPLACED.findall(line)
        if word.lower() not in READERS.get(name, set())
    ]
    assert found == []


# One thing in two places: a command and the function behind it, entry points, what each engine or command file has.
SAME_THING = {"compare", "main", "protocol_options", "register", "run"}


def test_one_name_is_one_thing(repository, checkout_files):
    """No public class or function of the package has the name of another one, wherever both lie."""
    homes = {}
    for name in checkout_files:
        if name.endswith(".py") and name.split("/")[0] in ROOMS:
            for node in ast.parse((repository / name).read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    homes.setdefault(node.name, set()).add(name)
    assert {name: sorted(files) for name, files in homes.items() if len(files) > 1 and name not in SAME_THING} == {}
