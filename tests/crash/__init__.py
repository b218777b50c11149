"""Kill -9 at every commit, and around every effect on a server or a file: found by counting, not chosen by hand."""
