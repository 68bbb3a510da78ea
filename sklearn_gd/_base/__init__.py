"""What all rooms stand on: the rules of parameters, and torch's global state."""
