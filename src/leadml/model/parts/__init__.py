"""The parts of a model, each of which is fitted and stored on its own."""
