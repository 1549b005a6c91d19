"""Leads: what is read, checked, divided and described."""
