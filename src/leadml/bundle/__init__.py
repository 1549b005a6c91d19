"""A bundle: one version of a model with all that is needed to use and to judge it."""
