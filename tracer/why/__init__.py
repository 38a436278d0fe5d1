"""Why an agent is missing, late, duplicated or silent: a class for each cause, and one function to ask them all. Pure.

A folder holds the causes of one symptom; ``causes`` lists them in order, ``conclusions`` puts the answer into a
sentence. Source of the facts: livekit-server v1.13.5 and livekit-agents 1.8.9; where people met a cause in public, its
class names the thread.
"""

from tracer.why.cause import Cause, Doubt, Finding
from tracer.why.causes import CAUSES
from tracer.why.explain import explain
from tracer.why.explanation import Explanation
from tracer.why.symptom import Symptom

__all__ = ["CAUSES", "Cause", "Doubt", "Explanation", "Finding", "Symptom", "explain"]
