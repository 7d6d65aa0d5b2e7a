"""Ray, and nothing but Ray: the head, the actors, their handles."""
