"""Lifecycle stages: the cut at which each begins, and the stage and grade of each lead."""
