/* The programs of PostgreSQL's client package that a backup needs. */
#pragma once

#include "shadow/cluster.h"

/* Find pg_dump, pg_restore or psql.
 *
 * name       of the program
 * bindir     look only there (CFG_BACKUP_BIN); NULL or "": folders of packages and PATH
 * min_major  the server's: the lowest version from there on is taken, since what a newer pg_dump
 *            writes need not be readable for an older server; 0 = the newest
 * errors     ERR_NO_DUMP: none, or only older ones; with those that were found, and the command that
 *            installs one
 * cost: see cluster_programs. */
MUST_CHECK bool backup_find_tool(Arena *a, const char *name, const char *bindir, int min_major,
                                 PgProgram *ret, Err *err);
