"""The public reserve: its policies simulated, its wallets watched, its holdings proved. No private key."""
