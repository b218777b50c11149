"""Whole nights against the sandbox: real sockets, real databases, real files."""
