"""What happens to a declined charge: gate, claim, hold, build, send, answer, write back, audit."""
