"""What an import of devices says of itself."""

from __future__ import annotations

from pydantic import Field

from shared.model.base import Model


class RowError(Model):
    """What is wrong with a row."""

    row: int = Field(description="As spreadsheets count: the first one below the header is 2", examples=[7])
    column: str | None = Field(default=None, examples=["blueprint"])
    error: str = Field(examples=["blueprint.notFound"])
    message: str = Field(examples=["no blueprint has the alias or id 'coldStoer'"])


class ImportReport(Model):
    """What an import did, or with ``dryRun`` would do."""

    dry_run: bool
    rows: int = Field(description="How many rows the table has", examples=[250])
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = Field(default=0, description="How many rows are wrong")
    errors: list[RowError] = Field(default_factory=list, description="Of the first 100 rows that are wrong")


class ImportRefused(Model):
    """The one shape of errors, with the report: nothing was written."""

    status: int = Field(examples=[422])
    error: str = Field(examples=["import.rows"])
    message: str
    description: str
    request_id: str
    report: ImportReport
