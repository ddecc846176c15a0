"""Queries that run by themselves or for a listener read little, however much there is."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from benchmarks.growth import BUFFERS_MAX, QUERIES, Query, measure_queries, parameters, undone
from benchmarks.growth_dataset import grow
from parcours_dev.supabase.project import LocalProject
from tests.sql.world import LIMITS

RUNS = 4000
# It looks once at every run there is: in the order that they lie in is the quickest.
LOOKS_AT_ALL = "find_runs ownerless"
BIG = ("parcours_runs", "parcours_segments", "parcours_events", "objects")
PLANS = """
set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
set auto_explain.log_level = 'notice'; set client_min_messages = 'notice'
"""

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def grown(postgres: LocalProject, database: str) -> Iterator[Connection]:
    """A superuser's connection to a database with enough in it for honest plans."""
    url = postgres.database_url("supabase_admin", database)
    with psycopg.connect(url) as connection:
        connection.execute("select public.write_limits(%s)", [Jsonb(LIMITS)])
    grow(url, RUNS)
    with psycopg.connect(url) as connection:
        connection.execute("load 'auto_explain'")
        connection.execute(PLANS)
        yield connection


@pytest.mark.parametrize(
    "query",
    [query for query in QUERIES if query.name != LOOKS_AT_ALL],
    ids=lambda query: query.name,
)
def test_no_plan_scans_a_big_table(grown: Connection, query: Query) -> None:
    values = parameters(grown, 1)
    plans: list[str] = []
    grown.add_notice_handler(handler := lambda notice: plans.append(notice.message_primary or ""))
    try:
        with undone(grown, query.role, str(values["owner"])):
            grown.execute(query.statement, values)
    finally:
        grown.remove_notice_handler(handler)
    assert any("cost=" in plan for plan in plans)
    scans = [plan for plan in plans if any(f"Seq Scan on {table}" in plan for table in BIG)]
    assert not scans, "\n\n".join(scans)


def test_no_query_that_runs_by_itself_reads_much(grown: Connection) -> None:
    read = {row["query"]: row["buffers"] for row in measure_queries(grown, 1) if row["bounded"]}
    assert {name: buffers for name, buffers in read.items() if buffers > BUFFERS_MAX} == {}
