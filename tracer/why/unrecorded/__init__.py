"""The call was served, and what was to be known of it or done after it is incomplete."""
