"""Search over devices and their data: what is asked, whether a device matches, and which store answers. Pure.

body        the search body, read strictly: every mistake names its place
fields      what can be asked about
conditions  the filters, as values
ordering    sorts
aggregations  the aggregations, as values; their answer is put together in ``buckets``
match       whether a device matches, and where it stands in an order
firestore   filters that Firestore's indexes answer
sql         the fleet as a BigQuery query: the fold of its rows, filters, sorts, aggregations
"""
