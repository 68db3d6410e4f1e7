/* Internal to run/: what alone.c knows about statements outside of transactions. */
#pragma once

#include "run/step.h"

/* ---- invalid indexes ---------------------------------------------------------------------- */

/* The process of somebody else that builds an index on a table. Which index it is may be hidden from
 * our role (pg_stat_progress_create_index), but not the lock that it keeps on the table, which goes
 * with no other build or drop. */
#define BUILDER_ON                                                                                 \
    "(SELECT pg_catalog.min(p.pid) FROM pg_catalog.pg_stat_progress_create_index p"                \
    " JOIN pg_catalog.pg_locks l ON l.pid OPERATOR(pg_catalog.=) p.pid"                            \
    " WHERE p.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"                        \
    " AND p.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND l.granted"                 \
    " AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'"                                \
    " AND l.relation OPERATOR(pg_catalog.=) %s)"

typedef struct IndexState {
    const char *qualified; /* quoted "schema"."index" */
    const char *name;
    bool valid, before;
    const char *builder; /* process that builds one on its table, or NULL */
} IndexState;
typedef VEC(IndexState) IndexVec;

/* SQL conditions over pg_index i and pg_class c of an index. */
/* The indexes that a statement may leave invalid are among these: of its own table, of the partitions and
 * the TOAST of that, or of what it names instead of a table. */
char *index_of_statement(Arena *a, const SqlStmt *s);
/* Those that an interrupted one has left, as far as their own words tell: those of a REINDEX have names
 * of its own making, "_ccnew" before the exchange and "_ccold" behind it. */
char *index_left_by(Arena *a, const SqlStmt *s);
/* An invalid one of the statement's own name: left by an interrupted build of anyone. */
char *index_where_named(Arena *a, const SqlStmt *s);

/* Text for to_regclass, in the user's search_path. */
char *index_regclass(Arena *a, SqlName name);

/* The indexes for which `where` holds; `before` fills the flag. */
MUST_CHECK bool index_read(Run *r, Arena *a, const char *before, const char *where, IndexVec *ret,
                           Err *err);
typedef struct IndexRepair {
    const char *before,
        *where;          /* drop the invalid ones for which `where` holds, and `before` does not */
    const char *left_by; /* for people: "an interrupted build" */
    bool is_needed;      /* one that can't be dropped is an error; else it is told and passed */
} IndexRepair;
/* Drop what an interrupted statement left; what may be somebody else's, being built right now, is waited
 * for. */
MUST_CHECK bool index_repair(Run *r, Arena *a, const IndexRepair *repair, Err *err);
/* Until nobody else builds on a table: two builds, or a build and a drop, deadlock. */
MUST_CHECK bool index_wait_for_builder(Run *r, Arena *a, const char *table, Err *err);

/* ---- intent ------------------------------------------------------------------------------- */

typedef struct Intent {
    bool tool_waits;
    bool has_lock; /* ours, still: a script may have let it go */
} Intent;

/* What the journal says about a step that was begun and may have run; NULL = was not. */
const JournalStep *intent_find(const Run *r, const char *ledger_id, size_t first);

/* SQL for the oid of the table whose indexes a statement works on; NULL = not such a statement. */
char *index_table(Arena *a, const SqlStmt *s);
/* How long the statement may wait for a lock, as others may queue behind it meanwhile: 0 = no limit, where
 * what it waits for lets readers and writers through, or where it may have committed a part before. */
int64_t alone_lock_ms(const Try *t);
/* The SETs of it and of the timeout, two of them, without a last semicolon. */
void alone_add_timeouts(const Try *t, Buf *b);

/* Write it, also of those behind it, and see who is in their way. It need not be flushed: what the statement
 * does is later in the log. */
MUST_CHECK bool intent_write(Try *t, Intent *ret, Err *err);

/* What was announced with an earlier try and never sent: take its rows away. */
MUST_CHECK bool intent_forget_behind(const Try *t, const JournalStep *begun, Err *err);

/* ---- proof -------------------------------------------------------------------------------- */

typedef enum Proof {
    PROOF_NOT_DONE, /* run it (again) */
    PROOF_DONE,
    PROOF_NONE, /* nothing can tell */
} Proof;

/* The kinds for which prove() knows an answer. */
bool is_provable(const SqlStmt *s);

/* Whether a begun statement had its effect; what it left half done is cleaned up or brought to its
 * end. */
MUST_CHECK bool prove(const Try *t, const JournalStep *j, Proof *ret, Err *err);

/* ---- waiting ------------------------------------------------------------------------------ */

/* After a lock timeout of the statement: until nobody is in its way. `seen` was seen blocking it, or is
 * empty. */
MUST_CHECK bool alone_wait(const Try *t, const LockWatch *seen, Err *err);
