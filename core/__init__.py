"""Everything in Nightshift that is true without a server or a schedule."""
