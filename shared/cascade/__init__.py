"""Jobs that clear what hung on a deleted resource: what they are, and what hangs on what.

A deletion is one commit: the document goes, its tombstone says ``pending`` and names the job. The job's steps
take pending tombstones one page at a time and write, in one commit each, the removal of what hangs on them
and the job's progress. What is removed that way and has things hanging on itself leaves a pending tombstone
in its turn, so that one rule a kind is enough for any depth. The job is done when none is pending.
"""
