"""What other package managers build from says what pyproject.toml says."""

import re
import tomllib

import yaml


def needs(lines):
    """Name and bounds of each requirement, spelled alike."""
    found = {}
    for line in lines:
        name, bounds = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", line.split(";")[0].strip()).groups()
        found[name.removesuffix("-base").replace("_", "-").lower()] = bounds.replace(" ", "")
    return found


def test_conda_recipe_needs_what_the_package_needs(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (repository / "packaging" / "conda" / "meta.yaml").read_text(encoding="utf-8")
    assert f'version = "{project["version"]}"' in text
    recipe = yaml.safe_load(
        re.sub(r"\{%.*?%\}", "", text).replace("{{ version }}", "0").replace("{{ PYTHON }}", "python")
    )
    run = needs(recipe["requirements"]["run"])
    assert run.pop("python") == project["requires-python"]
    assert run == needs(project["dependencies"])
    assert recipe["build"]["entry_points"] == [f"magnetoionics = {project['scripts']['magnetoionics']}"]


def test_image_is_made_by_the_commands_of_the_readme(repository):
    image = (repository / "packaging" / "Dockerfile").read_text(encoding="utf-8")
    install = re.search(r"python3 -m venv \.venv && \.venv/bin/pip install -e '\.\[test\]'", image)
    assert install
    assert install[0] in (repository / "README.md").read_text(encoding="utf-8")
