"""Checking: raw columns become typed rows, and what is wrong with the others is named."""
