"""What people and programs see: one module for each view, named like its command; none reads a store or a server."""
