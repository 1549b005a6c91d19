"""Fit a model: its parts are selected by cross-validation and added up."""
