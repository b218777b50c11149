"""What it costs to keep many orders up to date: calls to the provider, with its listing and without."""
