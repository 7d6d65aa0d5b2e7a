"""The one door to the venue: key, nonces, leases, fence, account view, action log."""
