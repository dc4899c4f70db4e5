"""Fine-tuning of the taggers in `ner_core`, on one process or several."""
