"""Scores of translations against references, with their confidence. Never imports JAX."""
