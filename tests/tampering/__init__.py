"""Edits of finance's files and of the ledger behind the program's back: each is found by `mitbatch audit verify`."""
