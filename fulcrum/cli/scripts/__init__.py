"""``fulcrum script``: a script's life, from its first file to what it did among events.

The verbs that are written stand in ``COMMANDS``; beside them are those that the API's operations are.
"""

from __future__ import annotations

# Verb → module:function.
_VERBS = {
    "init": "fulcrum.cli.scripts.init:init",
    "check": "fulcrum.cli.scripts.check:check",
    "test": "fulcrum.cli.scripts.test:run_tests",
    "save": "fulcrum.cli.scripts.save:save",
    "set-code": "fulcrum.cli.scripts.code:set_code",
    "deploy": "fulcrum.cli.scripts.deploy:deploy",
    "undeploy": "fulcrum.cli.scripts.deploy:undeploy",
    "versions": "fulcrum.cli.scripts.versions:versions",
    "rollback": "fulcrum.cli.scripts.deploy:rollback",
    "deployments": "fulcrum.cli.scripts.versions:deployments",
    "logs": "fulcrum.cli.scripts.logs:logs",
    "metrics": "fulcrum.cli.scripts.metrics:metrics",
    "replay": "fulcrum.cli.scripts.replay:replay",
    "run": "fulcrum.cli.scripts.run:run",
}
COMMANDS: dict[str, str] = {f"script {verb}": where for verb, where in _VERBS.items()}
