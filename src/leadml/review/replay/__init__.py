"""History as if it were live: what each policy would have said, with only what was known at the time."""
