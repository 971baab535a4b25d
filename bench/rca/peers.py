"""Other engines on the rows of a generated set, each in a process of its own: `peers.py ENGINE FILE` prints seconds as JSON.

What they do: count every set of up to three values that at least 2 % of the anomalous rows have (pyfim: that 1 % of all rows have; it knows no two slices).
"""

import itertools
import json
import resource
import sys
import time

import pyarrow.parquet as pq

MIN_SHARE_OF_A = 0.02
LENGTH_MAX = 3


def dimensions(path):
    return [name for name in pq.read_schema(path).names if name.startswith("d")]


def anomalous_rows(path):
    return sum(pq.read_table(path, columns=["bad"])["bad"].to_pylist())


def grouping_sets(path):
    names = dimensions(path)
    sets = [chosen for length in range(1, LENGTH_MAX + 1) for chosen in itertools.combinations(names, length)]
    return ", ".join(names), ", ".join(f"({', '.join(chosen)})" for chosen in sets), MIN_SHARE_OF_A * anomalous_rows(path)


def duckdb_task(path):
    import duckdb

    names, sets, least = grouping_sets(path)
    query = f"""SELECT {names}, count(*) FILTER (bad) AS a, count(*) AS n FROM read_parquet('{path}')
                GROUP BY GROUPING SETS ({sets}) HAVING count(*) FILTER (bad) >= {least}"""
    connection = duckdb.connect()
    return lambda: len(connection.execute(query).fetchall())


def chdb_task(path):
    import chdb

    names, sets, least = grouping_sets(path)
    query = f"""SELECT {names}, countIf(bad) AS a, count() AS n FROM file('{path}', Parquet)
                GROUP BY GROUPING SETS ({sets}) HAVING a >= {least}"""
    return lambda: len(chdb.query(query, "CSV").bytes().splitlines())


def pyfim_task(path):
    import fim

    table = pq.read_table(path, columns=dimensions(path))
    columns, first = [], 0
    for column in table.columns:
        codes = column.combine_chunks()
        columns.append((codes.indices.to_numpy() + first).tolist())
        first += len(codes.dictionary)
    # Rows as integers, made before the clock starts: the library's own reading of texts would not be compared fairly.
    transactions = list(map(list, zip(*columns)))
    return lambda: len(fim.apriori(transactions, target="s", supp=1, zmax=LENGTH_MAX))


TASKS = {"duckdb": duckdb_task, "chdb": chdb_task, "pyfim": pyfim_task}


def main():
    engine, path = sys.argv[1:]
    task = TASKS[engine](path)
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    sets = task()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"sets": sets, "cpu": cpu, "wall": wall}))


if __name__ == "__main__":
    main()
