"""What `impasto doctor` looks at, and how it mends what it finds."""
