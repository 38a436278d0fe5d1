"""What a call that went well has: for each caller that stayed an agent, and each heard the other.

"Well" is not that no cause was found. Whatever a call lacks is reported, and so is whatever is not known of it.
"""

from tracer.why.served.lacks import lacks, left_alone, lost_at_last, muted_at_last

__all__ = ["lacks", "left_alone", "lost_at_last", "muted_at_last"]
