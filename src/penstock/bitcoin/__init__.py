"""Bitcoin: the network's rules, its record, its machines, its price. Knows nothing of power markets."""
