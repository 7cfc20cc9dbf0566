"""
Barres colorées par ce qui est établi
=====================================

Un écart n'est coloré que si quelque chose l'établit : ici, que le hasard seul n'en ferait autant
que dans moins de 5 % des cas.
"""

import barometre as bcs
import barometre.plots

results = bcs.compute(bcs.datasets.tables(), ["part_plus_2_ans_defm", "demandeurs_emploi_abc"])

verdicts = bcs.judge(results, "200042190", proof="hasard")
ax = bcs.plots.ranked_bars(
    results, "part_plus_2_ans_defm", references=["200042190"], verdicts=verdicts
)
