"""Group quality control: photos of a cabinet, one Chinese line each, and a verdict with its reason for the group."""
