"""The fleet's metrics: what Prometheus reads, declared in one place, fresh at each scrape."""
