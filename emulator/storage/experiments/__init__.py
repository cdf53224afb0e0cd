"""Experiments, their lineage and their metrics in the state's database."""
