"""Fitting: parts are selected by cross-validation and put together."""
