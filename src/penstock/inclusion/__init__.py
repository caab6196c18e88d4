"""Who of the people gains: remittances by corridor, and the uptake of a new rail."""
