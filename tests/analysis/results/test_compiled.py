"""What only reads studies does not wait for a compiler."""

import subprocess
import sys


def test_rooms_are_discovered_without_numba():
    code = (
        "import sys; from magnetoionics.analysis.results.registry import discover_rooms; discover_rooms(); "
        "print('numba' in sys.modules, 'magnetoionics.analysis.device.film_monte_carlo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
