"""What the programme's loads are worth: mining and AI compute as bids."""
