"""The demonstration: a served hall, an agent, emulated devices, and people who live through a morning on them."""
