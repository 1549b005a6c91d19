"""Evaluate a model on the holdout, and compare it with baselines."""
