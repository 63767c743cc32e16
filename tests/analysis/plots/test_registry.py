"""Figures found by the type of their document: names, options, and folders that join in."""

import subprocess
import sys

import magnetoionics.analysis.plots
import matplotlib as mpl
import pytest
from magnetoionics.analysis.kinetics.retention import retention
from magnetoionics.analysis.results.document import Document, Provenance
from magnetoionics.analysis.results.figures import figures_of
from matplotlib import pyplot as plt

TAG = Provenance(engine="none", level_of_theory="arithmetic")


@pytest.fixture
def kept():
    return retention(0.84, TAG)


def test_a_document_without_figures_says_so():
    with pytest.raises(ValueError, match="Provenance has no figure; it has: none"):
        TAG.plot()


def test_names_are_checked_and_options_reach_the_figure(kept):
    with pytest.raises(ValueError, match="Retention has no figure 'band'; it has: retention"):
        kept.plot("band")
    with pytest.raises(ValueError, match="no option font_sise of this figure"):
        kept.plot(font_sise=9)
    figure = kept.plot(figsize=(3.0, 2.0), lines_linewidth=5, uncertainty_eV=0.3)
    assert tuple(figure.get_size_inches()) == (3.0, 2.0)
    assert figure.axes[0].lines[0].get_linewidth() == 5
    low, high = figure.axes[0].collections[0].get_paths()[0].get_extents().intervaly
    narrow = kept.plot().axes[0].collections[0].get_paths()[0].get_extents().intervaly
    assert high / low > narrow[1] / narrow[0]
    # Nothing of it stays.
    assert kept.plot().axes[0].lines[0].get_linewidth() != 5


def test_style_of_the_user_is_left_alone(kept):
    before = dict(mpl.rcParams)
    _, ax = plt.subplots()
    assert kept.plot(ax=ax, font_size=20) is ax.figure
    plt.close("all")
    assert dict(mpl.rcParams) == before


def test_a_folder_that_joins_in_is_discovered(tmp_path, monkeypatch):
    (tmp_path / "plot_of_a_user.py").write_text(
        "from magnetoionics.analysis.results.figures import figure\n"
        "from magnetoionics.analysis.results.document import Provenance\n"
        "from matplotlib.figure import Figure\n"
        "@figure(Provenance, 'mine')\n"
        "def mine(document, ax=None):\n"
        "    return Figure()\n"
    )
    package = magnetoionics.analysis.plots
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert list(figures_of(Provenance)) == ["mine"]
    assert TAG.plot() is not None
    # Registered for a type, it is its subclasses' and nobody else's.
    assert list(figures_of(type("Sub", (Provenance,), {}))) == ["mine"]
    assert not figures_of(Document)


def test_documents_load_without_plots_and_report():
    program = (
        "import sys, magnetoionics.analysis.study.documents; "
        "print([m for m in sys.modules if '.analysis.plots' in m or '.analysis.report' in m])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
