"""The documentation says what is true: commands parse, examples run, the site builds without a warning."""

import re
import shlex
import subprocess
import sys
import types
import warnings
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from magnetoionics.hpc.cli import app, main
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.files import write_structure
from magnetoionics.structures.spins import formula_units

PAGES = sorted(["README.md", *(p.name for p in (Path(__file__).parents[2] / "docs").glob("*.md"))])
# Brackets around what may be left out; those in quotes belong to the argument.
OPTIONAL = re.compile(r"""('[^']*'|"[^"]*")|[\[\]]""")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def read(repository):
    def text(page):
        return (repository / page if page == "README.md" else repository / "docs" / page).read_text(encoding="utf-8")

    return text


def blocks(text, language):
    return [code for kind, code in FENCE.findall(text) if kind == language]


def commands(text):
    for block in blocks(text, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", line.split(" #")[0]):
                words = shlex.split(OPTIONAL.sub(lambda m: m[1] or "", part))
                if words and words[0].endswith("magnetoionics"):
                    yield words[1:]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_parses(page, read):
    group = typer.main.get_command(app)
    for words in commands(read(page)):
        command, rest = group, words
        while hasattr(command, "commands") and rest:
            assert rest[0] in command.commands, f"{page}: {' '.join(words)}"
            command, rest = command.commands[rest[0]], rest[1:]
        try:
            command.make_context(words[0], list(rest))
        except Exception as error:
            pytest.fail(f"{page}: `magnetoionics {' '.join(words)}`: {error}")


def test_a_wrong_command_would_be_seen():
    (words,) = commands("```bash\nmagnetoionics run cofe2o4 --colour red\n```")
    with pytest.raises(Exception, match="--colour"):
        typer.main.get_command(app).commands["run"].make_context("run", words[1:])


def test_host_file_of_the_page_loads(read, tmp_path):
    host = get_host("cofe2o4")
    write_structure(host.structure(), tmp_path / "ferrite.cif")
    yaml, *_ = blocks(read("howto_host.md"), "yaml")  # the one of a bulk crystal
    (tmp_path / "my_ferrite.yaml").write_text(yaml)
    mine = get_host(str(tmp_path / "my_ferrite.yaml"))
    assert mine.cubic_parent
    assert mine.moment_per_formula(mine.structure()) == pytest.approx(3.0)
    assert formula_units(mine.structure(), "O", 4) == 8


def run_as(name, code, monkeypatch):
    """Run a page's code as if it stood in a file of the package."""
    module = types.ModuleType(name)
    module.__package__ = name.rsplit(".", 1)[0]
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(code, name, "exec"), module.__dict__)
    return module


def test_host_of_the_page_is_a_ferrite(read, monkeypatch):
    (code,) = blocks(read("howto_host.md"), "python")
    host = run_as("magnetoionics.structures.hosts.example", code, monkeypatch).HOST
    assert host.moment_per_formula(host.structure()) == pytest.approx(2.0)


def test_engine_of_the_page_says_what_it_cannot_do(read, monkeypatch):
    (code,) = blocks(read("howto_engine.md"), "python")
    engine = run_as("magnetoionics.workflows.engines.example", code, monkeypatch).ENGINE()
    assert engine.provenance().level_of_theory == "ML"
    with pytest.raises(ValueError, match="no spin-orbit coupling"):
        engine.require("spin_orbit")


def test_observable_of_the_page_computes(read, monkeypatch):
    # The whole page is run by tests/workflows/flows/test_new_stage.py.
    code = blocks(read("howto_observable.md"), "python")[0]
    module = run_as("magnetoionics.analysis.kinetics.example", code, monkeypatch)
    hop = types.SimpleNamespace(images=[types.SimpleNamespace(dipole_along_hop_e_A=6.0)], provenance=None)
    with pytest.raises(ValueError, match="must be positive"):
        module.hop_polarisation(hop, 0.0)
    # One elementary charge over one Angstrom in one cubic Angstrom is 1602 uC/cm^2.
    assert module.E_PER_A2_TO_uC_PER_cm2 * 6.0 / 600.0 == pytest.approx(16.02, abs=0.01)


@pytest.mark.slow
def test_site_builds_without_a_warning_and_asks_no_other_host(repository, tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    # The page says `mkdocs build`, which finds other files on its path than `python -m mkdocs`.
    program = Path(sys.executable).parent / "mkdocs"
    command = [str(program), "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    # Below each block of the gallery but the first stands its figure; every notebook is a page.
    shown = (tmp_path / "site" / "gallery" / "index.html").read_text(encoding="utf-8").count("/gallery_figures/")
    wanted = blocks((repository / "docs" / "gallery.md").read_text(encoding="utf-8"), "python")[1:]
    assert shown == len(wanted) > 8
    books = {p.stem for p in (repository / "notebooks").glob("*.ipynb")}
    assert books <= {p.parent.name for p in pages}
    assert len(pages) > 15
    loaded = re.compile(r'<(?:script|link|img)[^>]*\s(?:src|href)="(https?:)?//')
    assert [p.name for p in pages if loaded.search(p.read_text(encoding="utf-8"))] == []
    formulas = (tmp_path / "site" / "formulation" / "index.html").read_text(encoding="utf-8")
    assert formulas.count("<math") > 40
    assert "arithmatex" not in formulas
    # What stands under a sum is short: a longer one has swallowed the summand.
    below = [list(list(e)[1].iter()) for m in re.findall(r"<math.*?</math>", formulas, re.DOTALL) for e in _under(m)]
    assert len(below) > 5
    assert max(map(len, below)) < 20


def _under(math):
    kinds = ("munder", "munderover", "msub", "msubsup")
    return [e for e in ElementTree.fromstring(math).iter() if e.tag.rsplit("}", 1)[-1] in kinds]


def is_dry(words):
    return words[0] in {"inputs", "structures", "hosts"} or words[:2] == ["cluster", "init"] or "--dry-run" in words


@pytest.mark.slow
def test_commands_that_need_no_cluster_and_no_licence_run_as_they_stand(read, tmp_path, monkeypatch, capsys):
    pytest.importorskip("atomate2")
    jobflow_remote = pytest.importorskip("jobflow_remote")
    campaign = next(b for b in blocks(read("howto_cluster.md"), "yaml") if b.startswith("name:"))
    settings = next(b for b in blocks(read("howto_vasp.md"), "yaml") if b.startswith("# cfo-vasp.yaml"))
    host = blocks(read("howto_host.md"), "yaml")[0]
    files = {"my_host.yaml": host, "ferrites.yaml": campaign, "cfo-vasp.yaml": settings}
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MAGNETOIONICS_DB_PASSWORD", "not-a-real-one")
    monkeypatch.setattr(jobflow_remote.SETTINGS, "projects_folder", str(tmp_path / ".jfremote"))
    done = set()
    for page in ("howto_cluster.md", "howto_vasp.md", "structures.md", "README.md"):
        # Each page is followed in a folder of its own; what stands on two pages runs once.
        folder = tmp_path / page
        folder.mkdir()
        monkeypatch.chdir(folder)
        write_structure(get_host("cofe2o4").structure(), folder / "ferrite.cif")
        for name, text in files.items():
            (folder / name).write_text(text)
        for words in commands(read(page)):
            if not is_dry(words) or tuple(words) in done:
                continue
            done.add(tuple(words))
            # Hundreds of inputs of 448 atoms take most of a minute, those of 56 atoms seconds.
            small = ["--quick"] if words[0] in {"submit", "inputs"} else []
            with warnings.catch_warnings():
                warnings.filterwarnings("error", "Overriding POTCARs")
                code = main([*words, *small])
            assert code == 0, f"magnetoionics {' '.join(words)}: {capsys.readouterr().err[-2000:]}"
    assert {"inputs", "submit", "campaign", "cluster", "structures", "hosts"} <= {words[0] for words in done}
    assert list((tmp_path / "howto_vasp.md").rglob("INCAR"))
    assert (tmp_path / ".jfremote" / "ferrites.yaml").exists()


def test_messages_of_the_faq_are_printed_by_the_code(read, repository):
    """Each quoted message, split at what differs, stands in the source; strings that break over lines are joined."""
    rooms = ("hpc", "workflows", "structures", "analysis", "calculators")
    source = "\n".join(p.read_text(encoding="utf-8") for room in rooms for p in (repository / room).rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", source)
    quoted = [
        m for line in re.findall(r"^\*\*.*?\*\*", read("faq.md"), re.MULTILINE) for m in re.findall(r"`([^`]+)`", line)
    ]
    assert len(quoted) > 9
    for message in quoted:
        for part in (p.strip(" ()") for p in message.split("…")):
            assert part in joined, message
