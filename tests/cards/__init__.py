"""Card data goes from a pipe to the provider and leaves nothing behind."""
