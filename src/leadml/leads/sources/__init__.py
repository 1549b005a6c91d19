"""Sources of leads, the only package that distinguishes flat leads from dated leads.

Flat leads are one table with one row per lead; dated leads are three tables (leads, activities, outcomes). Both give
the same three things: a labelled training set, the leads as of an instant, and one lead by its id. A flat lead is
treated as a dated lead with a single snapshot.
"""
