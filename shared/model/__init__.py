"""The resources of the platform as typed models, as the API takes and answers them.

Wire names are camelCase, times epoch milliseconds. Only what serves the API imports these (pydantic is too
heavy for the functions on the way of an event).
"""
