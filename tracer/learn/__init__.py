"""The lifecycle in six steps on real calls: guess the order, make the call, see where you were wrong and why."""
