"""Stages: where each begins, and which one a lead is in."""
