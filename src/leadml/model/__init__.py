"""The model: fit it, predict and explain with it, evaluate it, and find leaks in what it learns from."""
