"""Judging data: findings about leads before a model is fitted."""
