"""One world, one seed: the production code with clock, network, provider, merchant and disk decided by a number."""
