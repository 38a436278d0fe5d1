"""A timeline as the causes look at it: the questions that several of them ask, by topic."""

from tracer.why.call.call import Call

__all__ = ["Call"]
