"""What the ledger knows of a fleet as one page: figures, what they mean, and how sure they are."""
