"""Pictures: Altair charts of results. Calculation is done elsewhere; here tables become marks.

Import is deferred until something is drawn, so that ``import brightspot`` stays quick.
"""
