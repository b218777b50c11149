"""What starts the work: commands, the demo, and the pretend provider. Only this package opens the outside world."""
