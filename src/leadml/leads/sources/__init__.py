"""Sources of leads: the only room that knows whether leads are flat or dated, in a file, a frame or a database.

Flat leads are one row each; dated leads are three tables. Both answer the same three questions: the labelled training
set, the leads as of an instant, and one lead by its id. A flat lead is a dated one of which there is a single snapshot.
"""
