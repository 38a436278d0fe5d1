"""How far the clocks of a call are apart, and a timeline corrected by it. The one place where a clock is corrected."""
