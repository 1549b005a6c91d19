"""The steps that bring the schema of a store to the newest one, each a module with its number."""
