"""Ballistic channels against bands whose crossings are known."""

import numpy as np
import pytest
from magnetoionics.analysis.device.channels import open_channels

K = 2 * np.pi * np.arange(60) / 60


def test_a_band_of_neighbours_has_one_channel_inside_and_none_outside():
    band = (-2 * np.cos(K))[:, None]
    empty = np.full_like(band, 9.0)
    assert open_channels(np.hstack([band, empty]), 0.3) == 1
    assert open_channels(np.hstack([band, empty]), 3.0) == 0
    assert open_channels(np.hstack([band, empty]), -2.5) == 0


def test_next_neighbours_can_open_a_second_channel():
    """-cos k - cos 2k has two maxima; between their height and that at the edge of the zone four crossings."""
    band = (-np.cos(K) - np.cos(2 * K))[:, None]
    empty = np.full_like(band, 9.0)
    assert open_channels(np.hstack([band, empty]), 0.5) == 2
    assert open_channels(np.hstack([band, empty]), -0.5) == 1


def test_bands_count_whatever_their_order_at_each_point():
    bands = np.stack([-2 * np.cos(K), 2 * np.cos(K), 0.1 - np.cos(K), np.full(60, 9.0)], axis=1)
    assert open_channels(bands, 0.3) == 3
    assert open_channels(np.sort(bands, axis=1), 0.3) == 3
    assert open_channels(np.roll(bands, 17, axis=0), 0.3) == 3


def test_bands_that_may_be_missing_and_absurd_levels_are_refused():
    with pytest.raises(ValueError, match="more bands are needed"):
        open_channels((-2 * np.cos(K))[:, None], 2.5)
    with pytest.raises(ValueError, match="finite"):
        open_channels(np.full((60, 2), np.nan), 0.0)
    with pytest.raises(ValueError, match="finite"):
        open_channels(np.zeros((2, 2)), 0.0)
