"""The ports, provided. Adapters know ports, wire and domain, and never one another."""
