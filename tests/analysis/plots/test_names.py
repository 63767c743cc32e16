"""Names that a user has chosen are shown as they are: a dollar begins no formula in a figure."""

import pytest
from magnetoionics.analysis.plots.base import canvas
from magnetoionics.analysis.results.figures import svg_of


@pytest.mark.parametrize("name", ["$x", "V_Fe($B$)", r"$\frac{$", r"$\nothing$"])
@pytest.mark.parametrize("own", [True, False])
def test_titles_legends_and_notes_take_any_name(name, own):
    from matplotlib.figure import Figure

    with canvas(None if own else Figure().add_subplot()) as (figure, axis):
        axis.plot([0, 1], [0, 1], label=name)
        axis.set_title(name)
        axis.annotate(name, (0.5, 0.5))
        axis.set_xlabel(r"field ($10^8$ V/m)")
        axis.legend()
    text = svg_of(figure)
    assert text.count(name.replace("<", "&lt;")) >= 3
    assert "$10^8$" not in text.split("<!--")[0] or text.count("$10^8$") <= 1
