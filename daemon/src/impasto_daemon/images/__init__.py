"""Picture files to pixels and back, and the pictures that Impasto draws itself."""
