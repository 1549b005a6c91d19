"""Judging data: findings about leads before any model is fitted."""
