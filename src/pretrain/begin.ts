/** What a pretraining is of: florence2-nano with its tokenizer, and settings that are given, standard, or those of a run that was stopped. */
