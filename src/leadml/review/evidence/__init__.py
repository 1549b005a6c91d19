"""Evidence of a sequence of days that a version no longer holds, valid however often it is judged."""
