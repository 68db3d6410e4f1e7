/* Databases as a whole: made, dropped, given another's name. Between the files of this room. */
#pragma once

#include "flow/restore.h"

/* What belongs to a database itself, and must be there in a copy that takes its place. */
typedef struct DatabaseFacts {
    bool exists;
    int64_t bytes;
    const char *create;  /* options of CREATE DATABASE: encoding, locale, tablespace, owner */
    RestoreTexts alters; /* with "%DB%" for the name: settings, privileges, comment, limit */
    bool has_slots, has_subscriptions;
    bool may_create; /* the role may make databases */
    bool may_rename; /* it is the owner */
    const char *owner;
    RestoreTexts prepared; /* transactions that are prepared in it */
    const char *preloaded; /* shared_preload_libraries; NULL = the role may not see them */
    const char *cron;      /* the one database that pg_cron can be in, or NULL */
} DatabaseFacts;

/* The comment on a database that a restore makes, until it has its own. */
#define DATABASE_BEGUN "aramid: a restore into this database has begun and has not ended"

/* Connect to a database of the server that is not `name` and always there: postgres, template1, ...
 * errors: those of db_open, of the last one tried */
MUST_CHECK bool database_admin(Arena *a, const FlowInput *in, const DbUrl *url, const char *origin,
                               Db **ret, Err *err);

MUST_CHECK bool database_facts(Arena *a, Db *admin, const char *name, DatabaseFacts *ret, Err *err);

/* Options of CREATE DATABASE for a backup of a server that converts nothing. */
const char *database_raw_options(Arena *a, const RestoreSurvey *s);

/* Sessions of others on it. */
MUST_CHECK bool database_guests(Arena *a, Db *admin, const char *name, RestoreReport *ret,
                                Err *err);

/* Make it, marked by a comment as not finished. errors: ERR_DENIED with the ways out */
MUST_CHECK bool database_create(Arena *a, Db *admin, const char *name, const DatabaseFacts *like,
                                Err *err);
/* Give it what `like` tells, which also takes the mark away. What the role may not give is added to
 * `denied`, as statements. */
MUST_CHECK bool database_finish(Arena *a, Db *admin, const char *name, const DatabaseFacts *like,
                                RestoreTexts *denied, Err *err);
/* Whether it is gone; the connection's tick is not asked. */
bool database_drop(Db *admin, const char *name);

/* How many rows were ever written to the tables of a database that `db` is connected to.
 * errors: those of db_query */
MUST_CHECK bool database_writes(Arena *a, Db *db, int64_t *ret, Err *err);

/* Names that change: old -> kept (NULL: there is no old one), fresh -> old. */
typedef struct DatabaseNames {
    const char *old, *kept, *fresh;
} DatabaseNames;

/* Change them, in one transaction. `force`: sessions of others are ended until it is done; else one
 * of them is an error (ERR_RESTORE), but for those of Aramid, which wait for the migration lock and
 * connect again. `other` is a second connection of the same kind. */
MUST_CHECK bool database_exchange(Arena *a, Db *admin, Db *other, const DatabaseNames *names,
                                  bool force, Err *err);
const char *database_exchange_sql(Arena *a, const DatabaseNames *names);

/* NAME_WORD_20261121t022246z, at most 63 bytes; with _2 and so on where the server has that already. */
const char *database_dated(Arena *a, Db *admin, const char *name, const char *word);
