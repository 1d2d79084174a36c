"""Pictures of our own to paint in the style of, beside the program that painted them."""
