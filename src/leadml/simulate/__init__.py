"""A simulated CRM whose truth is known: dated tables, and the exact probability of every target."""
