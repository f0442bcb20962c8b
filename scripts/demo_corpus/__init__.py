"""A generated German-English corpus: lexicon, two grammars, frames, files.

Arrows point one way: corpus → frames → sampling → clauses → phrases → german, english, lexicon.
`make_demo_corpus.py` is the command.
"""
