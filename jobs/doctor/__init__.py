"""`mitbatch doctor`: everything that a night needs is looked at before money moves, and each finding says what to do."""
