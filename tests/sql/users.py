"""Users, as Auth keeps them: added and deleted by Auth's own role, which may do nothing else."""

from uuid import UUID, uuid4

import psycopg

from parcours_dev.supabase.project import LocalProject

DAY_S = 24 * 3600


class Users:
    """connection: Auth's own, autocommitting."""

    def __init__(self, project: LocalProject, database: str) -> None:
        url = project.database_url("supabase_auth_admin", database)
        self.connection = psycopg.connect(url, autocommit=True)

    def add(self, *, days_old: float = 0, user_id: UUID | None = None) -> UUID:
        """A new user who signed up so many days ago."""
        [added] = self.add_many(1, days_old=days_old, user_id=user_id)
        return added

    def add_many(
        self, count: int, *, days_old: float = 0, user_id: UUID | None = None
    ) -> list[UUID]:
        user_ids = [user_id or uuid4() for _ in range(count)]
        self.connection.execute(
            "insert into auth.users (id, email, created_at)"
            " select id, id || '@example.org', now() - make_interval(secs => %s)"
            "   from unnest(%s::uuid[]) as id",
            [days_old * DAY_S, user_ids],
        )
        return user_ids

    def delete(self, user_id: UUID) -> int:
        """How many rows it was, as Auth deletes a user for good."""
        return self.connection.execute("delete from auth.users where id = %s", [user_id]).rowcount

    def forget_all(self) -> None:
        self.connection.execute("delete from auth.users")

    def close(self) -> None:
        self.connection.close()
