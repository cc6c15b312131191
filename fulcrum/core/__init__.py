"""What an event means: paths, writes and how they settle, the fold of state, and digests that name things.

Pure and small: the platform's services use it, and so does whatever runs scripts, in the cloud or on a
laptop.
"""
