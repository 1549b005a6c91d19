"""Publishing: what leaves the house, each file whole or not at all."""
