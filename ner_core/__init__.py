"""Text in, entity spans out: data structures, model, decoding, evaluation. No database, no web."""
