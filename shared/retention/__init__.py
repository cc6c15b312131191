"""How long a project keeps what: its rules, what goes by them, and what is kept of the state before.

``rules`` says how long (pure), ``going_sql`` which rows of the history go, ``split`` what a row leaves
behind (pure), ``documents`` which documents of Firestore go. The curator deletes by them, the API shows by
them what would be deleted.
"""
