"""The store: the scores, stages and decisions of a project, kept in SQLite or PostgreSQL."""
