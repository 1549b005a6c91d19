"""The model: how probable it is that a lead converts, how good that number is, and why it is what it is."""
