"""Ways to look at a Timeline. Each knows only the Timeline."""
