"""Leads as of an instant: snapshots, their features and their labels."""
