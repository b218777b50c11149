"""The times of the schedule, and the schedule itself."""
