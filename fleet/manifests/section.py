"""The base of every part of the manifest: strict, closed, frozen."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of every part of the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
