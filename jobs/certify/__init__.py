"""`mitbatch certify`: the provider's launch checklist, each item shown by a run through the real pipeline (CONTRACT 16)."""
