"""How things are written: one grammar each, for everyone who reads or writes it."""
