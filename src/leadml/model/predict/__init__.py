"""From the parts of a model to log-odds, probabilities and explanations."""
