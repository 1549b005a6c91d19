"""How the leads differ from those of the training, and which differences need attention."""
