"""Measurements of the machinery itself, on models made here: what a step of learning costs beside stock TRL."""
