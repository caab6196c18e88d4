"""Which tariff is safe, how much the system can host, and the design that passes every guardrail."""
