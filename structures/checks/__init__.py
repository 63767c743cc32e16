"""Refusals: cells and hosts that cannot be what they say, before anything is computed with them."""
