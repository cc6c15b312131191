"""The project-scoped store over Firestore: whoever reads or writes names the project first.

:class:`~shared.store.scope.Scope` reads, :class:`~shared.store.change.Change` is one atomic commit.
"""
