"""The reader: a student for machines without an accelerator. It reads the screen and compares it with the work."""
