"""Evaluation: metrics, baselines and intervals on held-out leads."""
