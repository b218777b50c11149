"""What the campaigns of the levels share: the form of their report, and how cases are spread over the cores."""
