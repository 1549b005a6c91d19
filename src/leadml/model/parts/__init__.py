"""The parts of a model: each is fitted and stored by itself."""
