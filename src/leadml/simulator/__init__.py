"""A test bench for leadml: a simulated CRM with a known truth.

The outcome of a real lead is 0 or 1; it does not show whether a probability is right. This package simulates leads from
a known model and computes the exact probability of each target, so that the probabilities and intervals of leadml can
be compared with it.
It shares no formula with the rest of leadml and imports only `leadml.errors` from it: an error in a shared formula
would be in the truth too, and no comparison would show it.
"""
