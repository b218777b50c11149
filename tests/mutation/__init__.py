"""The mutation score (T14): small changes of the state function and of the send protocol, each to be noticed by some test.

The changes are those of cosmic-ray's operators (comparisons, booleans, numbers, operators, negated conditions, loops that
do nothing, errors that nobody catches), with two more: a statement left out, and an entry of a table left out.
cosmic-ray and mutmut themselves start a Python for each mutant; here each is loaded into a forked child.
"""
