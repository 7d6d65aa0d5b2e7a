"""Our orders: identity, life cycle, tracking, and wanted minus live."""
