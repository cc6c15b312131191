"""Roles: permissions, who is given them where, and what follows for a device below another."""
