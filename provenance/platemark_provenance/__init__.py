"""Signing, verification, watermark and ledger: what a clip is, and how anyone can check it."""
