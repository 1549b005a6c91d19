"""Read files and databases as chunks of raw columns, without interpreting a value."""
