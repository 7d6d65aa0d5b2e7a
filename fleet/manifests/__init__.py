"""The manifest: schema, loading with source positions, compilation into settings."""
