"""When an answer is right: its set of dimension = value is exactly the truth's, order ignored. An alias of an item (the same rows) is the item."""

import numpy as np


def is_cause(evidence, cause):
    """`cause` is {dimension: value}, both texts."""
    items = evidence["items"]
    if len(items) != len(cause):
        return False
    names = [{(part["dimension"], part["value"]) for part in [item, *item.get("aliases", [])]} for item in items]
    wanted = list(cause.items())
    return all(any(pair in names_of for names_of in names) for pair in wanted) and all(
        any(pair in names_of for pair in wanted) for names_of in names
    )


def counts(answers, causes):
    """True positives, false positives, false negatives of one case."""
    found = [cause for cause in causes if any(is_cause(answer, cause) for answer in answers)]
    right = sum(any(is_cause(answer, cause) for cause in causes) for answer in answers)
    return len(found), len(answers) - right, len(causes) - len(found)


def f1(counted):
    """Of rows of true positives, false positives, false negatives, summed over the cases."""
    tp, fp, fn = np.asarray(counted, dtype=float).sum(axis=0)
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else float("nan")


def is_hit(ranked, causes, k):
    """All of the truth is within the first k."""
    return all(any(is_cause(answer, cause) for answer in ranked[:k]) for cause in causes)
