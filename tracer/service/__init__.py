"""What runs beside a LiveKit server: it receives, stores, observes and exports until it is told to stop."""
