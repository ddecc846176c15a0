"""The doctor knows every migration there is."""

from parcours_dev.supabase.migrations import MIGRATIONS, read_migrations
from parcours_xl.operations.migrations import VERSIONS


def test_the_versions_are_those_of_the_folder() -> None:
    """A new migration is named in operations/migrations.py too."""
    assert list(VERSIONS) == [migration.version for migration in read_migrations(MIGRATIONS)]
