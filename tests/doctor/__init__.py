"""`mitbatch doctor`: each look sees what it is for, and nothing else."""
