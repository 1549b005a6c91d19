"""Jobs: one module for each task of leadml, such as check, train, score, explain and report."""
