"""The house: what may import what, how big things are, what they are called, and that the words about them are true."""
