"""Real lines to real servers, with something between that cuts, stalls, resets, slices and swallows."""
