"""A database's schema as comparable text: what two ways of making it must agree on."""

from typing import LiteralString

import psycopg

# What is looked at, in every schema that migrations write to. Numbers that the server gives out
# (oids, attnums) are left out.
QUERIES: dict[str, LiteralString] = {
    "tables": """
        select oid::regclass, relkind, pg_get_userbyid(relowner), relrowsecurity, relacl,
               obj_description(oid, 'pg_class')
          from pg_class where relkind in ('r', 'p', 'v', 'm', 'S') and {ours(relnamespace)}""",
    "columns": """
        select attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
               attidentity, attacl, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
          from pg_attribute join pg_class on pg_class.oid = attrelid
          left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm')
           and {ours(relnamespace)}""",
    "constraints": """
        select conrelid::regclass, conname, pg_get_constraintdef(oid) from pg_constraint
         where {ours(connamespace)}""",
    "indexes": """
        select pg_get_indexdef(indexrelid) from pg_index join pg_class on pg_class.oid = indexrelid
         where {ours(relnamespace)}""",
    "triggers": """
        select pg_get_triggerdef(pg_trigger.oid) from pg_trigger
          join pg_class on pg_class.oid = tgrelid
         where not tgisinternal and {ours(relnamespace)}""",
    "functions": """
        select pg_get_functiondef(oid), pg_get_userbyid(proowner), proacl from pg_proc
         where prokind = 'f' and {ours(pronamespace)}""",
    "schemas": "select nspname, pg_get_userbyid(nspowner), nspacl from pg_namespace",
    "policies": "select * from pg_policies",
    "publications": "select * from pg_publication_tables",
    "default privileges": "select defaclnamespace::regnamespace, defaclacl from pg_default_acl",
    "buckets": "select id, name, public, file_size_limit, allowed_mime_types from storage.buckets",
    "moves of a segment": "select * from parcours.segment_transitions",
    "moves of a run": "select * from parcours.run_transitions",
    "history": "select version, name from supabase_migrations.schema_migrations",
    "history's columns": """
        select column_name, data_type, is_nullable from information_schema.columns
         where table_schema = 'supabase_migrations'""",
}


def describe(database_url: str) -> dict[str, list[str]]:
    """Everything of interest, each kind as sorted lines."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        return {
            kind: sorted(str(row) for row in connection.execute(_complete(query)).fetchall())
            for kind, query in QUERIES.items()
        }


def _complete(query: str) -> bytes:
    for column in ("relnamespace", "connamespace", "pronamespace"):
        theirs = "'^(pg_|information_schema|supabase_migrations)'"
        ours = f"{column}::regnamespace::text !~ {theirs}"
        query = query.replace(f"{{ours({column})}}", ours)
    return query.encode()
