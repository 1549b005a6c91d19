"""Judges whether the world moved since a training, and whether the model and its cuts still hold."""
