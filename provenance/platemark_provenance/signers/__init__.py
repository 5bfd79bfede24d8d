"""Everything that can sign a claim: key files, hardware tokens, key services and programs, all behind one protocol."""
