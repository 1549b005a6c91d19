"""Reading: bytes of files and databases become chunks of raw columns."""
