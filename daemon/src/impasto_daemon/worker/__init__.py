"""The process that paints: takes jobs from the broker and gives them to the engine."""
