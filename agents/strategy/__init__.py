"""From beliefs to quotes: GLFT, the ladder, the floors."""
