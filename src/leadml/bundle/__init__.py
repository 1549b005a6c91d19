"""Bundles: a version of a model with its stages, its evaluation and its record, stored as a folder."""
