"""What a person has to know, told outside the machine: conditions, notices, sinks, heartbeat."""
