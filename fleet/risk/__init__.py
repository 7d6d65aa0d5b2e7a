"""What the markets do together: exposure, limits, directives."""
