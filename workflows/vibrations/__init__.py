"""Hessians and what they say about a hop."""
