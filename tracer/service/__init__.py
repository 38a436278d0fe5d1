"""What runs as a service: the receiver, the observer beside it, one write queue, summaries, the exporter."""
