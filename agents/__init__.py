"""One agent makes one market: a pure core that decides, in a thin shell that touches the world."""
