"""Hops under an electric field."""
