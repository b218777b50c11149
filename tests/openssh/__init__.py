"""A real OpenSSH server at the other end of the wire."""
