/* Sizes and statistics of a database's tables. */
#pragma once

#include "catalog/stats.h"
#include "db/db.h"

/* Ask for all tables but the system's: sizes, estimates of rows, and per column what ANALYZE has found of NULLs
 * and distinct values. No row is read. Outside of a transaction.
 *
 * lock_ms  how long a table's size may wait for a lock; tables that are locked when it is asked are not waited for
 * ret      in the arena, indexed; `applied` is left to who knows
 * errors   those of db_query
 * cost     one round trip; a look at the files of each table */
MUST_CHECK bool introspect_stats(Arena *a, Db *db, int64_t lock_ms, Stats *ret, Err *err);
