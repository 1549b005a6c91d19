"""How well a version did, as its probabilities lead to expect and as the outcomes show, by period and slice."""
