"""Whether a challenger may take the place of the version in use."""
