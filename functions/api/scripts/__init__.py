"""The life of scripts: code, versions, deployments, logs and metrics."""
