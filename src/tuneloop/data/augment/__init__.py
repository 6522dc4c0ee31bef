"""More training questions from those that are there: `run.py` is the story, `augmenters.py` the table of ways."""
