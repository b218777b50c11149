"""What a PostgreSQL login may do, read from the catalogue: nothing is tried."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from schemas.ledger_rights import ANSWER_COLUMNS, EMPTIED_TABLES, LOCK_COLUMNS, UPDATED_TABLES

_ROLE = text("SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user")
_OWNS = text("SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:table)")
_TABLE = text("SELECT has_table_privilege(to_regclass(:table), :right)")
_COLUMN = text("SELECT has_column_privilege(to_regclass(:table), :column, :right)")
_SCHEMA = text("SELECT has_schema_privilege(relnamespace, 'CREATE') FROM pg_class WHERE oid = to_regclass(:table)")
_OTHERS = text(
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
    "AND n.nspname NOT LIKE 'pg_toast%' AND c.oid <> to_regclass(:table) AND c.relname <> ALL (:known) "
    "AND (has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') "
    "OR has_any_column_privilege(c.oid, 'SELECT, UPDATE')) ORDER BY 1 LIMIT 4"
)
_LABELS = text(
    "SELECT e.enumlabel FROM pg_attribute a JOIN pg_enum e ON e.enumtypid = a.atttypid "
    "WHERE a.attrelid = to_regclass(:table) AND a.attname = :column"
)


class Catalogue:
    """One connection's login, and what it may do with a table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def login(self) -> str:
        """Who we are there."""
        return str(self._connection.execute(text("SELECT current_user")).scalar_one())

    def may(self, table: str, right: str, columns: Iterable[str] = ()) -> list[str]:
        """Those of these columns, or the table itself, for which the right is there."""
        names = list(columns)
        if not names:
            return [table] if self._connection.execute(_TABLE, {"table": table, "right": right}).scalar_one() else []
        return [
            name
            for name in names
            if self._connection.execute(_COLUMN, {"table": table, "column": name, "right": right}).scalar_one()
        ]

    def powers(self, table: str) -> list[str]:
        """What the login is or owns that goes beyond any grant."""
        row = self._connection.execute(_ROLE).one()
        words = ("is a superuser", "may make roles", "may make databases", "passes row security by")
        found = [word for word, has in zip(words, row, strict=True) if has]
        if row.rolsuper:
            return found[:1]
        if self._connection.execute(_OWNS, {"table": table}).scalar_one():
            found.append(f"owns {table}, and may change or drop it")
        if self._connection.execute(_SCHEMA, {"table": table}).scalar_one():
            found.append("may create tables")
        return found

    def others(self, table: str, known: Sequence[str]) -> list[str]:
        """Other tables and views that the login may read or write: four at most."""
        return list(self._connection.execute(_OTHERS, {"table": table, "known": list(known)}).scalars())

    def labels(self, table: str, column: str) -> set[str]:
        """The values of a column that is an enumeration; none for any other."""
        return set(self._connection.execute(_LABELS, {"table": table, "column": column}).scalars())


def missing_in_orders(catalogue: Catalogue, table: str, read: Sequence[str], written: Sequence[str]) -> list[str]:
    """What the login of the order system must be able to do and is not."""
    missing = []
    if unread := [name for name in read if name not in catalogue.may(table, "SELECT", read)]:
        missing.append(f"SELECT on {', '.join(unread[:5])}")
    if unwritten := [name for name in written if name not in catalogue.may(table, "UPDATE", written)]:
        missing.append(f"UPDATE on {', '.join(unwritten[:5])}")
    return missing


def excess_in_orders(catalogue: Catalogue, table: str, columns: Sequence[str], written: Sequence[str]) -> list[str]:
    """What the login of the order system can do beyond reading the table and writing our columns."""
    if powers := catalogue.powers(table):
        return powers
    excess = [f"may {right} {table}" for right in ("INSERT", "DELETE", "TRUNCATE", "TRIGGER") if catalogue.may(table, right)]
    if more := catalogue.may(table, "UPDATE", [name for name in columns if name not in written]):
        excess.append(f"may UPDATE {', '.join(more[:5])}")
    if others := catalogue.others(table, ["retryable_orders"]):
        excess.append(f"may use {', '.join(others[:3])}{' and more' if len(others) > 3 else ''}")
    return excess


def missing_in_ledger(catalogue: Catalogue, tables: Sequence[str]) -> list[str]:
    """What the ledger's login must be able to do and is not."""
    needed = {
        "SELECT": tables,
        "INSERT": tables,
        "UPDATE": [name for name in UPDATED_TABLES if name in tables],
        "DELETE": [name for name in EMPTIED_TABLES if name in tables],
    }
    missing = []
    for right, names in needed.items():
        if without := [name for name in names if not catalogue.may(name, right)]:
            missing.append(f"{right} on {', '.join(without[:5])}")
    for table, columns in (("identity", LOCK_COLUMNS), ("evidence", ANSWER_COLUMNS)):
        if len(catalogue.may(table, "UPDATE", columns)) < len(columns):
            missing.append(f"UPDATE ({', '.join(columns)}) on {table}")
    return missing


def excess_in_ledger(catalogue: Catalogue, tables: Sequence[str]) -> list[str]:
    """What the ledger's login can do beyond what runs do: above all, change what happened."""
    if powers := catalogue.powers("event"):
        return powers
    excess = []
    for right, allowed in (("UPDATE", UPDATED_TABLES), ("DELETE", EMPTIED_TABLES), ("TRUNCATE", ()), ("TRIGGER", ())):
        if more := [name for name in tables if name not in allowed and catalogue.may(name, right)]:
            excess.append(f"may {right} {', '.join(more[:5])}")
    return excess
