"""Check raw columns against the contract of a project and convert them to typed rows."""
