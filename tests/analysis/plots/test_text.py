"""What the page prints for plain text: formulas, units, powers; and what it leaves alone."""

import pytest
from magnetoionics.analysis.plots.text import formatted, formatted_unit, named_value
from magnetoionics.analysis.report.model import Cell
from magnetoionics.analysis.report.page import _cell, _prose


@pytest.mark.parametrize(
    ("plain", "printed"),
    [
        ("HfO2, BiFeO3 and Sr2Co2O5 at 3 K", "HfO₂, BiFeO₃ and Sr₂Co₂O₅ at 3 K"),
        ("CoFe2O4 -> Co + 2/3 Fe3O4 + 2/3 O2", "CoFe₂O₄ → Co + 2/3 Fe₃O₄ + 2/3 O₂"),
        ("Zn0.95Co0.05O", "Zn₀.₉₅Co₀.₀₅O"),
        ("64 Co2+, 127 Fe3+, Li+", "64 Co²⁺, 127 Fe³⁺, Li⁺"),
        ("0.74 eV in 1e+08 V/m, 6.2e-11 meV, 0e+00", "0.74 eV in 10⁸ V/m, 6.2×10⁻¹¹ meV, 0"),
        ("+-4 V, -0.63 to 0.08 eV", "±4 V, −0.63 to 0.08 eV"),
        ("-1.3 eV/A^2 within 3.2 A, 8.9 deg, 5.7 e A", "−1.3 eV/Å² within 3.2 Å, 8.9°, 5.7 e Å"),
        ("2 uC/cm2, 1.3 mJ/m2, 3 muB", "2 μC/cm², 1.3 mJ/m², 3 μB"),
        ("(Co0.2Fe0.8)3-dO4 and La1-xSrxMnO3", "(Co₀.₂Fe₀.₈)₃₋δO₄ and La₁₋ₓSrₓMnO₃"),
        ("Gd2O3, AlOx", "Gd₂O₃, AlOₓ"),
        ("Y3Fe5O12, V2O5, CrI3 and Fe4N in H2O", "Y₃Fe₅O₁₂, V₂O₅, CrI₃ and Fe₄N in H₂O"),
        ("Ni(OH)2 and Fe3(PO4)2", "Ni(OH)₂ and Fe₃(PO₄)₂"),
        ("K1, C4, U3, P2, PBE0 and C2/m of P4_332", "K1, C4, U3, P2, PBE0 and C2/m of P4_332"),
        ("2.0 deg from [1-10]", "2.0° from [11\u03050]"),
        ("80 Am2/kg, 3 cm2/s", "80 A m²/kg, 3 cm²/s"),
    ],
)
def test_text_as_printed(plain, printed):
    assert formatted(plain) == printed


@pytest.mark.parametrize(
    "text",
    ["P4_122, Fd-3m, Imma", "C16, K1, V_Fe(B,2), V_O(1)", "1.4 A/m", "CoO and MgO", "3-fold, 10-atom", "PBE+U PW400"],
)
def test_other_names_and_units_stay(text):
    assert formatted(text) == text


def test_code_stays_and_a_lone_angstrom_is_a_unit():
    assert formatted("`a -> b` -> CoFe2O4") == "`a -> b` → CoFe₂O₄"
    assert (formatted_unit("A"), formatted_unit("eV/A")) == ("Å", "eV/Å")
    assert _prose("ask with `run <x>`") == "ask with <code>run &lt;x&gt;</code>"
    assert _prose("one ` alone") == "one ` alone"
    assert _prose("(Co0.2Fe0.8)3-dO4") == "(Co₀.₂Fe₀.₈)₃₋<sub>δ</sub>O₄"


def test_names_of_fields_are_words_with_units():
    assert named_value("attempt_Hz", 5.13e12) == "attempt 5.13×10¹² Hz"
    assert named_value("miscut_deg", -3.0) == "miscut −3°"
    assert named_value("barrier_spread_eV", 0.05, 0.012) == "barrier spread 0.05 ± 0.012 eV"
    assert named_value("local_field_factor", 1.0) == "local field factor 1"


def test_a_cell_keeps_what_is_saved():
    assert _cell(Cell("1.0e+08", "number"), False) == '<td class="number" data-plain="1.0e+08">1.0×10⁸</td>'
    assert _cell(Cell("CoFe2O4"), True) == '<td class="">CoFe2O4</td>'
    assert 'data-plain="&lt;b&gt; -&gt; 1e+08"' in _cell(Cell("<b> -> 1e+08"), False)


def test_a_long_cell_is_folded_and_saved_whole():
    text = "; ".join(f"clause {n} about <x> and some more words" for n in range(8))
    cell = _cell(Cell(text), False)
    assert cell.index("clause 0") < cell.index("<details><summary>more</summary>")
    assert cell.count("clause 7") == 2
    assert "<x>" not in cell
