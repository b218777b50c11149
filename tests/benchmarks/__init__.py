"""What everything costs, measured: `python -m tests.benchmarks`. Every figure stands beside a simpler way and a limit."""
