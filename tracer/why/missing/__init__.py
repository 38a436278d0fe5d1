"""No agent joined: causes from the dispatch to the connection."""
